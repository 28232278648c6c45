"""Depthwise and pointwise convolutions, which predict faster on a CPU than those of torch."""

from typing import Any

import torch
from torch import Tensor

from .convolution import Conv1d, Conv2d

#: Base of the mixins: a type checker cannot know that Conv1d or Conv2d comes after them.
_Mixin: Any = object


class _Depthwise(_Mixin):
    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if predicts_on_cpu(x):
            return depthwise(x, weight, bias, self.stride[0], self.dilation[0])
        return super().convolve(x, weight, bias)


class DepthwiseConv1d(_Depthwise, Conv1d):
    """One short filter a channel over the last axis; see :func:`depthwise`.

    Parameters
    ----------
    n_channels : int
    kernel_size : int
        Odd; the length stays the same.
    dilation : int, default=1
    """

    def __init__(self, n_channels: int, kernel_size: int, dilation: int = 1) -> None:
        super().__init__(
            n_channels,
            n_channels,
            kernel_size,
            padding=dilation * (kernel_size // 2),
            dilation=dilation,
            groups=n_channels,
            bias=False,
        )


class FrequencyConv2d(_Depthwise, Conv2d):
    """One short filter a channel over the bands of maps; see :func:`depthwise`.

    Parameters
    ----------
    n_channels : int
    kernel_size : int
        Odd; with a stride of 1 the number of bands stays the same.
    stride : int, default=1
    """

    def __init__(self, n_channels: int, kernel_size: int, stride: int = 1) -> None:
        super().__init__(
            n_channels,
            n_channels,
            (kernel_size, 1),
            stride=(stride, 1),
            padding=(kernel_size // 2, 0),
            groups=n_channels,
            bias=False,
        )


class _Pointwise(_Mixin):
    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__(in_channels, out_channels, 1, bias=False)

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if predicts_on_cpu(x):
            return pointwise(x, weight, bias)
        return super().convolve(x, weight, bias)


class PointwiseConv1d(_Pointwise, Conv1d):
    """A matrix product of the channels of each step; see :func:`pointwise`.

    Parameters
    ----------
    in_channels, out_channels : int
    """


class PointwiseConv2d(_Pointwise, Conv2d):
    """A matrix product of the channels at each place of maps; see :func:`pointwise`.

    Parameters
    ----------
    in_channels, out_channels : int
    """


def predicts_on_cpu(x: Tensor) -> bool:
    """Whether x is in single precision on a CPU, and no gradients are needed."""
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and not torch.is_autocast_enabled("cpu")
    )


def depthwise(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int, dilation: int) -> Tensor:
    """Convolve axis 2 of maps with one filter a channel, as a sum of shifted maps.

    oneDNN prepares a new operation in each call, and copies maps of few channels to a layout of
    blocks and back: for the maps of one clip, that takes several times as long as these few
    multiplications.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_channels, n_steps, ...)
    weight : Tensor of shape (n_channels, 1, kernel_size, ...)
        With an odd kernel size; all further axes have size 1.
    bias : Tensor of shape (n_channels,), or None
    stride, dilation : int

    Returns
    -------
    y : Tensor of shape (n_clips, n_channels, ceil(n_steps / stride), ...)

    Examples
    --------
    >>> x, weight = torch.arange(4.0).view(1, 1, 4), torch.tensor([[[1.0, 0.0, -1.0]]])
    >>> depthwise(x, weight, None, 1, 1)
    tensor([[[-1., -2., -2.,  2.]]])
    """
    n_steps = x.shape[2]
    taps = weight.unbind(2)
    middle = len(taps) // 2
    centre = x if stride == 1 else x[:, :, ::stride]
    if bias is None:
        y = centre * taps[middle]
    else:
        y = torch.addcmul(bias.view(taps[middle].shape), centre, taps[middle])
    for i, tap in enumerate(taps):
        offset = (i - middle) * dilation
        first = -(min(offset, 0) // stride)  # the first output whose input is not padding
        count = min(-((offset - n_steps) // stride), y.shape[2]) - first
        if offset and count > 0:
            start = first * stride + offset
            part = x[:, :, start : start + (count - 1) * stride + 1 : stride]
            y.narrow(2, first, count).addcmul_(part, tap)
    return y


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Convolve with kernels of size 1, as one matrix product a clip.

    Parameters
    ----------
    x : Tensor of shape (n_clips, in_channels, ...)
    weight : Tensor of shape (out_channels, in_channels, ...)
        All further axes have size 1.
    bias : Tensor of shape (out_channels,), or None

    Returns
    -------
    y : Tensor of shape (n_clips, out_channels, ...)

    Examples
    --------
    >>> weight = torch.tensor([[[1.0], [2.0]]])
    >>> pointwise(torch.ones(1, 2, 3), weight, torch.tensor([0.5]))
    tensor([[[3.5000, 3.5000, 3.5000]]])
    """
    steps = x.flatten(2)
    matrices = weight.flatten(1).expand(len(x), -1, -1)
    if bias is None:
        y = torch.bmm(matrices, steps)
    else:
        y = torch.baddbmm(bias[:, None], matrices, steps)
    return y.view(len(x), len(weight), *x.shape[2:])
