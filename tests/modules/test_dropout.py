"""Dropout: shares, scale, seeds."""

import pytest
import torch

from sklearn_speech.modules.dropout import Dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_drops_its_share_and_keeps_the_mean(p):
    torch.manual_seed(0)
    x = torch.ones(1000, 1001)
    y = Dropout(p)(x)
    share = (y == 0).float().mean().item()
    assert share == pytest.approx(p, abs=5 * (p * (1 - p) / x.numel()) ** 0.5 + 2**-17)
    assert y.unique().tolist() == pytest.approx([0, 1 / (1 - p)], rel=2e-4)


def test_neighbours_are_dropped_independently():
    torch.manual_seed(0)
    kept = (Dropout(0.5)(torch.ones(400_000)) != 0).double()
    for lag in (1, 2, 3, 4, 5):
        together = (kept[:-lag] * kept[lag:]).mean().item()
        assert together == pytest.approx(0.25, abs=0.004)


def test_drops_in_training_only_and_reproducibly():
    x = torch.randn(3, 5, 7)
    layer = Dropout(0.5)
    torch.manual_seed(1)
    first = layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)
    assert layer.eval()(x) is x


def test_gradients_are_zero_exactly_where_elements_are_dropped():
    x = torch.randn(64, requires_grad=True)
    y = Dropout(0.25)(x)
    y.sum().backward()
    assert torch.equal(x.grad != 0, y != 0)


@pytest.mark.parametrize("shape", [(0, 3), (1,), (2, 3, 5)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_any_shape_and_dtype_is_allowed(shape, dtype):
    y = Dropout(0.3)(torch.ones(shape, dtype=dtype))
    assert y.shape == shape and y.dtype == dtype


@pytest.mark.parametrize("p", [-0.1, 1.0, 2])
def test_invalid_probabilities_are_refused(p):
    with pytest.raises(ValueError, match=f"p={p}: expected a probability"):
        Dropout(p)


def test_the_memory_format_is_kept():
    x = torch.ones(2, 3, 5, 7).contiguous(memory_format=torch.channels_last)
    y = Dropout(0.5)(x)
    assert y.shape == x.shape and y.is_contiguous(memory_format=torch.channels_last)
