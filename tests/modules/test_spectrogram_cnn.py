import numpy as np
import pytest
import torch
from torch.nn import functional as F

from sklearn_speech.modules.conv_stage import ConvStage, per_layer
from sklearn_speech.modules.input_norm import InputNorm
from sklearn_speech.modules.spectrogram_cnn import SpectrogramCNNNet


def _count(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("filters", "published"), [([16, 32], 73_146), ([16, 32, 32], 61_082)])
def test_networks_of_the_mel_image_system_have_their_published_size(filters, published):
    net = SpectrogramCNNNet(
        64, 64, 10, n_layers=len(filters), n_filters=filters, kernel_size=6, stride=2,
        padding="valid", pool_size=1, batch_norm=False, head="flatten", input_norm=None,
    )  # fmt: skip
    assert _count(net) == published


def test_same_padding_keeps_the_size_also_with_even_kernels():
    stage = ConvStage(1, 2, kernel_size=4, stride=1)
    assert stage(torch.zeros(1, 1, 10, 7))[0].shape == (1, 2, 10, 7)


@pytest.mark.parametrize("kernel_size", [2, 3, 4, (5, 2)])
@pytest.mark.parametrize("stride", [1, 2, (1, 3)])
@pytest.mark.parametrize("padding", ["same", "valid", 1])
@pytest.mark.parametrize("pool_size", [1, 2, (3, 1)])
@pytest.mark.parametrize("size", [(1, 1), (5, 9), (12, 4)])
def test_announced_sizes_equal_output_sizes(kernel_size, stride, padding, pool_size, size):
    stage = ConvStage(1, 2, kernel_size, stride, padding, pool_size)
    out, _ = stage(torch.zeros(1, 1, *size))
    assert out.shape[2:] == (stage.out_bands(size[0]), stage.out_frames(size[1]))


SETTINGS = [
    {},
    {"stride": 1, "pool_type": "mean"},
    {"kernel_size": 4, "stride": 2, "padding": "valid", "pool_size": 1},
    {"head": "max", "input_norm": "band"},
    {"head": "mean", "input_norm": "batch", "pool_size": (2, 3), "padding": 1},
    {"head": "bands", "pool_size": [2, 2, (1, 2)]},
]


@pytest.mark.parametrize("settings", SETTINGS)
def test_output_of_a_clip_is_the_same_in_a_padded_batch(settings):
    net = SpectrogramCNNNet(12, None, 3, n_layers=3, n_filters=[4, 5, 6], **settings)
    lengths = torch.tensor([30, 1, 7, 18, 2])
    clips = [torch.randn(12, n) for n in lengths.tolist()]
    batch = torch.zeros(5, 12, 30)
    for row, clip in zip(batch, clips):
        row[:, : clip.shape[1]] = clip
    net(batch, lengths)  # replace the initial statistics of batch norm
    net.eval()
    together = net(batch, lengths)
    alone = torch.cat([net(clip[None]) for clip in clips])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_clips", [1, 2, 30])
@pytest.mark.parametrize("n_frames", [1, 2, 3, 4, 9, 40])
@pytest.mark.parametrize("n_bands", [1, 5, 40])
def test_layout_changes_no_gradient(n_bands, n_frames, n_clips):
    # channels last is faster, but torch 2.13 then reads memory that it never wrote in some
    # backward passes, such as that of batch norm on a view of a single clip
    x, y = torch.randn(n_clips, n_bands, n_frames), torch.arange(n_clips) % 2

    def gradients(layout):
        torch.manual_seed(0)
        net = SpectrogramCNNNet(n_bands, n_frames, 2, n_layers=2, n_filters=8).eval()
        net.stages.to(memory_format=layout)
        F.cross_entropy(net(x), y).backward()
        return [p.grad.contiguous() for p in net.parameters()]

    expected = gradients(torch.contiguous_format)
    for _ in range(3):
        nan_blocks = [torch.full((n,), float("nan")) for n in (72, 144, 576, 1000, 5000)]
        del nan_blocks
        for got, wanted in zip(gradients(torch.channels_last), expected):
            torch.testing.assert_close(got, wanted, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("padding", ["same", "valid", 1])
@pytest.mark.parametrize("stride", [(1, 2), (1, 3), (2, 2)])
@pytest.mark.parametrize("n_frames", [1, 3, 5, 6])
def test_strided_convolution_of_few_frames_equals_its_definition(n_frames, stride, padding):
    stage = ConvStage(1, 3, kernel_size=(2, 5), stride=stride, padding=padding)
    stage.to(memory_format=torch.channels_last)
    x = torch.randn(3, 1, 9, n_frames)
    (top, bottom), (left, right) = stage.pad
    missing = max(0, 5 - left - right - n_frames)
    padded = F.pad(x, (left, right + missing, top, bottom)).double()
    weight = stage.conv.weight.contiguous().double()
    expected = F.conv2d(padded, weight, stage.conv.bias.double(), stride).relu().float()
    torch.testing.assert_close(stage(x)[0], expected, rtol=1e-4, atol=1e-5)


def test_stages_work_channels_last():
    net = SpectrogramCNNNet(40, 30, 2, n_layers=2, stride=1)
    x = torch.randn(3, 1, 40, 30)
    for stage in net.stages:
        x, _ = stage(x)
        assert x.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(
    ("head", "by_hand"),
    [
        ("mean", lambda x: x.mean((1, 2))),
        ("max", lambda x: x.max((1, 2))),
        ("mean_max", lambda x: np.r_[x.mean((1, 2)), x.max((1, 2))]),
        ("bands", lambda x: np.r_[x.mean(2).ravel(), x.max(2).ravel()]),
        ("flatten", np.ravel),
    ],
)
def test_heads_match_their_definitions(head, by_hand):
    net = SpectrogramCNNNet(12, 20, 3, n_layers=2, head=head).eval()
    x = torch.randn(4, 12, 20)
    maps = net.encode(x)[0].detach().numpy()
    expected = net.dense(torch.from_numpy(np.stack([by_hand(clip) for clip in maps])))
    torch.testing.assert_close(net(x), expected)


def test_flattened_head_refuses_clips_of_other_lengths():
    net = SpectrogramCNNNet(8, 20, 2, n_layers=1, head="flatten")
    with pytest.raises(ValueError, match="built for clips of 20 frames, got clips of 21"):
        net(torch.zeros(1, 8, 21))
    with pytest.raises(ValueError, match=r"built for clips of 20 frames, got clips of 5, 20"):
        net(torch.zeros(2, 8, 20), torch.tensor([20, 5]))
    with pytest.raises(ValueError, match="needs clips of one length"):
        SpectrogramCNNNet(8, None, 2, head="flatten")


def test_lists_must_have_one_entry_per_layer():
    assert per_layer("stride", [(1, 2), 1], 2) == [(1, 2), 1]
    with pytest.raises(ValueError, match=r"n_filters=\[1, 2, 3\] has 3 entries.* 2 layers"):
        SpectrogramCNNNet(8, 20, 2, n_layers=2, n_filters=[1, 2, 3])


def test_dropout_and_hidden_layers_are_in_the_given_order():
    net = SpectrogramCNNNet(
        8, 20, 3, n_layers=1, n_filters=4, hidden_units=[7, 5], head_dropout=[0.1, 0.0, 0.5]
    )
    kinds = [type(layer).__name__ for layer in net.dense]
    assert kinds == ["Dropout", "Linear", "ReLU", "Linear", "ReLU", "Dropout", "Linear"]
    assert [layer.out_features for layer in net.dense if hasattr(layer, "out_features")] == [
        7,
        5,
        3,
    ]


@pytest.mark.parametrize("kind", ["clip", "band"])
def test_trailing_silence_does_not_change_the_normalisation_of_a_clip(kind):
    norm = InputNorm(12, kind)
    clip = torch.randn(3, 12, 40)
    clip[:, :, 5:9] = -8.0  # a pause, so that the quietest level is the same with padding
    padded = torch.cat([clip, torch.full((3, 12, 60), -8.0)], dim=2)
    torch.testing.assert_close(norm(padded)[:, :, :40], norm(clip))


@pytest.mark.parametrize("kind", ["clip", "band"])
def test_mixed_precision_does_not_change_the_normalisation_of_clips(kind):
    clip = 10 * torch.randn(3, 12, 40) - 60
    with torch.autocast("cpu", torch.bfloat16):
        mixed = InputNorm(12, kind)(clip)
    torch.testing.assert_close(mixed, InputNorm(12, kind)(clip), rtol=0, atol=0)


def test_clip_norm_removes_loudness_and_band_norm_the_response_of_the_microphone():
    clip = torch.randn(3, 12, 40)
    colour = torch.linspace(-3, 3, 12)[:, None]
    torch.testing.assert_close(InputNorm(12, "clip")(clip + 5), InputNorm(12, "clip")(clip))
    band = InputNorm(12, "band")
    torch.testing.assert_close(band(clip + colour), band(clip), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["clip", "band"])
def test_a_click_over_noise_is_not_amplified(kind):
    # the click is the only frame in the upper half of the levels: it has no deviation
    clip = torch.randn(1, 12, 40)
    clip[:, :, 7] = 30.0
    normalised = InputNorm(12, kind)(clip)
    assert normalised.abs().max() < 12
    assert normalised.std() > 0.1
