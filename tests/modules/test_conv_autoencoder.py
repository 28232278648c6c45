"""The autoencoder's network: published sizes, exact mirrors, clips that differ in length."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sklearn_speech.modules.conv_autoencoder import ConvAutoencoderNet
from sklearn_speech.modules.spectrogram_cnn import SpectrogramCNNNet

#: The stacked network of the digit images: all kernels 6 by 6, stride 2, no padding.
IMAGES = {
    "kernel_size": 6,
    "padding": "valid",
    "batch_norm": False,
    "mirror": "kernel",
    "output_activation": "relu",
    "input_norm": None,
}

#: The network of the sound autoencoder: pooling and upsampling, one more convolution on the way up.
SOUND = {
    "n_filters": [16, 8, 8],
    "down": "pool",
    "batch_norm": False,
    "extra_conv": True,
    "output_activation": "sigmoid",
    "input_norm": None,
}

pairs = st.tuples(st.integers(1, 6), st.integers(1, 6))
layers = st.fixed_dictionaries(
    {
        "n_layers": st.integers(1, 3),
        "kernel_size": pairs,
        "stride": st.tuples(st.integers(1, 3), st.integers(1, 3)),
        "padding": st.sampled_from(["same", "valid", 1, (0, 2)]),
        "down": st.sampled_from(["stride", "pool"]),
        "extra_conv": st.booleans(),
    }
)


def n_parameters(module):
    return sum(p.numel() for p in module.parameters())


@pytest.mark.parametrize(("n_layers", "count"), [(1, 1169), (2, 38_081), (3, 125_185)])
def test_the_stacked_network_of_digit_images_has_its_published_size(n_layers, count):
    net = ConvAutoencoderNet(64, 64, n_layers, [16, 32, 32][:n_layers], **IMAGES)
    assert n_parameters(net) == count
    assert net(torch.rand(1, 64, 64)).shape == (1, 64, 64)


def test_mirrored_kernels_grow_by_the_rest_that_the_stride_left():
    net = ConvAutoencoderNet(64, 64, 3, [16, 32, 32], **IMAGES)
    assert [size for size, _ in net.sizes(64)] == [64, 30, 13, 4]
    assert [m.deconv.kernel_size for m in net.mirrors] == [(6, 6), (6, 6), (7, 7)]
    # the rests of the two axes may differ
    net = ConvAutoencoderNet(64, 60, 3, [16, 32, 32], **IMAGES)
    assert [m.deconv.kernel_size for m in net.mirrors] == [(6, 6), (6, 6), (7, 6)]


def test_the_network_of_sound_has_its_published_size():
    net = ConvAutoencoderNet(128, 48, 3, **SOUND)
    assert n_parameters(net) == 4385
    assert net.encode(torch.rand(1, 128, 48))[0].numel() == 768
    rebuilt = net(torch.rand(2, 128, 48))
    assert rebuilt.shape == (2, 128, 48)
    assert 0 <= rebuilt.min() <= rebuilt.max() <= 1


@settings(max_examples=60, deadline=None)
@given(
    st.integers(1, 40), st.integers(1, 40), layers, st.sampled_from(["kernel", "output_padding"])
)
def test_any_size_is_mirrored_exactly(n_bands, n_frames, options, mirror):
    net = ConvAutoencoderNet(n_bands, n_frames, n_filters=2, mirror=mirror, **options).eval()
    assert net(torch.rand(2, n_bands, n_frames)).shape == (2, n_bands, n_frames)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(1, 20),
    st.lists(st.integers(1, 30), min_size=2, max_size=4),
    layers,
    st.sampled_from([None, "batch", "clip", "band"]),
)
def test_reconstruction_of_a_clip_is_the_same_in_a_padded_batch(
    n_bands, lengths, options, input_norm
):
    net = ConvAutoencoderNet(n_bands, None, n_filters=3, input_norm=input_norm, **options).eval()
    x = torch.zeros(len(lengths), n_bands, max(lengths))
    for i, n in enumerate(lengths):
        x[i, :, :n] = torch.randn(n_bands, n) * (i + 1)
    code, code_frames = net.encode(x, torch.tensor(lengths))
    together = net(x, torch.tensor(lengths))
    for i, n in enumerate(lengths):
        alone = x[i : i + 1, :, :n]
        torch.testing.assert_close(net(alone)[0], together[i, :, :n], atol=5e-5, rtol=1e-4)
        torch.testing.assert_close(
            net.encode(alone)[0][0], code[i, :, :, : code_frames[i]], atol=5e-5, rtol=1e-4
        )
        assert not together[i, :, n:].any()


@settings(max_examples=40, deadline=None)
@given(layers, st.integers(1, 9))
@example(
    {"n_layers": 1, "kernel_size": (1, 1), "stride": (1, 2), "padding": (0, 2), "down": "pool"}, 2
)
def test_least_frames_is_the_smallest_number_with_such_a_code(options, code_frames):
    net = ConvAutoencoderNet(8, None, n_filters=2, **options)
    matching = [n for n in range(1, 400) if net.sizes(n)[-1][1] == code_frames]
    if matching:
        assert net.least_frames(code_frames) == matching[0]


@pytest.mark.parametrize("kind", ["batch", "clip", "band"])
def test_clip_ranges_invert_the_input_normalisation(kind):
    net = ConvAutoencoderNet(6, None, 1, 2, input_norm=kind).eval()
    x, lengths = torch.randn(4, 6, 9) * 3 + torch.arange(6.0)[:, None], torch.tensor([9, 4, 1, 7])
    x = x * (torch.arange(9) < lengths[:, None])[:, None]
    net.calibrate(lambda: [(x, lengths)])
    shift, spread = net.clip_ranges(x, lengths)
    back = net.input_norm(x, lengths) * spread + shift
    for i, n in enumerate(lengths):
        torch.testing.assert_close(back[i, :, :n], x[i, :, :n], atol=1e-4, rtol=1e-4)


def test_calibration_finds_mean_and_variance_of_each_band_without_padding():
    net = ConvAutoencoderNet(3, None, 1, 2, input_norm="batch")
    x, lengths = torch.randn(5, 3, 8) * 2 - 4, torch.tensor([8, 3, 5, 1, 8])
    net.calibrate(lambda: [(x[:2], lengths[:2]), (x[2:], lengths[2:])])
    frames = torch.cat([clip[:, :n] for clip, n in zip(x, lengths)], dim=1)
    torch.testing.assert_close(net.input_norm.norm.running_mean, frames.mean(1))
    torch.testing.assert_close(net.input_norm.norm.running_var, frames.var(1, correction=0))
    torch.testing.assert_close(net.typical_shift[:, 0], frames.mean(1))


def test_encoder_stages_are_those_of_the_classifier():
    net = ConvAutoencoderNet(12, 17, 2, 4, input_norm=None).eval()
    classifier = SpectrogramCNNNet(
        12, 17, 3, n_layers=0, input_norm=None, first_stages=net.stage_settings
    ).eval()
    classifier.stages.load_state_dict(net.stages.state_dict())
    x = torch.randn(2, 12, 17)
    assert torch.equal(classifier.encode(x)[0], net.encode(x)[0])


@pytest.mark.parametrize("masking", [0.25, 0.75])
def test_masking_hides_the_given_share_of_whole_patches(masking):
    net = ConvAutoencoderNet(32, 64, 1, 2, masking=masking, mask_size=(4, 8), input_norm=None)
    seen = net.corrupt(torch.ones(200, 1, 32, 64))
    assert set(seen.unique().tolist()) == {0.0, 1.0}
    patches = seen.view(200, 8, 4, 8, 8).transpose(2, 3).flatten(3)
    assert torch.equal(patches.amin(3), patches.amax(3))
    assert (seen == 0).float().mean().item() == pytest.approx(masking, abs=0.02)


def test_noise_has_the_given_level_and_leaves_padding_unchanged():
    net = ConvAutoencoderNet(16, None, 1, 2, noise=0.5, input_norm=None)
    clean = 3 * torch.randn(50, 1, 16, 40)
    clean[:, :, :, 30:] = 0
    added = net.corrupt(clean, torch.full((50,), 30)) - clean
    deviation = clean.flatten(1).std(1, correction=0).mean().item()
    assert added[..., :30].std().item() == pytest.approx(0.5 * deviation, rel=0.03)
    assert not added[..., 30:].any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mirror": "kernel", "n_frames": None}, "mirror='kernel' makes kernels for clips of one"),
        ({"n_filters": [3]}, "n_filters=.* has 1 entries, but there are 2 layers"),
        ({"stride": [2, 2, 2], "down": "pool"}, "stride=.* has 3 entries"),
        ({"down": "up"}, "down='up'"),
        ({"mirror": "glass"}, "mirror='glass'"),
        ({"output_activation": "tanh"}, "activation='tanh'"),
        ({"mask_size": 0}, "mask_size=0"),
    ],
)
def test_errors_name_impossible_settings(options, message):
    with pytest.raises(ValueError, match=message):
        ConvAutoencoderNet(**{"n_bands": 8, "n_frames": 9, "n_layers": 2, **options})


def test_a_network_of_fixed_size_refuses_other_lengths():
    net = ConvAutoencoderNet(8, 10, 1, 2, mirror="kernel")
    with pytest.raises(ValueError, match="built for clips of 10 frames, got clips of 9"):
        net(torch.rand(1, 8, 9))
    with pytest.raises(ValueError, match=r"got clips of 4, 10"):
        net(torch.rand(2, 8, 10), torch.tensor([10, 4]))
