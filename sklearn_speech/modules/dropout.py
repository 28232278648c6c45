"""Dropout whose masks are cheap on a CPU."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Dropout(nn.Module):
    """Set random elements to zero in training, and scale the others to keep the mean.

    The same as :class:`torch.nn.Dropout`, with faster masks on a CPU: torch draws one
    random number for each element, here four elements share one 64-bit draw. A
    training step of a linear network on spectrograms takes about half the time
    (``benchmarks/dropout_speed.py``); where convolutions take most of the time the
    gain is a few per cent. The probability is rounded to a multiple of 2**-16, and
    the scale is that of the rounded one.

    Parameters
    ----------
    p : float
        Probability that an element becomes zero, in [0, 1).

    Shape
    -----
    Input of any shape, output of the same shape.
    """

    def __init__(self, p: float) -> None:
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"p={p!r}: expected a probability of at least 0 and below 1")
        self.p = p

    def extra_repr(self) -> str:
        return f"p={self.p}"

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        dropped = min(max(round(self.p * 2**16), 1), 2**16 - 1)
        draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        kept = _laid_out_like(x, draws.view(torch.int16)[: x.numel()] >= dropped - 2**15)
        return x * (kept.to(x.dtype) * (2**16 / (2**16 - dropped)))


def _laid_out_like(x: Tensor, values: Tensor) -> Tensor:
    """Values, one for each element of x, in the shape and memory order of x."""
    order = sorted(range(x.dim()), key=x.stride, reverse=True)
    values = values.view([x.shape[axis] for axis in order])
    return values.permute([order.index(axis) for axis in range(x.dim())])
