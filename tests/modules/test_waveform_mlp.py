import pytest
import torch
from torch.nn import functional as F

from sklearn_speech.modules.waveform_mlp import WaveformMLPNet


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_each_hidden_layer_has_a_matrix_and_a_bias():
    assert count(WaveformMLPNet(100, 10, hidden_units=[20, 30])) == 2020 + 630 + 310


def test_equals_two_matrix_products():
    net = WaveformMLPNet(50, 3, hidden_units=7, equal_loudness=False)
    x = torch.randn(4, 50)
    first, last = net.layers[0], net.layers[-1]
    hidden = (x @ first.weight.T + first.bias).clamp(min=0)
    torch.testing.assert_close(net(x), hidden @ last.weight.T + last.bias)


def test_logits_depend_on_loudness_only_without_equal_loudness():
    x = torch.randn(4, 50)
    net = WaveformMLPNet(50, 3)
    torch.testing.assert_close(net(0.01 * x), net(x))
    net.equal_loudness = False
    assert (net(0.01 * x) - net(x)).abs().max() > 0.01


def test_network_can_overfit_forty_clips_and_trains_every_parameter():
    x, y = torch.randn(40, 100), torch.arange(40) % 4
    net = WaveformMLPNet(100, 4)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(50):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        assert all(p.grad.any() for p in net.parameters())
        optimizer.step()
        if (net(x).argmax(1) == y).all():
            break
    assert (net.eval()(x).argmax(1) == y).all()


def test_clips_of_another_length_are_refused():
    with pytest.raises(ValueError, match="WaveformMLPNet needs clips of one length"):
        WaveformMLPNet(None, 3)
    with pytest.raises(ValueError, match="WaveformMLPNet was built for clips of 100 samples"):
        WaveformMLPNet(100, 3)(torch.zeros(1, 90))
    assert WaveformMLPNet(1, 3)(torch.ones(1, 1)).shape == (1, 3)
