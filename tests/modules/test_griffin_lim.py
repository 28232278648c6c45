import librosa
import numpy as np
import pytest
import torch
from scipy.signal import get_window

from sklearn_speech.modules.griffin_lim import MelConstraint, griffin_lim

RATE = 8000


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def voice(n_times=4000, dtype=np.float64, f0=120.0):
    """A harmonic tone of gliding pitch with a formant, and a little noise."""
    t = np.arange(n_times) / RATE
    phase = 2 * np.pi * np.cumsum(f0 * (1 + 0.2 * np.sin(2 * np.pi * 2 * t))) / RATE
    tones = sum(
        np.sin(k * phase) * (np.exp(-(((k * f0 - 600) / 400) ** 2)) + 0.02) for k in range(1, 25)
    )
    noise = np.random.default_rng(0).normal(scale=1e-3, size=n_times)
    return (0.2 * tones * np.hanning(n_times) + noise).astype(dtype)


def analyse(waveform, window, hop, center=True, pad_mode="reflect"):
    magnitude = np.abs(
        librosa.stft(
            np.asarray(waveform),
            n_fft=len(window),
            hop_length=hop,
            window=np.asarray(window),
            center=center,
            pad_mode=pad_mode,
        )
    )
    return torch.tensor(magnitude)


def mel_bank(n_fft, n_mels=40, dtype=torch.float64, **kwargs):
    bank = librosa.filters.mel(sr=RATE, n_fft=n_fft, n_mels=n_mels, dtype=np.float64, **kwargs)
    return torch.tensor(bank, dtype=dtype)


def decibel_error(wanted, got, power=2):
    """Mean absolute difference over the bins less than 80 dB below the clip's maximum."""
    wanted, got = (20 / power * np.log10(np.maximum(s, 1e-40)) for s in (wanted, got))
    audible = wanted > wanted.max() - 80
    return np.abs(wanted - got)[audible].mean()


@pytest.mark.parametrize("norm", [None, "slaney"])
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("center", [True, False])
def test_mel_energies_are_reproduced_within_a_decibel(center, power, norm):
    window = torch.hann_window(256, dtype=torch.float64)
    x, bank = voice(), mel_bank(256, norm=norm)
    target = bank @ analyse(x, window, 64, center) ** power
    y = griffin_lim(
        target[None],
        window,
        64,
        filterbank=bank,
        power=power,
        center=center,
        lengths=[len(x)],
        generator=seeded(),
    )[0]
    assert y.shape == x.shape
    got = bank @ analyse(y, window, 64, center) ** power
    assert decibel_error(target.numpy(), got.numpy(), power) < 0.6


def test_error_is_below_that_of_librosa_and_falls_with_iterations():
    window, x, bank = torch.hann_window(256), voice(dtype=np.float32), mel_bank(256).float()
    target = bank @ analyse(x, window, 64) ** 2
    baseline = librosa.feature.inverse.mel_to_audio(
        target.numpy(), sr=RATE, n_fft=256, hop_length=64, pad_mode="reflect", length=len(x)
    )

    def error(waveform):
        return decibel_error(target.numpy(), (bank @ analyse(waveform, window, 64) ** 2).numpy())

    def ours(n_iter):
        return griffin_lim(
            target[None],
            window,
            64,
            filterbank=bank,
            power=2,
            lengths=[len(x)],
            n_iter=n_iter,
            generator=seeded(),
        )[0]

    assert error(ours(100)) < error(ours(32)) < error(ours(4))
    assert error(ours(32)) < error(baseline)


@pytest.mark.parametrize("name", ["hann", "hamming", ("tukey", 0.5), "boxcar"])
@pytest.mark.parametrize("hop, win_length", [(64, 256), (50, 200), (100, 256)])
def test_known_magnitudes_are_approached_with_any_window(name, hop, win_length):
    window = torch.zeros(256, dtype=torch.float64)
    start = (256 - win_length) // 2
    window[start : start + win_length] = torch.tensor(get_window(name, win_length))
    x = voice()
    target = analyse(x, window, hop)
    errors = [
        float((analyse(y, window, hop) - target).norm() / target.norm())
        for y in (
            griffin_lim(target[None], window, hop, n_iter=n, lengths=[len(x)], generator=seeded())[
                0
            ]
            for n in (0, 60)
        )
    ]
    assert errors[1] < 0.35 * errors[0]
    assert errors[1] < 0.25


def test_true_spectra_are_left_unchanged():
    """The correction of exact spectra is a factor of 1."""
    power = torch.rand(2, 5, 129, dtype=torch.float64) + 0.1
    bank = mel_bank(256)
    gain = MelConstraint(bank).gain(power, power @ bank.T)
    assert torch.allclose(gain, torch.ones_like(gain))


def test_updates_never_increase_the_divergence_from_the_target():
    bank = mel_bank(256)
    target = torch.rand(1, 6, 129, dtype=torch.float64) @ bank.T

    def divergence(got):
        return float((target * (target / got).log() - target + got).sum())

    start = torch.rand(1, 6, 129, dtype=torch.float64)
    errors = [divergence(start @ bank.T)]
    for n in (1, 2, 5, 20):
        gain = MelConstraint(bank, n_updates=n).gain(start, target)
        errors.append(divergence((start * gain) @ bank.T))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 1e-2 * errors[0]


@pytest.mark.parametrize("frequency", [440.0, 1000.0, 2345.0])
def test_a_pure_tone_keeps_its_frequency_and_level(frequency):
    window, bank = torch.hann_window(512, dtype=torch.float64), mel_bank(512, n_mels=64)
    x = 0.3 * np.sin(2 * np.pi * frequency * np.arange(RATE) / RATE)
    known = analyse(x, window, 128)
    for options in ({"target": known}, {"target": bank @ known**2, "filterbank": bank, "power": 2}):
        target = options.pop("target")[None]
        y = griffin_lim(target, window, 128, lengths=[RATE], generator=seeded(), **options)[0]
        spectrum = np.abs(np.fft.rfft(y.numpy() * np.hanning(RATE)))  # 1 Hz a bin
        tolerance = 60 if options else 8
        assert abs(spectrum.argmax() - frequency) < tolerance
        assert 20 * np.log10(y.numpy().std() / x.std()) == pytest.approx(0, abs=1)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("pad_mode", ["reflect", "constant"])
def test_a_clip_in_a_padded_batch_equals_the_clip_alone(center, pad_mode):
    window, bank = torch.hann_window(256, dtype=torch.float64), mel_bank(256)
    lengths = [4000, 2500, 3100]
    mels = [bank @ analyse(voice(n), window, 64, center, pad_mode) ** 2 for n in lengths]
    n_frames = [mel.shape[1] for mel in mels]
    batch = torch.zeros(3, 40, max(n_frames), dtype=torch.float64)
    for row, mel in zip(batch, mels):
        row[:, : mel.shape[1]] = mel
    options = dict(filterbank=bank, power=2, center=center, pad_mode=pad_mode, n_iter=8)
    together = griffin_lim(
        batch, window, 64, n_frames=n_frames, lengths=lengths, generator=seeded(), **options
    )
    for row, mel, length in zip(together, mels, lengths):
        alone = griffin_lim(mel[None], window, 64, lengths=[length], generator=seeded(), **options)[
            0
        ]
        assert alone.shape == (length,)
        np.testing.assert_allclose(row[:length], alone, atol=1e-9)
        assert not row[length:].any()


def test_the_seed_determines_the_waveform():
    window, target = torch.hann_window(64), torch.rand(1, 33, 20)
    first, again = (griffin_lim(target, window, 16, generator=seeded(3)) for _ in range(2))
    other = griffin_lim(target, window, 16, generator=seeded(4))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_output_has_the_dtype_of_the_target_which_is_not_changed(dtype):
    bank = mel_bank(128, n_mels=12, dtype=dtype)
    target = torch.rand(1, 12, 9, dtype=dtype)
    before = target.clone()
    y = griffin_lim(target, torch.hann_window(128, dtype=dtype), 32, filterbank=bank, power=2)
    assert y.dtype == dtype
    assert torch.equal(target, before)


def test_levels_follow_the_target_at_any_scale():
    window = torch.hann_window(64)
    target = torch.rand(1, 33, 20)
    y, loud, soft = (
        griffin_lim(target * scale, window, 16, generator=seeded()) for scale in (1, 2**30, 2**-30)
    )
    torch.testing.assert_close(loud, y * 2**30)
    torch.testing.assert_close(soft, y * 2**-30)


def test_silence_gives_silence():
    bank = mel_bank(64, n_mels=8).float()
    target = torch.zeros(2, 8, 20)
    target[1, :, :10] = 1
    y = griffin_lim(target, torch.hann_window(64), 16, filterbank=bank, power=2)
    assert not y[0].any()
    assert torch.isfinite(y).all()
    assert y[1, :120].std() > 100 * y[1, 220:].std()


@pytest.mark.parametrize("wanted", [1, 100, 304, 310, 500])
def test_the_given_length_is_returned(wanted):
    y = griffin_lim(torch.rand(1, 33, 20), torch.hann_window(64), 16, lengths=[wanted])
    assert y.shape == (1, wanted)
    assert torch.isfinite(y).all()


@pytest.mark.parametrize("center, n_times", [(True, 19 * 16), (False, 19 * 16 + 64)])
def test_without_a_length_the_frames_determine_it(center, n_times):
    y = griffin_lim(torch.rand(1, 33, 20), torch.hann_window(64), 16, center=center)
    assert y.shape == (1, n_times)


@pytest.mark.parametrize("center", [True, False])
def test_one_frame_is_enough(center):
    y = griffin_lim(torch.rand(2, 33, 1), torch.hann_window(64), 16, center=center)
    assert y.shape[1] >= 1
    assert torch.isfinite(y).all()


@pytest.mark.parametrize("hop", [64, 65, 128])
def test_windows_that_leave_gaps_are_refused(hop):
    with pytest.raises(ValueError, match=f"hop_length={hop}"):
        griffin_lim(torch.rand(1, 33, 20), torch.hann_window(64), hop)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"target": torch.rand(1, 32, 5)}, r"expected \(n_clips, 33, n_frames\)"),
        ({"target": torch.rand(33, 5)}, r"expected \(n_clips, 33, n_frames\)"),
        ({"n_frames": [6]}, "numbers from 1 to 5"),
        ({"n_iter": -1}, "n_iter"),
        ({"momentum": 2.0}, "momentum"),
        ({"power": 0}, "power"),
        ({"filterbank": torch.ones(33, 32)}, "filterbank has 32 bins"),
        ({"filterbank": -torch.ones(33, 33)}, "negative weights"),
    ],
)
def test_errors_name_wrong_parameters(options, message):
    target = options.pop("target", torch.rand(1, 33, 5))
    with pytest.raises(ValueError, match=message):
        griffin_lim(target, torch.hann_window(64), 16, **options)


def test_real_digits_are_inverted_with_an_error_below_one_decibel(fsdd_folder):
    import soundfile

    window, bank = torch.hann_window(256), mel_bank(256).float()
    for speaker in ("jackson", "nicolas", "theo"):
        path = fsdd_folder / "recordings" / f"7_{speaker}_0.wav"
        x = soundfile.read(path, dtype="float32")[0]
        target = bank @ analyse(x, window, 64) ** 2
        y = griffin_lim(
            target[None],
            window,
            64,
            filterbank=bank,
            power=2,
            lengths=[len(x)],
            generator=seeded(),
        )[0]
        assert decibel_error(target.numpy(), (bank @ analyse(y, window, 64) ** 2).numpy()) < 0.75


@pytest.mark.parametrize("n_updates", [0, -1])
def test_a_constraint_without_updates_is_refused(n_updates):
    with pytest.raises(ValueError, match=f"n_updates={n_updates}: expected at least 1"):
        MelConstraint(None, n_updates=n_updates)
