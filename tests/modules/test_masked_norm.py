"""Masked batch normalisation against torch, in several memory layouts, and folded."""

import pytest
import torch
from torch import nn

from sklearn_speech.modules.masked_norm import MaskedBatchNorm

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def pair(n_channels):
    """A fitted normalisation of ours, and torch's with the same numbers."""
    ours, theirs = MaskedBatchNorm(n_channels), nn.BatchNorm2d(n_channels)
    with torch.no_grad():
        ours.running_mean.normal_()
        ours.running_var.uniform_(0.5, 2)
        ours.weight.normal_()
        ours.bias.normal_()
    theirs.load_state_dict(ours.state_dict())
    return ours.eval(), theirs.eval()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(1, 6, 1, 2), (1, 6, 7, 1), (1, 6, 5, 4), (3, 6, 5, 4)])
def test_gradients_equal_those_of_torch(shape, layout):
    # torch 2.13 computes a wrong gradient for a channels-last view of a single clip
    ours, theirs = pair(6)
    upstream = torch.randn(shape)
    x, x_torch = (
        torch.randn(shape, generator=torch.Generator().manual_seed(0))
        .contiguous(memory_format=layout)
        .requires_grad_()
        for _ in range(2)
    )
    torch.testing.assert_close(ours(x), theirs(x_torch))
    ours(x).backward(upstream)
    theirs(x_torch).backward(upstream)
    torch.testing.assert_close(x.grad, x_torch.grad)


@pytest.mark.parametrize("conv", [nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 2, bias=False)])
def test_a_folded_convolution_equals_convolution_and_normalisation(conv):
    norm, _ = pair(4)
    x = torch.randn(2, 3, 6, 5)
    with torch.no_grad():
        weight, bias = norm.folded(conv)
        folded = nn.functional.conv2d(x, weight, bias)
        torch.testing.assert_close(folded, norm(conv(x)), rtol=1e-5, atol=1e-5)


def test_nothing_is_folded_with_gradients_hooks_groups_or_in_training():
    norm, conv = MaskedBatchNorm(4).eval(), nn.Conv2d(3, 4, 3)
    assert norm.folded(conv) is None  # gradients
    with torch.no_grad():
        assert norm.folded(conv) is not None
        for module in (norm, conv):
            hook = module.register_forward_hook(lambda *_: None)
            assert norm.folded(conv) is None
            hook.remove()
        assert MaskedBatchNorm(4, n_groups=2).eval().folded(nn.Conv2d(3, 4, 3)) is None
        assert norm.train().folded(conv) is None


def test_without_momentum_statistics_are_plain_means_as_in_torch():
    ours, theirs = MaskedBatchNorm(4, momentum=None), nn.BatchNorm2d(4, momentum=None)
    for _ in range(2):  # the second time after a reset
        for batch in torch.randn(25, 3, 4, 5, 6):
            ours(batch)
            theirs(batch)
        assert int(ours.num_batches_tracked) == 25
        torch.testing.assert_close(ours.running_mean, theirs.running_mean)
        torch.testing.assert_close(ours.running_var, theirs.running_var)
        ours.reset_running_stats()
        theirs.reset_running_stats()
