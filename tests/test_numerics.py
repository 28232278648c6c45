"""Every augmentation, front end and network on the borders of what clips can be.

Results are never NaN and never infinite, in any dtype, whatever torch's default dtype is.
"""

import inspect

import numpy as np
import pytest
import torch

from sklearn_speech.augmentation import AddNoise, BackgroundNoise
from sklearn_speech.utils.validation import make_ragged
from tests.members import (
    AUGMENTATIONS,
    FRONT_END_CLASSES,
    FRONT_ENDS,
    NETWORKS,
    RATE,
    apply,
    label,
    settings,
)

N = 200
TIMES = torch.arange(N) / RATE
TONE = 0.3 * torch.sin(2 * torch.pi * 440 * TIMES)


def click(height):
    x = torch.zeros(3, N)
    x[:, 7] = height
    return x


#: Batches of waveforms, by what they are.
WAVEFORMS = {
    "silence": torch.zeros(3, N),
    "constant": torch.full((3, N), 0.5),
    "one sample": torch.tensor([[0.3], [0.0], [-1.0]]),
    "two samples": torch.tensor([[0.3, 0.0], [0.0, 0.0], [-1.0, 1.0]]),
    "denormal": torch.full((3, N), 1e-40),
    "squares underflow": 1e-25 * TONE.expand(3, -1),
    "denormal click": click(1e-42),
    "full scale": torch.sign(TONE).expand(3, -1),
    "far beyond full scale": (900 * torch.sign(TONE)).expand(3, -1),
    "one clip": TONE[None],
    "silence beside a tone": torch.stack([torch.zeros(N), TONE, 1e-30 * TONE]),
}
#: Batches of log-scaled spectrograms.
SPECTROGRAMS = {
    "silence": torch.zeros(3, 12, 20),
    "constant": torch.full((3, 12, 20), -80.0),
    "one frame": torch.linspace(-80, 0, 36).view(3, 12, 1),
    "denormal": torch.full((3, 12, 20), 1e-40),
    "single frame that sounds": torch.full((3, 12, 20), -100.0).index_fill(
        2, torch.tensor([4]), 0.0
    ),
    "widest range": torch.linspace(-400, 300, 3 * 12 * 20).view(3, 12, 20),
    "one clip": torch.linspace(-80, 0, 240).view(1, 12, 20),
}
#: Valid steps of three padded clips, as shares of the width.
SHARES = torch.tensor([1.0, 0.5, 0.0])


def ragged(x, shortest=1):
    """The batch cut to clips of other lengths, the last of the shortest."""
    lengths = (SHARES[: len(x)] * x.shape[-1]).long().clamp(min=shortest)
    inside = torch.arange(x.shape[-1]) < lengths[:, None]
    return torch.where(inside.view(len(x), *[1] * (x.dim() - 2), -1), x, 0.0), lengths


#: Torch's default dtype and that of the clips.
DTYPES = {
    "single": (torch.float32, torch.float32),
    "double clips": (torch.float32, torch.float64),
    "default of double": (torch.float64, torch.float32),
}


@pytest.fixture(params=DTYPES)
def dtype(request):
    before = torch.get_default_dtype()
    default, of_clips = DTYPES[request.param]
    torch.set_default_dtype(default)
    yield of_clips
    torch.set_default_dtype(before)


# Augmentations


@pytest.mark.parametrize("aug", AUGMENTATIONS, ids=label)
def test_augmented_clips_are_finite_and_their_padding_is_zero(aug, dtype):
    batches = WAVEFORMS if aug.domain == "waveform" else SPECTROGRAMS
    for name, x in batches.items():
        x = x.to(dtype)
        for clips, lengths in ((x, None), ragged(x)):
            y, new = apply(aug, clips, lengths, torch.Generator().manual_seed(0))
            assert y.dtype == dtype, name
            assert y.shape == clips.shape, name
            assert torch.isfinite(y).all(), name
            if lengths is not None:
                assert ((new >= 1) & (new <= x.shape[-1])).all(), name
                assert all(not clip[..., n:].any() for clip, n in zip(y, new)), name


@pytest.mark.parametrize("aug", AUGMENTATIONS, ids=label)
def test_the_default_dtype_changes_no_augmented_clip(aug):
    x = (WAVEFORMS if aug.domain == "waveform" else SPECTROGRAMS)["one clip"].repeat_interleave(
        4, 0
    )
    single = apply(aug, x, None, torch.Generator().manual_seed(0))[0]
    torch.set_default_dtype(torch.float64)
    try:
        double = apply(aug, x, None, torch.Generator().manual_seed(0))[0]
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(single, double)


@pytest.mark.parametrize(
    "aug", [aug for aug in AUGMENTATIONS if aug.domain == "waveform"], ids=label
)
def test_silence_stays_silent(aug):
    assert not apply(aug, torch.zeros(3, N))[0].any()


@pytest.mark.parametrize("level", [1e-40, 1e-30, 1e-20, 1.0, 1e20])
@pytest.mark.parametrize("signal", [1e-35, 1e-20, 1.0, 1e18])
def test_the_ratio_to_noise_holds_at_any_level(level, signal):
    """In float64, where the sum and its difference are exact enough to measure."""
    noise = np.zeros(90, dtype=np.float32)
    noise[5] = level  # shorter than the clip and nearly empty
    x = signal * TONE[None].double()
    for aug in (AddNoise((10, 10)), BackgroundNoise([noise], snr_db=(10, 10))):
        added = (aug(x)[0] - x) / signal
        assert (x / signal).square().sum() / added.square().sum() == pytest.approx(10, rel=1e-3)


def test_an_empty_piece_of_noise_adds_nothing():
    aug = BackgroundNoise([np.zeros(30), np.zeros(9)], snr_db=(-50, -50))
    for x in WAVEFORMS.values():
        assert torch.equal(aug(x)[0], x)


# Front ends


@pytest.mark.parametrize("front_end", FRONT_ENDS, ids=str)
def test_features_are_finite_and_a_network_computes_the_same(front_end, dtype):
    layer = front_end.to_module()
    for name, x in WAVEFORMS.items():
        for clips, lengths in ((x, None), ragged(x)):
            X = clips.to(dtype).numpy()
            if lengths is not None:
                X = make_ragged(clip[:n] for clip, n in zip(X, lengths))
            S = front_end.fit(X).transform(X)
            inside = layer(clips, lengths)
            assert inside.dtype == torch.float32, name
            assert torch.isfinite(inside).all(), name
            for spectrogram, same in zip(S, inside.numpy()):
                assert spectrogram.dtype == X[0].dtype, name
                assert np.isfinite(spectrogram).all(), name
                if dtype == torch.float32:
                    same = same[:, : spectrogram.shape[1]]
                    np.testing.assert_allclose(spectrogram, same, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("cls", FRONT_END_CLASSES, ids=lambda cls: cls.__name__)
def test_trained_front_ends_have_finite_gradients(cls, dtype):
    for setting in settings(cls):
        front_end = cls(**setting)
        layer = front_end.to_module(train_stft=True, train_mel="n_mels" in setting_names(cls))
        for name, x in WAVEFORMS.items():
            for clips, lengths in ((x, None), ragged(x)):
                layer.zero_grad()
                layer(clips.to(dtype), lengths).mean().backward()
                for parameter in layer.parameters():
                    assert torch.isfinite(parameter.grad).all(), (name, setting)


def setting_names(cls):
    return inspect.signature(cls).parameters


# Networks


def reads_waveforms(network):
    cls, setting = network
    return "n_times" in setting or hasattr(cls, "sample_rate")


def built(cls, setting, x, dtype):
    sizes = {"n_times": x.shape[-1], "n_frames": x.shape[-1]}
    setting = {name: sizes.get(name, value) for name, value in setting.items()}
    torch.manual_seed(0)
    return cls(**setting).to(dtype)


@pytest.mark.parametrize("network", NETWORKS, ids=label)
def test_outputs_and_gradients_are_finite(network, dtype):
    batches = WAVEFORMS if reads_waveforms(network) else SPECTROGRAMS
    shortest = getattr(network[0], "window_length", 1)
    usual = dtype == torch.get_default_dtype()
    for name, x in batches.items():
        if not usual and name not in ("constant", "one clip"):
            continue  # values that need care need it in single precision
        if shortest > 1:  # a longer clip of the same kind
            x = x.repeat(1, 1 + 2 * shortest // x.shape[1])
        x = x.to(dtype)
        net = built(*network, x, dtype)
        for clips, lengths in ((x, None), ragged(x, shortest)):
            for training in (True, False):
                net.train(training)
                try:
                    y = net(clips) if lengths is None else net(clips, lengths)
                except ValueError as error:  # networks of one length say so
                    assert lengths is not None and "was built for clips of" in str(error), name
                    continue
                assert y.dtype == dtype, name
                # phones have probability 0 in the padding
                y = y[y != -torch.inf] if "n_phones" in network[1] and lengths is not None else y
                assert torch.isfinite(y).all(), name
                if training:
                    net.zero_grad()
                    torch.tanh(y).sum().backward()
                    for parameter in net.parameters():
                        assert torch.isfinite(parameter.grad).all(), name
        for buffer in net.buffers():
            assert torch.isfinite(buffer).all(), name
