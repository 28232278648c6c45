"""One convolutional stage, shared by the classifiers and the autoencoder."""

import functools
import numbers
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .counts import Count, at_least
from .dropout import Dropout
from .masked_norm import MaskedBatchNorm
from .masking import frame_mask, mask_frames, zero_padding

#: A number, or a (frequency, time) pair.
Size = int | tuple[int, int]

#: "same", "valid", or what is added at each end.
Padding = str | Size


def per_layer(name: str, value: Any, n_layers: int) -> list[Any]:
    """One entry per layer from a number, a pair or a list.

    Parameters
    ----------
    name : str
        Name of the parameter, for error messages.
    value : number, str, (frequency, time) tuple, or list with one of these a layer
    n_layers : int

    Returns
    -------
    values : list of length n_layers

    Examples
    --------
    >>> per_layer("kernel_size", (3, 5), 2)
    [(3, 5), (3, 5)]
    >>> per_layer("n_filters", [16, 32], 2)
    [16, 32]
    """
    if not isinstance(value, list):
        return [value] * n_layers
    if len(value) != n_layers:
        raise ValueError(
            f"{name}={value!r} has {len(value)} entries, but there are {n_layers} layers"
        )
    return list(value)


def as_pair(name: str, value: Any, minimum: int = 1) -> tuple[int, int]:
    """A (frequency, time) pair of whole numbers from a number or a pair."""
    pair = (value, value) if isinstance(value, numbers.Integral) else tuple(value)
    if len(pair) != 2 or any(
        not isinstance(v, numbers.Integral) or isinstance(v, bool) or v < minimum for v in pair
    ):
        raise ValueError(
            f"{name}={value!r}: expected a whole number of at least {minimum}, "
            "or a (frequency, time) pair of them"
        )
    return int(pair[0]), int(pair[1])


class ConvStage(nn.Module):
    """Convolution, batch norm, ReLU, pooling, dropout: all but the first are optional.

    Inputs smaller than a kernel or pooling window are zero-padded to it at the
    end, so that one frame is enough. Padding never depends on the input's size,
    and padding frames are zeroed, so that a clip in a padded batch gives what it
    gives alone.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride : int or (frequency, time) tuple
    padding : {"same", "valid"}, int or (frequency, time) tuple, default="same"
        "same" gives ceil(size / stride) rows and columns.
    pool_size : int or (frequency, time) tuple, default=1
        Pooling windows do not overlap; leftover rows and columns are dropped.
    pool_type : {"max", "mean"}, default="max"
    batch_norm : bool, default=False
    batch_norm_eps : float, default=1e-5
    dropout : float, default=0.0
        Probability of dropping an element, after pooling.
    bias : bool, default=True

    Shape
    -----
    Input (n_clips, in_channels, n_bands, n_frames), output
    (n_clips, out_channels, *out_size).
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size = 3,
        stride: Size = 1,
        padding: Padding = "same",
        pool_size: Size = 1,
        pool_type: str = "max",
        batch_norm: bool = False,
        batch_norm_eps: float = 1e-5,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = as_pair("kernel_size", kernel_size)
        self.stride = as_pair("stride", stride)
        self.pool_size = as_pair("pool_size", pool_size)
        if pool_type not in ("max", "mean"):
            raise ValueError(f"pool_type={pool_type!r}: expected 'max' or 'mean'")
        self.pool_type = pool_type
        self.pad = self._resolve_padding(padding)
        self.conv = nn.Conv2d(
            in_channels, out_channels, self.kernel_size, stride=self.stride, bias=bias
        )
        self.norm = MaskedBatchNorm(out_channels, eps=batch_norm_eps) if batch_norm else None
        self.dropout = Dropout(dropout) if dropout else None
        symmetric = all(before == after for before, after in self.pad)
        if symmetric:  # the convolution's own padding is faster than a copy of the input
            self.conv.padding = tuple(before for before, _ in self.pad)
        self._explicit_pad = not symmetric

    def _resolve_padding(self, padding: Padding) -> tuple[tuple[int, int], ...]:
        if padding == "same":
            return tuple(((k - 1) // 2, k - 1 - (k - 1) // 2) for k in self.kernel_size)
        if padding == "valid":
            return ((0, 0), (0, 0))
        if isinstance(padding, str):
            raise ValueError(f"padding={padding!r}: expected 'same', 'valid', a number or a pair")
        return tuple((p, p) for p in as_pair("padding", padding, minimum=0))

    def _conv_size(self, size: Count, axis: int) -> Count:
        before, after = self.pad[axis]
        return (size + before + after - self.kernel_size[axis]) // self.stride[axis] + 1

    def _needed(self, axis: int) -> int:
        return self.kernel_size[axis] - sum(self.pad[axis])

    def conv_frames(self, lengths: Count) -> Count:
        """Frames after the convolution, before pooling; takes an int or a Tensor."""
        return at_least(self._conv_size(lengths, 1), 1)

    def out_frames(self, lengths: Count) -> Count:
        """Output frames for input frames; takes an int or a Tensor."""
        return at_least(self.conv_frames(lengths) // self.pool_size[1], 1)

    def out_bands(self, n_bands: int) -> int:
        """Output bands for input bands."""
        return max(max(self._conv_size(n_bands, 0), 1) // self.pool_size[0], 1)

    def _convolve(self, x: Tensor, folded: tuple[Tensor, Tensor | None] | None) -> Tensor:
        """Convolve with the layer's own weight and bias, or with those that include the norm."""
        (top, bottom), (left, right) = self.pad
        single = self.stride[1] > 1 and self._conv_size(x.shape[3], 1) == 1
        if self._explicit_pad or single:
            x = F.pad(x, (left, right, top, bottom))
        if not single and folded is None:
            return self.conv(x)
        weight, bias = folded or (self.conv.weight, self.conv.bias)
        if not single:
            return F.conv2d(x, weight, bias, self.stride, self.conv.padding)
        # the output is one frame: with a stride, torch 2.13 would read memory outside the input
        # (oneDNN, one channel, channels last)
        x = x[..., : self.kernel_size[1]]
        return F.conv2d(x, weight, bias, (self.stride[0], 1))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        x = _pad_to(x, self._needed(0), self._needed(1))
        folded = None if self.norm is None else self.norm.folded(self.conv)
        x = self._convolve(x, folded)
        mask = None if lengths is None else frame_mask(self.conv_frames(lengths), x.shape[-1])
        if self.norm is not None and folded is None:
            x = self.norm(x, mask)
        by_maximum = self.pool_type == "max"  # the ReLU of a maximum is the maximum of ReLUs
        if not by_maximum:
            x = F.relu(x, inplace=True)
        x = zero_padding(x, mask)
        if self.pool_size != (1, 1):
            x = _pad_to(x, *self.pool_size)
            pool = _max_pool if by_maximum else F.avg_pool2d
            x = pool(x, self.pool_size)
        if by_maximum:
            x = F.relu(x, inplace=True)
        if self.dropout is not None:
            x = self.dropout(x)
        if lengths is None:
            return x, None
        lengths = self.out_frames(lengths)
        return mask_frames(x, lengths), lengths


def _max_pool(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Largest value of each window."""
    if x.device.type != "cpu" or torch.is_grad_enabled() or torch.compiler.is_compiling():
        return F.max_pool2d(x, size)
    # the same values by vectorised maxima, in a fraction of the time
    for axis in (3, 2):
        n = x.shape[axis] // size[axis - 2]
        if size[axis - 2] > 1:
            windows = x.narrow(axis, 0, n * size[axis - 2]).unflatten(axis, (n, -1))
            x = functools.reduce(torch.maximum, windows.unbind(axis + 1))
        else:
            x = x.narrow(axis, 0, n)
    return x


def _pad_to(x: Tensor, n_bands: int, n_frames: int) -> Tensor:
    """Pad x with zeros at the end, up to this size."""
    missing = max(0, n_bands - x.shape[-2]), max(0, n_frames - x.shape[-1])
    return F.pad(x, (0, missing[1], 0, missing[0])) if any(missing) else x
