import pytest
import torch
from torch.nn import functional as F

from sklearn_speech.modules.spectrogram_linear import SpectrogramLinearNet


def test_is_one_matrix_product_on_the_flattened_bands_and_frames():
    net = SpectrogramLinearNet(4, 5, 3, input_norm=None)
    x = torch.randn(2, 4, 5)
    expected = x.reshape(2, 20) @ net.linear.weight.T + net.linear.bias
    torch.testing.assert_close(net(x), expected)


def test_network_can_overfit_forty_clips_and_trains_every_parameter():
    x, y = torch.randn(40, 10, 8), torch.arange(40) % 4
    net = SpectrogramLinearNet(10, 8, 4)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-1)
    for _ in range(100):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        assert all(p.grad.any() for p in net.parameters())
        optimizer.step()
        if (net(x).argmax(1) == y).all():
            break
    assert (net.eval()(x).argmax(1) == y).all()


def test_clips_of_another_length_are_refused():
    with pytest.raises(ValueError, match="SpectrogramLinearNet needs clips of one length"):
        SpectrogramLinearNet(40, None, 3)
    net = SpectrogramLinearNet(4, 9, 3)
    with pytest.raises(ValueError, match="SpectrogramLinearNet was built for clips of 9 frames"):
        net(torch.zeros(1, 4, 8))
    with pytest.raises(ValueError, match="got clips of 3, 9"):
        net(torch.zeros(2, 4, 9), torch.tensor([9, 3]))


def test_an_input_of_one_frame_may_lack_the_frame_axis():
    net = SpectrogramLinearNet(4, 1, 3)
    x = torch.randn(2, 4)
    torch.testing.assert_close(net(x), net(x[:, :, None]))
