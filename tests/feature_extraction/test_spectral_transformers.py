import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_speech.feature_extraction import (
    MFCC,
    MelSpectrogram,
    Spectrogram,
    SpectrogramScaler,
)
from sklearn_speech.feature_extraction import _extract as extract
from sklearn_speech.utils.validation import make_ragged

SETTINGS = [
    Spectrogram(8000),
    Spectrogram(8000, scaling=None, power=1.0, density=True, detrend="constant"),
    MelSpectrogram(8000, scaling="log"),
    MelSpectrogram(8000, scaling="db", ref="max", top_db=60, preemphasis=0.97),
    MelSpectrogram(8000, normalize="band", pad_mode="reflect", detrend="linear"),
    MFCC(8000, deltas=2, normalize="clip", pad_mode="edge"),
]


@parametrize_with_checks(
    [MFCC(), MelSpectrogram(), Spectrogram(), SpectrogramScaler(), MFCC(normalize="band", deltas=2)]
)
def test_scikit_learn_contract(estimator, check):
    check(estimator)


def noise(n_clips=3, n_times=3000, dtype=np.float32):
    return np.random.default_rng(0).normal(scale=0.1, size=(n_clips, n_times)).astype(dtype)


@pytest.mark.parametrize("transformer", SETTINGS)
def test_a_clip_is_computed_as_if_it_were_alone(transformer):
    x = noise()
    clips = make_ragged([x[0], x[1, :1234], x[2, :400], x[0, :2999]])
    together = transformer.fit_transform(clips)
    assert together.dtype == object
    assert transformer._treats_clips_alone
    for clip, S in zip(clips, together):
        alone = transformer.transform(clip[np.newaxis])[0]
        assert S.dtype == np.float32
        np.testing.assert_allclose(S, alone, atol=2e-4)


@pytest.mark.parametrize("transformer", SETTINGS)
@pytest.mark.parametrize("ragged", [False, True])
def test_cutting_into_chunks_changes_nothing(transformer, ragged, monkeypatch):
    x = noise(5, 2000, np.float64)
    clips = make_ragged([*x, x[0, :1500]]) if ragged else x
    whole = transformer.fit(clips).transform(clips)
    for chunk in (200, 1000, 7000):  # blocks of one frame, of a part of a clip, of two clips
        monkeypatch.setitem(extract._CHUNK_SAMPLES, "cpu", chunk)
        for S, expected in zip(transformer.transform(clips), whole):
            np.testing.assert_allclose(S, expected, atol=1e-9)


def test_transform_stores_nothing_and_leaves_its_input_alone():
    x = noise()
    before = x.copy()
    transformer = MelSpectrogram(8000, normalize="band", preemphasis=0.9).fit(x)
    state = copy.deepcopy(vars(transformer))
    transformer.transform(x[:2])
    transformer.clip_ranges(x[:2])
    assert vars(transformer).keys() == state.keys()
    np.testing.assert_array_equal(transformer.ranges_, state["ranges_"])
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_go_out_as_they_came_in(dtype):
    x = noise(dtype=dtype)
    assert MFCC(8000, deltas=1).fit_transform(x).dtype == dtype
    assert MFCC(8000, deltas=1).fit_transform(make_ragged(x))[0].dtype == dtype
    assert MelSpectrogram(8000).fit_transform(np.ones((2, 500), dtype=int)).dtype == np.float32


def test_loudness_shifts_logarithms_and_is_forgotten_by_normalisation():
    x = noise(1, dtype=np.float64)
    plain = MelSpectrogram(8000, scaling="log", log_offset=0.0, normalize=None)
    quiet = plain.fit_transform(x / 10)
    np.testing.assert_allclose(quiet, plain.transform(x) - np.log(100), atol=1e-9)
    forgetful = {"scaling": "db", "top_db": 60, "amin": 1e-20}
    for options in ({"normalize": "clip"}, {"normalize": "band"}, {"ref": "max"}):
        transformer = MelSpectrogram(8000, **forgetful, **options)
        S = transformer.fit_transform(x)
        np.testing.assert_allclose(transformer.transform(x / 10), S, atol=1e-9)


@pytest.mark.parametrize(
    ("normalize", "axis"), [("clip", (1, 2)), ("band", 2), ("minmax", (1, 2)), ("max", (1, 2))]
)
def test_normalisation_does_what_its_name_says(normalize, axis):
    S = MelSpectrogram(8000, normalize=normalize).fit_transform(noise(dtype=np.float64))
    if normalize == "minmax":
        np.testing.assert_allclose([S.min(axis), S.max(axis)], [[0] * 3, [1] * 3], atol=1e-12)
    elif normalize == "max":
        np.testing.assert_allclose(abs(S).max(axis), 1)
    else:
        np.testing.assert_allclose(S.mean(axis), 0, atol=1e-9)
        np.testing.assert_allclose(S.std(axis), 1, atol=1e-6)


@pytest.mark.parametrize("normalize", ["clip", "band", "minmax", "max"])
@pytest.mark.parametrize("scaling", [None, "log", "db"])
def test_silence_becomes_finite_constant_features(normalize, scaling):
    front_end = MelSpectrogram(8000, scaling=scaling, normalize=normalize)
    S = front_end.fit_transform(np.zeros((2, 1000), dtype=np.float32))
    assert np.isfinite(S).all()
    assert np.ptp(S) < 0.05


@pytest.mark.parametrize("normalize", [None, "clip", "band", "minmax", "max"])
@pytest.mark.parametrize(
    "scaling",
    [
        {"scaling": None},
        {"scaling": "log"},
        {"scaling": "db", "ref": "max"},
        {"scaling": "db", "ref": 0.3, "db_window": (-90, 60)},
    ],
)
@pytest.mark.parametrize("power", [1.0, 2.0])
def test_unscale_undoes_scale(normalize, scaling, power):
    x = noise(dtype=np.float64)
    transformer = MelSpectrogram(8000, normalize=normalize, power=power, **scaling).fit(x)
    energies = MelSpectrogram(8000, scaling=None, normalize=None, power=power).fit_transform(x)
    features = torch.from_numpy(transformer.transform(x)).transpose(1, 2)
    ranges = torch.from_numpy(transformer.clip_ranges(x))
    front_end = transformer._shared_front_end(torch.float64)[0]
    found = front_end.unscale(features, ranges).transpose(1, 2).numpy()
    np.testing.assert_allclose(found, energies, rtol=1e-6, atol=1e-12)
    if transformer.ranges_ is not None:
        np.testing.assert_allclose(transformer.ranges_, ranges.mean(dim=0))


def test_unscale_of_all_cepstral_coefficients_is_exact():
    x = noise(dtype=np.float64)
    transformer = MFCC(8000, n_mels=20, n_mfcc=20, lifter=22, deltas=1, normalize="band").fit(x)
    energies = MelSpectrogram(8000, n_mels=20, scaling=None, normalize=None).fit_transform(x)
    features = torch.from_numpy(transformer.transform(x)).transpose(1, 2)
    ranges = torch.from_numpy(transformer.clip_ranges(x))
    found = transformer._shared_front_end(torch.float64)[0].unscale(features, ranges)
    np.testing.assert_allclose(found.transpose(1, 2).numpy(), energies, rtol=1e-6, atol=1e-9)


def test_clips_shorter_than_a_window_are_padded_unless_they_cannot_be():
    assert MelSpectrogram(8000).fit_transform(noise(2, 1)).shape == (2, 40, 1)
    short = make_ragged([noise(1, 4000)[0], noise(1, 100)[0]])
    with pytest.raises(
        ValueError,
        match="clip 1 of X: a clip of 100 samples is shorter than one window of n_fft=256",
    ):
        MelSpectrogram(8000, center=False).fit(short).transform(short)
    with pytest.raises(
        ValueError, match="a clip of 50 samples is too short for pad_mode='reflect'"
    ):
        MelSpectrogram(8000, pad_mode="reflect").fit(noise(2, 50)).transform(noise(2, 50))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"fmax": 5000}, "fmax=5000 Hz is above the Nyquist frequency 4000 Hz"),
        ({"win_length": 600, "n_fft": 512}, "win_length=600 is longer than n_fft=512"),
        ({"window": "hahn"}, "window='hahn'"),
        ({"n_mels": 0}, "The 'n_mels' parameter of MelSpectrogram must be an int"),
        ({"mel_scale": "bark"}, "The 'mel_scale' parameter of MelSpectrogram"),
        ({"device": "abacus"}, "device='abacus'"),
        ({"db_window": (0, -60), "scaling": "db"}, r"db_window=\(0, -60\): expected"),
    ],
)
def test_bad_parameters_are_refused_by_name(parameters, message):
    with pytest.raises(ValueError, match=message):
        MelSpectrogram(8000, **parameters).fit(noise())


def test_more_coefficients_than_bands_are_refused():
    with pytest.raises(ValueError, match="n_mfcc=41 exceeds n_mels=40"):
        MFCC(n_mfcc=41).fit(noise())
    with pytest.raises(ValueError, match="delta_width=4: expected an odd number"):
        MFCC(deltas=1, delta_width=4).fit(noise())


def test_empty_bands_draw_a_warning_with_advice():
    with pytest.warns(UserWarning, match=r"n_mels=200 leaves \d+ bands .*; use n_mels <= \d+ or"):
        MelSpectrogram(8000, n_mels=200).fit(noise())


@pytest.mark.parametrize("transformer", SETTINGS)
def test_pickles_and_clones_compute_the_same(transformer):
    x = noise()
    S = transformer.fit_transform(x)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(transformer)).transform(x), S)
    np.testing.assert_array_equal(clone(transformer).fit_transform(x), S)


def test_the_scaler_does_what_standard_scaler_does_with_frames():
    S = 3 * noise(4, 600).reshape(4, 20, 30) + np.arange(20, dtype=np.float32)[:, np.newaxis]
    S[:, 7] = 5.0
    frames = S.transpose(0, 2, 1).reshape(-1, 20).astype(np.float64)
    reference = StandardScaler().fit(frames)
    scaler = SpectrogramScaler().fit(S)
    np.testing.assert_allclose(scaler.mean_, reference.mean_, rtol=1e-6)
    np.testing.assert_allclose(scaler.scale_, reference.scale_, rtol=1e-6)
    scaled = scaler.transform(S)
    assert scaled.dtype == np.float32
    expected = reference.transform(frames).reshape(4, 30, 20).transpose(0, 2, 1)
    np.testing.assert_allclose(scaled, expected, atol=1e-5)
    np.testing.assert_allclose(scaler.inverse_transform(scaled), S, atol=1e-5)


def test_the_scaler_takes_ragged_clips_and_counts_frames():
    S = noise(1, 900, np.float64).reshape(9, 100)
    clips = make_ragged([S[:, :10], S[:, 10:]])
    whole, parts = SpectrogramScaler().fit(S[np.newaxis]), SpectrogramScaler().fit(clips)
    np.testing.assert_allclose(parts.mean_, whole.mean_)
    np.testing.assert_allclose(parts.scale_, whole.scale_)
    scaled = parts.transform(clips)
    np.testing.assert_allclose(np.hstack(list(scaled)), whole.transform(S[np.newaxis])[0])
    np.testing.assert_allclose(parts.inverse_transform(scaled)[1], clips[1])


def test_the_scaler_can_leave_mean_or_deviation_or_bands_alone():
    S = noise(2, 400, np.float64).reshape(2, 4, 100) + 1
    shifted = SpectrogramScaler(with_std=False).fit_transform(S)
    np.testing.assert_allclose(shifted, S - S.mean(axis=(0, 2))[:, np.newaxis])
    divided = SpectrogramScaler(with_mean=False).fit_transform(S)
    np.testing.assert_allclose(divided, S / S.std(axis=(0, 2))[:, np.newaxis])
    common = SpectrogramScaler("all").fit_transform(S)
    np.testing.assert_allclose(common, (S - S.mean()) / S.std())


@pytest.mark.parametrize("ragged", [False, True])
def test_threads_change_neither_results_nor_torchs_setting(ragged, monkeypatch):
    x = noise(40, 2000, np.float64)
    clips = make_ragged(x) if ragged else x
    transformer = MelSpectrogram(8000, normalize="band").fit(clips)
    before = torch.get_num_threads()
    monkeypatch.setitem(extract._CHUNK_SAMPLES, "cpu", 20_000)
    try:
        torch.set_num_threads(1)
        alone = transformer.transform(clips)
        torch.set_num_threads(3)
        for S, expected in zip(transformer.transform(clips), alone):
            np.testing.assert_allclose(S, expected, atol=1e-9)
        assert torch.get_num_threads() == 3
        with ThreadPoolExecutor(1) as pool:  # threads to come are as free as before
            assert pool.submit(torch.get_num_threads).result() == 3
        clips = make_ragged([*x[:30], x[0, :0]])
        with pytest.raises(ValueError, match="clip 30 of X"):
            transformer.transform(clips)
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("n_clips", [1, 30, 3000])
def test_a_band_that_never_changes_is_not_blown_up(n_clips):
    scaler = SpectrogramScaler().fit(np.full((n_clips, 1, 7), -13.1))
    assert scaler.scale_.tolist() == [1.0]
