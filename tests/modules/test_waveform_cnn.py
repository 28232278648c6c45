import itertools

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from sklearn_speech.modules.loudness import equalize_loudness
from sklearn_speech.modules.waveform_cnn import WaveformCNNNet

#: The sampleCNN of "Audio recognition with raw waveforms and spectrograms".
SAMPLE_CNN = {
    "n_layers": 3,
    "n_filters": [16, 32, 64],
    "kernel_size": [2, 2, 1],
    "pool_size": [2, 2, 1],
    "first_filters": 16,
    "first_kernel_size": 256,
    "first_stride": 256,
    "residual": False,
    "bias": True,
    "batch_norm_eps": 1e-3,
    "batch_norm_momentum": 0.01,
    "head": "flatten",
    "head_dropout": 0.6,
    "equal_loudness": False,
}
#: The 3^9 network of arXiv 1703.01789.
SAMPLE_LEVEL = {
    "n_layers": 10,
    "n_filters": [128] * 2 + [256] * 6 + [512] * 2,
    "kernel_size": [3] * 9 + [1],
    "pool_size": [3] * 9 + [1],
    "first_filters": 128,
    "first_kernel_size": 3,
    "first_stride": 3,
    "residual": False,
    "bias": True,
    "head": "flatten",
    "head_dropout": 0.5,
}
SMALL = {"n_layers": 2, "n_filters": [8, 16], "first_kernel_size": 20, "first_stride": 5}


def count(module):
    return sum(p.numel() for p in module.parameters())


def test_sample_cnn_has_the_published_number_of_parameters():
    net = WaveformCNNNet(18262, 10, **SAMPLE_CNN)
    statistics = sum(b.numel() for b in net.buffers() if b.dim())
    assert (count(net), statistics) == (19_210 - 256, 256)
    assert net.out_steps(18262) * 64 == 1088


def test_sample_cnn_equals_the_published_layers():
    net = WaveformCNNNet(3000, 10, **SAMPLE_CNN)
    net(torch.randn(16, 3000))
    net.eval()
    x = torch.randn(3, 3000)

    def block(y, conv, norm):
        y = conv(y) if conv.kernel_size[0] != 2 else nn.Conv1d.forward(conv, F.pad(y, (0, 1)))
        mean, var = norm.running_mean[:, None], norm.running_var[:, None]
        y = norm.weight[:, None] * (y - mean) / (var + 1e-3).sqrt() + norm.bias[:, None]
        return y.clamp(min=0)

    y = block(x[:, None], net.first, net.first_norm)
    y = F.max_pool1d(block(y, net.stages[0].conv, net.stages[0].norm), 2)
    y = F.max_pool1d(block(y, net.stages[1].conv, net.stages[1].norm), 2)
    y = block(y, net.stages[2].conv, net.stages[2].norm)
    torch.testing.assert_close(net(x), net.classify(y.flatten(1)), rtol=1e-4, atol=1e-5)


def test_sample_level_network_reduces_3_to_the_10_samples_to_one_step():
    with torch.device("meta"):
        net = WaveformCNNNet(3**10, 50, **SAMPLE_LEVEL)
    assert net.out_steps(3**10) == 1
    widths = [1, 128, 128, 128] + [256] * 6 + [512]
    convs = sum(3 * a * b + 3 * b for a, b in itertools.pairwise(widths)) + 512 * 512 + 3 * 512
    assert count(net) == convs + 512 * 50 + 50


@pytest.mark.parametrize("head", ["mean", "max", "mean_max", "flatten"])
@pytest.mark.parametrize("residual", [True, False])
def test_gradient_reaches_every_parameter(residual, head):
    net = WaveformCNNNet(400, 3, residual=residual, head=head, **SMALL)
    F.cross_entropy(net(torch.randn(6, 400)), torch.tensor([0, 1, 2] * 2)).backward()
    assert [n for n, p in net.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("n_times", [1, 2, 19, 20, 80, 8000])
@pytest.mark.parametrize("head", ["mean_max", "flatten"])
def test_clips_of_any_length_down_to_one_sample_can_be_trained_on(n_times, head):
    net = WaveformCNNNet(n_times, 3, head=head)
    net(torch.randn(2, n_times)).sum().backward()
    assert net.eval()(torch.randn(1, n_times)).shape == (1, 3)


@pytest.mark.parametrize("head", ["mean", "max", "mean_max"])
@pytest.mark.parametrize("residual", [True, False])
@pytest.mark.parametrize("kernel_size, pool_size", [(3, 4), ([2, 5], [3, 1])])
def test_output_of_a_clip_is_the_same_in_a_padded_batch(kernel_size, pool_size, residual, head):
    net = WaveformCNNNet(
        None, 3, kernel_size=kernel_size, pool_size=pool_size, residual=residual, head=head, **SMALL
    )
    net(torch.randn(8, 500))
    net.eval()
    lengths = torch.tensor([1, 13, 21, 77, 200, 500])
    clips = [torch.randn(n) for n in lengths]
    batch = torch.randn(len(clips), 500)  # values in the padding must not matter
    for row, clip in zip(batch, clips):
        row[: len(clip)] = clip
    alone = torch.cat([net(clip[None]) for clip in clips])
    torch.testing.assert_close(net(batch, lengths), alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("residual", [True, False])
def test_padding_does_not_change_what_a_training_step_learns(residual):
    nets = [WaveformCNNNet(None, 3, residual=residual, **SMALL) for _ in range(2)]
    nets[1].load_state_dict(nets[0].state_dict())
    x, lengths, y = torch.randn(3, 300), torch.tensor([300, 200, 120]), torch.arange(3)
    F.cross_entropy(nets[0](x, lengths), y).backward()
    F.cross_entropy(nets[1](F.pad(x, (0, 400)), lengths), y).backward()
    for (name, p), q in zip(nets[0].named_parameters(), nets[1].parameters()):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-3, atol=1e-5, msg=name)
    for p, q in zip(nets[0].buffers(), nets[1].buffers()):
        torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)


def test_logits_do_not_depend_on_loudness_over_200_db():
    net = WaveformCNNNet(400, 3, **SMALL).eval()
    x = torch.randn(1, 400)
    gains = torch.tensor([1.0, 1e-8, 1e-3, 1e2]).unsqueeze(1)
    logits = net(x * gains)
    torch.testing.assert_close(logits, logits[:1].expand(4, 3), rtol=1e-4, atol=1e-5)
    assert torch.isfinite(net(torch.zeros(1, 400))).all()


def test_equal_loudness_ignores_silence_and_padding():
    x = torch.from_numpy(np.sin(np.arange(1, 101.0)))[None]
    alone = equalize_loudness(x)
    padded = equalize_loudness(F.pad(x, (50, 300)))
    torch.testing.assert_close(padded[:, 50:150], alone)
    noisy_padding = torch.cat([x, 5 * torch.ones(1, 10, dtype=x.dtype)], 1)
    cut = equalize_loudness(noisy_padding, torch.tensor([100]))
    torch.testing.assert_close(cut, F.pad(alone, (0, 10)))
    # a square wave has the same level by any definition: its amplitude
    square = equalize_loudness(0.2 * torch.sign(x))
    torch.testing.assert_close(square.abs(), torch.ones_like(square))


@pytest.mark.parametrize("residual", [True, False])
def test_network_can_overfit_forty_clips(residual):
    x, y = torch.randn(40, 300), torch.arange(40) % 4
    net = WaveformCNNNet(300, 4, residual=residual, **SMALL)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
    for _ in range(50):
        optimizer.zero_grad()
        F.cross_entropy(net(x), y).backward()
        optimizer.step()
    assert (net.eval()(x).argmax(1) == y).all()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"head": "mode"}, "head='mode'"),
        ({"n_filters": [1, 2]}, "n_filters"),
        ({"pool_size": [1] * 7}, "pool_size"),
    ],
)
def test_errors_name_wrong_parameters(arguments, message):
    with pytest.raises(ValueError, match=message):
        WaveformCNNNet(400, 3, n_layers=3, **arguments)


def test_a_flat_head_refuses_clips_of_other_lengths():
    with pytest.raises(ValueError, match="head='flatten' needs clips of one length"):
        WaveformCNNNet(None, 3, head="flatten")
    net = WaveformCNNNet(100, 3, head="flatten", **SMALL)
    with pytest.raises(ValueError, match="built for clips of 100 samples, got clips of 99"):
        net(torch.zeros(2, 99))
    with pytest.raises(ValueError, match="got clips of 7, 100"):
        net(torch.zeros(2, 100), torch.tensor([100, 7]))
