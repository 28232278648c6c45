"""The transformers against librosa, SciPy and the laws of physics."""

import functools
import itertools

import librosa
import numpy as np
import pytest
import scipy.signal
import soundfile

from sklearn_speech.feature_extraction import MFCC, MelSpectrogram, Spectrogram

TOLERANCE = {np.float32: 1e-5, np.float64: 1e-10}
GRID = list(
    itertools.product(
        [8000, 16000, 22050],
        [(256, 256, 80), (512, 400, 160), (480, 480, 160), (1023, 800, 333)],
        ["hann", "hamming", ("tukey", 0.25)],
        ["constant", "reflect", "edge", None],
        ["slaney", "htk"],
        ["slaney", None],
    )
)


def noise(n_clips=2, n_times=3000, dtype=np.float64):
    return np.random.default_rng(0).normal(scale=0.1, size=(n_clips, n_times)).astype(dtype)


def relative_error(ours, reference):
    assert ours.shape == reference.shape
    return abs(ours - reference).max() / abs(reference).max()


@functools.cache
def librosa_magnitudes(dtype, sizes, window, pad_mode):
    n_fft, win_length, hop_length = sizes
    return abs(
        librosa.stft(
            noise(dtype=dtype).astype(np.float64),
            n_fft=n_fft,
            win_length=win_length,
            hop_length=hop_length,
            window=window,
            center=pad_mode is not None,
            pad_mode=pad_mode or "constant",
        )
    )


def librosa_mel(dtype, sample_rate, sizes, window, pad_mode, mel_scale, norm, power=2.0):
    magnitudes = librosa_magnitudes(dtype, sizes, window, pad_mode)
    bank = librosa.filters.mel(
        sr=sample_rate,
        n_fft=sizes[0],
        n_mels=20,
        htk=mel_scale == "htk",
        norm=norm,
        dtype=np.float64,
    )
    return bank @ magnitudes**power


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050])
def test_mel_spectrograms_equal_librosa_on_the_whole_grid(sample_rate, dtype):
    x = noise(dtype=dtype)
    for case in (case for case in GRID if case[0] == sample_rate):
        _, (n_fft, win_length, hop_length), window, pad_mode, mel_scale, norm = case
        front_end = MelSpectrogram(
            sample_rate,
            n_fft=n_fft,
            win_length=win_length,
            hop_length=hop_length,
            window=window,
            center=pad_mode is not None,
            pad_mode=pad_mode or "constant",
            n_mels=20,
            mel_scale=mel_scale,
            norm=norm,
            scaling=None,
        )
        ours = front_end.fit_transform(x)
        assert ours.dtype == dtype
        reference = librosa_mel(dtype, *case)
        assert relative_error(ours, reference) < TOLERANCE[dtype], case


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("power", [1.0, 2.0, 1.5])
def test_powers_equal_librosa(power, dtype):
    x = noise(dtype=dtype)
    case = (16000, (512, 512, 160), "hann", "constant", "slaney", "slaney")
    front_end = MelSpectrogram(16000, n_fft=512, power=power, n_mels=20, scaling=None)
    reference = librosa_mel(dtype, *case, power=power)
    assert relative_error(front_end.fit_transform(x), reference) < TOLERANCE[dtype]


def test_decibels_equal_librosa():
    x = noise(1)[0] * np.linspace(0, 1, 3000) ** 8  # more than 80 dB of range
    energies = MelSpectrogram(8000, scaling=None).fit_transform(x[np.newaxis])[0]
    db = {"n_mels": 40, "scaling": "db"}
    for ours, reference in [
        (MelSpectrogram(8000, **db), librosa.power_to_db(energies)),
        (MelSpectrogram(8000, **db, ref="max"), librosa.power_to_db(energies, ref=np.max)),
        (
            MelSpectrogram(8000, **db, ref=0.5, amin=1e-4, top_db=None),
            librosa.power_to_db(energies, ref=0.5, amin=1e-4, top_db=None),
        ),
        (
            MelSpectrogram(8000, **db, power=1.0, top_db=30),
            librosa.amplitude_to_db(
                MelSpectrogram(8000, scaling=None, power=1.0).fit_transform(x[np.newaxis])[0],
                top_db=30,
                amin=1e-10,
            ),
        ),
    ]:
        np.testing.assert_allclose(ours.fit_transform(x[np.newaxis])[0], reference, atol=1e-9)


@pytest.mark.parametrize("dct_type", [1, 2, 3])
@pytest.mark.parametrize("lifter", [0, 22])
def test_mfcc_equal_librosa_from_the_same_mel(dct_type, lifter):
    x = noise()
    mel = MelSpectrogram(16000, scaling="db").fit_transform(x)
    ours = MFCC(16000, scaling="db", n_mfcc=20, dct_type=dct_type, lifter=lifter).fit_transform(x)
    reference = librosa.feature.mfcc(S=mel, n_mfcc=20, dct_type=dct_type, lifter=lifter)
    assert relative_error(ours, reference) < 1e-12
    in_float32 = MFCC(16000, scaling="db", n_mfcc=20, dct_type=dct_type, lifter=lifter)
    assert relative_error(in_float32.fit_transform(x.astype(np.float32)), reference) < 1e-5


def test_derivatives_of_mfcc_equal_librosa():
    x = noise()
    plain = MFCC(16000).fit_transform(x)
    ours = MFCC(16000, deltas=2, delta_width=7).fit_transform(x)
    first = librosa.feature.delta(plain, width=7, order=1, mode="nearest")
    second = librosa.feature.delta(plain, width=7, order=2, mode="nearest")
    np.testing.assert_allclose(ours, np.concatenate([plain, first, second], axis=1), atol=1e-12)


def test_stft_of_r3_equals_librosa():
    x = noise(1, 30000)
    ours = Spectrogram(22050, n_fft=2048, hop_length=512, power=1.0, scaling=None).fit_transform(x)
    reference = abs(librosa.stft(x, n_fft=2048, hop_length=512))
    assert ours.shape[1] == 1025
    assert relative_error(ours, reference) < 1e-12


@pytest.mark.parametrize("n_fft", [256, 255])
@pytest.mark.parametrize("detrend", ["constant", "linear", None])
@pytest.mark.parametrize("power", [2.0, 1.0])
def test_spectrogram_of_r2_equals_scipys(n_fft, detrend, power):
    x = noise(2, 5000) + 0.3 + np.linspace(0, 1, 5000)
    ours = Spectrogram(
        8000,
        n_fft=n_fft,
        hop_length=n_fft - n_fft // 8,
        window=("tukey", 0.25),
        center=False,
        detrend=detrend,
        density=True,
        power=power,
        scaling=None,
    ).fit_transform(x)
    reference = scipy.signal.spectrogram(x, 8000, nperseg=n_fft, detrend=detrend or False)[2]
    assert relative_error(ours, reference ** (power / 2)) < 1e-12
    if n_fft == 256:
        assert ours.shape == (2, 129, 22)


def test_front_end_of_r0_by_its_own_formulae():
    rng = np.random.default_rng(0)
    x = rng.uniform(-0.3, 0.3, size=22050)
    x[5000:9000] = 0.0
    n_frames = (len(x) - (1024 - 256)) // 256
    frames = [x[256 * t : 256 * t + 1024] for t in range(n_frames)]
    magnitudes = abs(np.fft.rfft(np.hamming(1024) * np.array(frames))).T
    mel = np.linspace(2595 * np.log10(1 + 50 / 700), 2595 * np.log10(1 + 5000 / 700), 66)
    edges = 700 * (10 ** (mel / 2595) - 1)
    bins = np.linspace(0, 11025, 513)
    bank = [np.interp(bins, edges[i : i + 3], [0, 1, 0], 0, 0) for i in range(64)]
    energies = np.array(bank) @ magnitudes
    kept = energies[:, (energies > 0).all(axis=0)]
    expected = np.clip((20 * np.log10(kept) + 45) / 90, 0, 1)
    front_end = MelSpectrogram(
        22050,
        n_fft=1024,
        hop_length=256,
        window="hamming",
        periodic=False,
        center=False,
        power=1.0,
        n_mels=64,
        fmin=50,
        fmax=5000,
        mel_scale="htk",
        norm=None,
        scaling="db",
        top_db=None,
        db_window=(-45, 45),
        zero_frames="drop",
    )
    ours = front_end.fit_transform(x[np.newaxis])
    assert ours.dtype == object
    assert kept.shape[1] == n_frames - 12
    np.testing.assert_allclose(ours[0], expected, atol=1e-12)


def test_a_clip_of_nothing_keeps_one_frame_and_says_so():
    front_end = MelSpectrogram(8000, zero_frames="drop").fit(noise())
    with pytest.warns(UserWarning, match="every frame of clip 1 has a band of energy 0"):
        kept = front_end.transform(np.stack([noise()[0], np.zeros(3000)]))
    assert [clip.shape[1] for clip in kept] == [38, 1]


def test_r1_image_is_min_max_of_40_db():
    x = noise(1, 24064) * np.linspace(0, 1, 24064) ** 4
    ours = MelSpectrogram(
        22050,
        n_fft=1024,
        hop_length=512,
        n_mels=128,
        scaling="db",
        amin=1e-5,
        top_db=40,
        normalize="minmax",
    ).fit_transform(x)
    mel = librosa.feature.melspectrogram(y=x[0], sr=22050, n_fft=1024, hop_length=512)
    db = librosa.amplitude_to_db(mel, amin=1e-5)
    assert ours.shape == (1, 128, 48)
    np.testing.assert_allclose(ours[0], (db - db.min()) / (db.max() - db.min()), atol=1e-6)


@pytest.mark.parametrize("frequency", [110.0, 440.0, 1234.5, 3000.0])
def test_a_pure_tone_is_loudest_in_the_band_around_it(frequency):
    t = np.arange(8000) / 16000
    mel = MelSpectrogram(16000, n_mels=40, norm=None, scaling=None)
    middle = mel.fit_transform(np.sin(2 * np.pi * frequency * t)[np.newaxis])[0][:, 20]
    edges = librosa.mel_frequencies(42, fmin=0, fmax=8000)
    assert edges[middle.argmax()] < frequency < edges[middle.argmax() + 2]


def test_parseval_energy_of_the_spectrum_is_energy_of_the_samples():
    x = noise(3, 4096)
    energies = Spectrogram(
        16000, n_fft=256, hop_length=256, window="boxcar", center=False, scaling=None
    ).fit_transform(x)
    both_sides = np.r_[1, np.full(127, 2), 1]
    sums = np.einsum("k,nkt->n", both_sides, energies) / 256
    np.testing.assert_allclose(sums, (x**2).sum(axis=1))


def test_density_sums_to_the_variance():
    x = np.random.default_rng(1).normal(scale=0.1, size=(1, 200_000))
    density = Spectrogram(16000, density=True, scaling=None).fit_transform(x)
    assert density[0].mean(axis=1).sum() * 16000 / 512 == pytest.approx(0.01, rel=0.02)


def test_a_click_has_a_flat_spectrum():
    x = np.zeros((1, 2000))
    x[0, 800] = 1.0
    energies = Spectrogram(8000, hop_length=80, scaling=None).fit_transform(x)[0]
    np.testing.assert_allclose(energies[:, 10], 1.0)


@pytest.mark.parametrize("transformer", [Spectrogram, MelSpectrogram, MFCC])
def test_a_shift_by_one_hop_is_a_shift_by_one_frame(transformer):
    x = noise(1, 4080)
    S = transformer(8000, hop_length=80).fit(x[:, 80:]).transform(x[:, 80:])
    later = transformer(8000, hop_length=80).fit(x).transform(x)
    np.testing.assert_allclose(later[:, :, 5:-5], S[:, :, 4:-5], atol=1e-9)


def test_detrending_removes_offsets_and_lines():
    x = 0.7 + np.linspace(0, 1, 3000)[np.newaxis]
    options = {"center": False, "scaling": None, "window": "boxcar"}
    assert Spectrogram(8000, detrend="linear", **options).fit_transform(x).max() < 1e-20
    constant = Spectrogram(8000, detrend="constant", **options).fit_transform(x)
    assert abs(constant[:, 0]).max() < 1e-20 < constant.max()


def test_preemphasis_comes_before_padding_and_doubles_an_alternating_signal():
    x = noise(1)
    emphasised = np.concatenate([x[:, :1], x[:, :-1]], axis=1)
    emphasised = x - 0.97 * emphasised
    for options in ({}, {"center": False}, {"pad_mode": "reflect"}, {"pad_mode": "edge"}):
        mel = MelSpectrogram(8000, scaling=None, **options)
        ours = MelSpectrogram(8000, scaling=None, preemphasis=0.97, **options).fit_transform(x)
        assert relative_error(ours, mel.fit_transform(emphasised)) < 1e-12


@pytest.mark.parametrize("transformer", [Spectrogram, MelSpectrogram, MFCC])
def test_real_speech_equals_librosa_in_float32(transformer, fsdd_folder):
    x, sample_rate = soundfile.read(fsdd_folder / "recordings/3_theo_7.wav", dtype="float32")
    power = abs(librosa.stft(x, n_fft=256, hop_length=80)) ** 2
    mel = librosa.feature.melspectrogram(S=power, sr=sample_rate, n_mels=40)
    reference = {
        Spectrogram: power,
        MelSpectrogram: mel,
        MFCC: librosa.feature.mfcc(S=librosa.power_to_db(mel), n_mfcc=13),
    }[transformer]
    scaling = "db" if transformer is MFCC else None
    ours = transformer(sample_rate, n_fft=256, hop_length=80, scaling=scaling)
    assert relative_error(ours.fit_transform(x[np.newaxis])[0], reference) < 1e-5
