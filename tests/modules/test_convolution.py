"""Convolutions with other weights, alone and followed by a batch norm."""

import pytest
import torch
from torch.nn import functional as F

from sklearn_speech.modules.convolution import Conv1d, Conv2d, in_place, normalised
from sklearn_speech.modules.masked_norm import MaskedBatchNorm
from sklearn_speech.modules.separable import (
    DepthwiseConv1d,
    FrequencyConv2d,
    PointwiseConv1d,
    PointwiseConv2d,
)
from sklearn_speech.modules.waveform_cnn import SameConv1d

LAYERS = [
    Conv1d(4, 6, 3, stride=2, padding=1, dilation=2, groups=2),
    Conv2d(4, 6, (5, 3), stride=(2, 1), padding=(2, 1)),
    SameConv1d(4, 6, 3, bias=True),
    SameConv1d(4, 6, 4, bias=False),
    DepthwiseConv1d(4, 3, dilation=2),
    FrequencyConv2d(4, 3, stride=2),
    PointwiseConv1d(4, 6),
    PointwiseConv2d(4, 6),
]


def name_of(layer):
    return f"{type(layer).__name__}{layer.kernel_size}"


def clips_for(layer):
    return torch.randn((2, 4, 9, 7)[: layer.weight.dim()])


@pytest.mark.parametrize("layer", LAYERS, ids=name_of)
def test_other_weights_act_like_ones_own(layer):
    x, weight = clips_for(layer), torch.randn_like(layer.weight)
    bias = torch.randn(len(weight))
    convolve = F.conv1d if weight.dim() == 3 else F.conv2d
    if layer.kernel_size == (4,):
        expected = convolve(F.pad(x, (1, 2)), weight, bias)
    else:
        expected = convolve(
            x, weight, bias, layer.stride, layer.padding, layer.dilation, layer.groups
        )
    torch.testing.assert_close(layer.convolve(x, weight, bias), expected)
    with torch.no_grad():
        torch.testing.assert_close(layer.convolve(x, weight, bias), expected)


@pytest.mark.parametrize("layer", LAYERS, ids=name_of)
def test_a_normalised_convolution_is_the_same_in_one_operation(layer):
    x, norm = clips_for(layer), MaskedBatchNorm(layer.out_channels)
    norm(3 * layer(x) + 1)  # statistics of one batch
    norm.eval()
    expected = normalised(layer, norm, x, None)
    torch.testing.assert_close(expected, norm(layer(x)))
    with torch.no_grad():
        torch.testing.assert_close(normalised(layer, norm, x, None), expected, rtol=1e-5, atol=1e-5)


def test_an_activation_needs_no_memory_without_gradients():
    x = torch.tensor([-1.0, 2.0])
    assert in_place(F.relu, x) is not x and x[0] == -1
    with torch.no_grad():
        assert in_place(F.relu, x).data_ptr() == x.data_ptr()
    assert x.tolist() == [0, 2]
