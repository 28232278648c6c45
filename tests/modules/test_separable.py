"""Convolutions for predictions against those of torch."""

import itertools

import pytest
import torch
from torch.nn import functional as F

from sklearn_speech.modules.bc_resnet import BCResNetNet
from sklearn_speech.modules.separable import (
    DepthwiseConv1d,
    FrequencyConv2d,
    PointwiseConv1d,
    PointwiseConv2d,
    depthwise,
)


@pytest.mark.parametrize("kernel_size", [1, 3, 5])
def test_a_sum_of_shifted_maps_is_a_depthwise_convolution(kernel_size):
    weight, bias = torch.randn(3, 1, kernel_size, 1), torch.randn(3)
    for n_steps, stride, dilation in itertools.product((1, 2, 3, 7, 20), (1, 2, 3), (1, 2, 8)):
        x, padding = torch.randn(2, 3, n_steps, 4), dilation * (kernel_size // 2)
        expected = F.conv2d(x, weight, bias, (stride, 1), (padding, 0), (dilation, 1), 3)
        torch.testing.assert_close(depthwise(x, weight, bias, stride, dilation), expected)


LAYERS = [
    (DepthwiseConv1d(4, 3, dilation=2), (2, 4, 9)),
    (FrequencyConv2d(4, 3, stride=2), (2, 4, 9, 5)),
    (PointwiseConv1d(4, 6), (2, 4, 9)),
    (PointwiseConv2d(4, 6), (2, 4, 9, 5)),
]


@pytest.mark.parametrize(("layer", "shape"), LAYERS, ids=lambda value: type(value).__name__)
def test_layers_predict_what_they_compute_in_training(layer, shape):
    x = torch.randn(shape)
    trained = layer(x)
    with torch.no_grad():
        torch.testing.assert_close(layer(x), trained)


@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_a_network_predicts_what_it_computes_with_gradients(variant):
    net = BCResNetNet(n_bands=40, n_frames=None, n_classes=3, variant=variant)
    net(3 * torch.randn(4, 40, 30) + 1)  # statistics of one batch
    x, lengths = torch.randn(2, 40, 21), torch.tensor([21, 8])
    for arguments in ((x,), (x, lengths)):
        expected = net.eval()(*arguments)
        with torch.no_grad():
            torch.testing.assert_close(net(*arguments), expected, rtol=1e-5, atol=1e-6)
