"""Dropout whose masks cost little on a processor."""

import torch
from torch import nn
from torch.nn import functional as F


class Dropout(nn.Module):
    """Set random elements to zero in training, and scale the others so that the mean stays.

    What :class:`torch.nn.Dropout` does. On a processor torch draws once an element,
    which can take longer than the layers around it; here four elements share one
    64-bit draw. The probability is therefore rounded to a multiple of
    2**-16, and the scale is that of the rounded one.

    Parameters
    ----------
    p : float
        Probability of an element to become zero, in [0, 1).

    Shape
    -----
    Any, and the same.
    """

    def __init__(self, p):
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"p={p!r}: expected a probability of at least 0 and below 1")
        self.p = p

    def extra_repr(self):
        return f"p={self.p}"

    def forward(self, x):
        if not self.training or self.p == 0:
            return x
        if x.device.type != "cpu":
            return F.dropout(x, self.p)
        dropped = min(max(round(self.p * 2**16), 1), 2**16 - 1)
        draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
        kept = _laid_out_like(x, draws.view(torch.int16)[: x.numel()] >= dropped - 2**15)
        return x * (kept.to(x.dtype) * (2**16 / (2**16 - dropped)))


def _laid_out_like(x, values):
    """As many values as x has elements, in its shape and its order in memory."""
    order = sorted(range(x.dim()), key=x.stride, reverse=True)
    values = values.view([x.shape[axis] for axis in order])
    return values.permute([order.index(axis) for axis in range(x.dim())])
