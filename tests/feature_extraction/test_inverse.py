import librosa
import numpy as np
import pytest
import soundfile
from sklearn import config_context
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_speech.feature_extraction import (
    MFCC,
    MelSpectrogram,
    Spectrogram,
    SpectrogramScaler,
)
from sklearn_speech.utils.validation import make_ragged

RATE = 8000

SCALINGS = {
    "energies": {"scaling": None},
    "log": {"scaling": "log"},
    "decibels": {"scaling": "db"},
    "decibels below the maximum": {"scaling": "db", "ref": "max"},
    "decibel window": {"scaling": "db", "db_window": (-90, 40)},
    "clip statistics": {"normalize": "clip"},
    "band statistics": {"normalize": "band"},
    "minimum and maximum": {"scaling": "db", "normalize": "minmax"},
    "share of the maximum": {"scaling": None, "normalize": "max"},
}


@pytest.fixture(scope="module")
def digits(fsdd_folder):
    """One digit of each speaker, ragged."""
    names = ["0_george", "1_jackson", "4_lucas", "6_nicolas", "8_theo", "9_yweweler"]
    return make_ragged(
        soundfile.read(fsdd_folder / "recordings" / f"{name}_7.wav", dtype="float32")[0]
        for name in names
    )


def tones(n_times=RATE, frequencies=(500.0, 1200.0)):
    t = np.arange(n_times) / RATE
    return np.stack([0.3 * np.sin(2 * np.pi * f * t) for f in frequencies]).astype(np.float32)


def lengths_of(X):
    return [len(x) for x in X]


def decibel_error(wanted, got, power=2):
    """Mean absolute difference over the bins less than 80 dB below the clip's maximum."""
    errors = []
    for w, g in zip(wanted, got):
        w, g = (20 / power * np.log10(np.maximum(s, 1e-40)) for s in (w, g))
        errors.append(np.abs(w - g)[w > w.max() - 80].mean())
    return np.mean(errors)


def energies(transformer, X):
    """Mel energies of waveforms, not scaled."""
    plain = clone(transformer).set_params(scaling=None, normalize=None)
    return plain.fit_transform(X)


@pytest.mark.parametrize("options", SCALINGS.values(), ids=SCALINGS)
def test_real_digits_come_back_within_a_decibel_whatever_the_scaling(digits, options):
    mel = MelSpectrogram(RATE, random_state=0, **options)
    S = mel.fit_transform(digits)
    Y = mel.inverse_transform(S, ranges=mel.clip_ranges(digits), lengths=lengths_of(digits))
    assert lengths_of(Y) == lengths_of(digits)
    assert decibel_error(energies(mel, digits), energies(mel, Y)) < 0.6
    for x, y in zip(digits, Y):
        assert 20 * np.log10(y.std() / x.std()) == pytest.approx(0, abs=1)


@pytest.mark.parametrize(
    "options",
    [
        {"center": False},
        {"pad_mode": "reflect"},
        {"power": 1},
        {"preemphasis": 0.97},
        {"mel_scale": "htk", "norm": None},
        {"n_fft": 512, "n_mels": 64},
        {"window": "hamming", "periodic": False, "win_length": 240},
        {"detrend": "constant"},
    ],
    ids=str,
)
def test_real_digits_come_back_within_a_decibel_whatever_the_analysis(digits, options):
    mel = MelSpectrogram(RATE, random_state=0, **options)
    Y = mel.inverse_transform(mel.fit_transform(digits), lengths=lengths_of(digits))
    power = options.get("power", 2)
    assert decibel_error(energies(mel, digits), energies(mel, Y), power) < 0.7
    for x, y in zip(digits, Y):
        assert 20 * np.log10(y.std() / x.std()) == pytest.approx(0, abs=1)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"power": 1, "scaling": None},
        {"density": True},
        {"density": True, "power": 1, "scaling": "db", "normalize": "minmax"},
        {"preemphasis": 0.97, "normalize": "band"},
        {"window": ("tukey", 0.25), "periodic": False, "center": False},
    ],
    ids=str,
)
def test_spectrograms_come_back_with_their_mel_energies_within_a_decibel(digits, options):
    spectrogram = Spectrogram(RATE, random_state=0, **options)
    S = spectrogram.fit_transform(digits)
    ranges = spectrogram.clip_ranges(digits)
    Y = spectrogram.inverse_transform(S, ranges=ranges, lengths=lengths_of(digits))
    shared = {"center", "window", "periodic", "preemphasis"} & set(options)
    mel = MelSpectrogram(RATE, **{name: options[name] for name in shared})
    assert decibel_error(energies(mel, digits), energies(mel, Y)) < 1
    for x, y in zip(digits, Y):
        assert 20 * np.log10(y.std() / x.std()) == pytest.approx(0, abs=1)


def test_known_magnitudes_come_back_no_further_off_than_with_librosa(digits):
    spectrogram = Spectrogram(RATE, n_fft=256, hop_length=64, power=1, scaling=None, random_state=0)
    S = spectrogram.fit_transform(digits)
    ours = spectrogram.inverse_transform(S, lengths=lengths_of(digits))
    theirs = make_ragged(
        librosa.griffinlim(s, n_fft=256, hop_length=64, length=len(x), random_state=0)
        for s, x in zip(S, digits)
    )
    error = decibel_error(S, spectrogram.transform(ours), power=1)
    assert error < 1.02 * decibel_error(S, spectrogram.transform(theirs), power=1)


@pytest.mark.parametrize(
    "options",
    [{}, {"lifter": 22}, {"dct_type": 3}, {"deltas": 2}, {"normalize": "band"}],
    ids=str,
)
def test_all_cepstral_coefficients_hold_the_mel_energies(digits, options):
    mfcc = MFCC(RATE, n_mels=40, n_mfcc=40, random_state=0, **options)
    S, ranges = mfcc.fit_transform(digits), mfcc.clip_ranges(digits)
    Y = mfcc.inverse_transform(S, ranges=ranges, lengths=lengths_of(digits))
    mel = MelSpectrogram(RATE, n_mels=40)
    assert decibel_error(energies(mel, digits), energies(mel, Y)) < 0.6


@pytest.mark.parametrize("options", [{}, {"lifter": 22, "deltas": 1}], ids=str)
def test_few_cepstral_coefficients_give_a_signal_that_has_them(digits, options):
    mfcc = MFCC(RATE, n_mfcc=13, random_state=0, **options)
    S = mfcc.fit_transform(digits)
    Y = mfcc.inverse_transform(S, lengths=lengths_of(digits))
    again = mfcc.transform(Y)
    for wanted, got in zip(S, again):
        wanted, got = wanted[1:13], got[1:13]  # the shape of the spectrum, whatever its level
        assert np.corrcoef(wanted.ravel(), got.ravel())[0, 1] > 0.98


def test_closer_than_librosa(digits):
    mel = MelSpectrogram(RATE, n_fft=256, hop_length=64, pad_mode="reflect", scaling=None)
    mel.set_params(random_state=0)
    S = mel.fit_transform(digits)

    def yardstick(S, x):
        return librosa.feature.inverse.mel_to_audio(
            S, sr=RATE, n_fft=256, hop_length=64, pad_mode="reflect", length=len(x)
        )

    theirs = make_ragged(yardstick(s, x) for s, x in zip(S, digits))
    ours = mel.inverse_transform(S, lengths=lengths_of(digits))
    assert decibel_error(S, mel.transform(ours)) < 0.5 * decibel_error(S, mel.transform(theirs))


def test_without_ranges_the_mean_of_the_training_clips_is_assumed():
    X = tones()
    mel = MelSpectrogram(RATE, normalize="clip", random_state=0).fit(X)
    S = mel.transform(X)
    mean = np.tile(mel.clip_ranges(X).mean(axis=0), (2, 1, 1))
    np.testing.assert_array_equal(mel.inverse_transform(S), mel.inverse_transform(S, ranges=mean))


def test_a_clip_ten_times_louder_comes_back_ten_times_louder_with_its_range():
    X = tones(frequencies=(500.0, 500.0)) * np.array([[1.0], [0.1]], dtype=np.float32)
    mel = MelSpectrogram(RATE, scaling="db", ref="max", random_state=0).fit(X)
    S = mel.transform(X)
    loud, soft = mel.inverse_transform(S, ranges=mel.clip_ranges(X)).std(axis=1)
    assert loud / soft == pytest.approx(10, rel=0.02)
    same, level = mel.inverse_transform(S).std(axis=1)
    assert same == pytest.approx(level, rel=0.02)


@pytest.mark.parametrize("frequency", [300.0, 1000.0, 2500.0])
def test_a_pure_tone_comes_back_in_its_band(frequency):
    X = tones(frequencies=[frequency])
    mel = MelSpectrogram(RATE, n_fft=512, n_mels=64, random_state=0)
    y = mel.inverse_transform(mel.fit_transform(X))[0]
    peak = np.abs(np.fft.rfft(y * np.hanning(RATE))).argmax()  # 1 Hz a bin
    assert abs(peak - frequency) < 50


def test_one_seed_one_waveform():
    X = tones()
    mel = MelSpectrogram(RATE, random_state=3).fit(X)
    S = mel.transform(X)
    np.testing.assert_array_equal(mel.inverse_transform(S), mel.inverse_transform(S))
    other = clone(mel).set_params(random_state=4).fit(X)
    assert not np.allclose(mel.inverse_transform(S), other.inverse_transform(S))


def test_neighbours_do_not_change_a_clip(digits):
    mel = MelSpectrogram(RATE, random_state=0, n_iter=8).fit(digits)
    S = mel.transform(digits)
    together = mel.inverse_transform(S)
    for i in range(len(S)):
        alone = mel.inverse_transform(S[i : i + 1])[0]
        np.testing.assert_allclose(together[i], alone, atol=1e-3 * np.abs(alone).max())


def test_arrays_give_arrays_of_the_fitted_width_and_ragged_gives_ragged():
    X = tones(RATE - 33)
    mel = MelSpectrogram(RATE, n_iter=2).fit(X)
    assert mel.inverse_transform(mel.transform(X)).shape == X.shape
    assert mel.inverse_transform(mel.transform(X)[:, :, :50]).shape == (2, 49 * 80)
    assert mel.inverse_transform(mel.transform(X), lengths=1000).shape == (2, 1000)
    ragged = mel.inverse_transform(mel.transform(X), lengths=[1000, 900])
    assert [y.shape for y in ragged] == [(1000,), (900,)]
    ragged = make_ragged([X[0], X[1, :3000]])
    mel.fit(ragged)
    Y = mel.inverse_transform(mel.transform(ragged))
    assert Y.dtype == object
    # as many frames again
    assert [s.shape for s in mel.transform(Y)] == [s.shape for s in mel.transform(ragged)]


@pytest.mark.parametrize("transformer", [MelSpectrogram, MFCC, Spectrogram])
@pytest.mark.parametrize("n_times", [1, 2, 10, 100])
def test_the_shortest_clips_come_back_as_short(transformer, n_times):
    X = tones()[:, 100 : 100 + n_times]
    fitted = transformer(RATE).fit(X)
    Y = fitted.inverse_transform(fitted.transform(X))
    assert Y.shape == X.shape
    assert np.isfinite(Y).all()


def test_one_frame_a_clip_may_come_as_a_matrix():
    mel = MelSpectrogram(RATE, n_iter=2).fit(tones())
    assert mel.inverse_transform(np.zeros((3, 40))).shape[0] == 3


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_that_comes_in_goes_out(dtype):
    X = tones().astype(dtype)
    mel = MelSpectrogram(RATE, n_iter=2).fit(X)
    assert mel.inverse_transform(mel.transform(X)).dtype == dtype


def test_inverting_leaves_the_fitted_transformer_as_it_was():
    X = tones()
    mel = MelSpectrogram(RATE, n_iter=2).fit(X)
    S = mel.transform(X)
    state, before = dict(vars(mel)), S.copy()
    mel.inverse_transform(S)
    assert vars(mel) == state
    np.testing.assert_array_equal(S, before)


def test_a_pipeline_is_inverted_from_the_spectrogram_onward():
    X = tones()
    half = FunctionTransformer(lambda S: S / 2, lambda S: S * 2)
    pipeline = make_pipeline(MelSpectrogram(RATE, random_state=0), half).fit(X)
    Y = pipeline.inverse_transform(pipeline.transform(X))
    np.testing.assert_array_equal(Y, pipeline[0].inverse_transform(pipeline[0].transform(X)))


def test_scaled_spectrograms_are_unscaled_on_the_way_back(digits):
    pipeline = make_pipeline(MelSpectrogram(RATE, random_state=0), SpectrogramScaler())
    Y = pipeline.fit(digits).inverse_transform(pipeline.transform(digits))
    assert decibel_error(energies(pipeline[0], digits), energies(pipeline[0], Y)) < 0.6


def test_ranges_reach_the_front_end_through_a_pipeline():
    X = tones() * np.array([[1.0], [0.1]], dtype=np.float32)
    mel = MelSpectrogram(RATE, scaling="db", ref="max", random_state=0).fit(X)
    with config_context(enable_metadata_routing=True):
        mel.set_inverse_transform_request(ranges=True)
        pipeline = make_pipeline(mel, SpectrogramScaler()).fit(X)
        loud, soft = pipeline.inverse_transform(
            pipeline.transform(X), ranges=mel.clip_ranges(X)
        ).std(axis=1)
        assert set(mel.get_metadata_routing().inverse_transform.requests) == {"ranges", "lengths"}
    assert loud / soft == pytest.approx(10, rel=0.02)


def test_dropped_frames_stay_dropped():
    X = tones(4000)
    X[:, 1000:2000] = 0
    mel = MelSpectrogram(RATE, center=False, zero_frames="drop", random_state=0)
    S = mel.fit_transform(X)
    Y = mel.inverse_transform(S)
    assert all(len(y) < 4000 for y in Y)
    assert [s.shape for s in mel.transform(Y)] == [s.shape for s in S]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"S": np.zeros((2, 39, 5))}, "S has 39 bands, but this MelSpectrogram makes 40"),
        ({"S": np.full((2, 40, 5), np.nan)}, "NaN"),
        ({"S": np.full((2, 40, 5), 1e4)}, "clip 0: features up to 1e"),
        ({"ranges": np.zeros((3, 3, 1))}, r"expected numbers of shape \(2, 3, 1\)"),
        ({"lengths": [5]}, "one for each of 2 clips"),
        ({"lengths": 0}, "at least 1 sample"),
        ({"lengths": 2.5}, "whole number"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    mel = MelSpectrogram(RATE).fit(tones())
    with pytest.raises(ValueError, match=message):
        mel.inverse_transform(**{"S": np.zeros((2, 40, 5)), **arguments})


def test_windows_with_gaps_between_them_are_refused():
    X = tones()
    mel = MelSpectrogram(RATE, n_fft=256, hop_length=300).fit(X)
    with pytest.raises(ValueError, match="hop_length=300"):
        mel.inverse_transform(mel.transform(X))
