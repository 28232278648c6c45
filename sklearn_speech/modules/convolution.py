"""Convolutions that take other weights than their own, such as those that include a batch norm."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .masked_norm import MaskedBatchNorm


class Conv1d(nn.Conv1d):
    """Convolution over the last axis, as in torch."""

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve with weights of the same shape as the layer's own."""
        return F.conv1d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x, self.weight, self.bias)


class Conv2d(nn.Conv2d):
    """Convolution over the last two axes, as in torch."""

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Convolve with weights of the same shape as the layer's own."""
        return F.conv2d(x, weight, bias, self.stride, self.padding, self.dilation, self.groups)

    def forward(self, x: Tensor) -> Tensor:
        return self.convolve(x, self.weight, self.bias)


def normalised(
    conv: Conv1d | Conv2d, norm: MaskedBatchNorm, x: Tensor, mask: Tensor | None
) -> Tensor:
    """Convolution and batch norm, in one operation if no gradients are needed."""
    folded = norm.folded(conv)
    if folded is None:
        return norm(conv(x), mask)
    return conv.convolve(x, *folded)


def in_place(function: Callable[..., Tensor], x: Tensor) -> Tensor:
    """Apply an activation, in the memory of its input if no gradients are needed."""
    return function(x, inplace=not torch.is_grad_enabled())
