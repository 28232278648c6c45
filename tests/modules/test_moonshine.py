"""The architecture of the encoder of Moonshine, with random weights."""

import math

import numpy as np
import pytest
import torch

from sklearn_speech.modules.moonshine import MoonshineEncoderNet, _rotated, _rotation


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return MoonshineEncoderNet().eval()


def noise(n_times, n_clips=1):
    rng = np.random.default_rng(n_times)
    return torch.from_numpy(rng.normal(scale=0.1, size=(n_clips, n_times)).astype(np.float32))


@pytest.mark.parametrize("n_times", [895, 1278, 1279, 16000])
def test_a_vector_needs_a_window_and_each_further_one_a_hop(net, n_times):
    with torch.no_grad():
        assert net(noise(n_times)).shape == (1, 288, 1 + (n_times - 895) // 384)


def test_clips_of_a_batch_do_not_depend_on_each_other(net):
    x = noise(4000, 3)
    with torch.no_grad():
        torch.testing.assert_close(net(x), torch.cat([net(clip[None]) for clip in x]))


def test_every_vector_sees_the_whole_clip(net):
    x = noise(8000)
    changed = x.clone()
    changed[:, :500] = 0
    with torch.no_grad():
        assert (net(x) - net(changed))[:, :, -1].abs().max() > 1e-5


def test_products_of_rotated_vectors_depend_on_their_distance_alone():
    rng = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 1, 1, 1, 36, generator=rng, dtype=torch.float64)
    rotation = _rotation(torch.zeros(1, 50, 288, dtype=torch.float64))
    turned = [_rotated(x.expand(1, 1, 50, 36), rotation)[0, 0] for x in (query, key)]
    products = turned[0] @ turned[1].T
    for distance in (-7, 0, 3):
        diagonal = products.diagonal(distance)
        torch.testing.assert_close(diagonal, diagonal[:1].expand_as(diagonal))
    assert not math.isclose(products[0, 0], products[0, 3], rel_tol=1e-3)
    torch.testing.assert_close(turned[0].norm(dim=1), query.flatten().norm().expand(50))


def test_positions_of_long_clips_stay_exact_in_mixed_precision(net):
    x = torch.zeros(1, 800, 288)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(_rotation(x.bfloat16()), _rotation(x), rtol=0, atol=0)


@pytest.mark.parametrize("n_layers", [1, 3, 5])
def test_first_layers_are_those_of_the_whole_network(net, n_layers):
    first = MoonshineEncoderNet(n_layers).load_weights(net.state_dict()).eval()
    states = []
    hook = net.layers[n_layers - 1].register_forward_hook(lambda *found: states.append(found[2]))
    with torch.no_grad():
        net(noise(4000))
        torch.testing.assert_close(first(noise(4000)), states[0].transpose(1, 2))
    hook.remove()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.pop("layers.2.key.weight"), r"layers\.2\.key\.weight of .*, got none"),
        (
            lambda w: w.update({"norm.bias": torch.zeros(3)}),
            r"norm\.bias of shape \(288,\), got \(3,\)",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(net, change, said):
    weights = dict(net.state_dict())
    change(weights)
    with pytest.raises(ValueError, match=said):
        MoonshineEncoderNet().load_weights(weights)


@pytest.mark.parametrize("n_layers", [0, 7])
def test_there_are_six_layers(n_layers):
    with pytest.raises(ValueError, match=rf"n_layers={n_layers}: the Moonshine encoder has 1 to 6"):
        MoonshineEncoderNet(n_layers)
