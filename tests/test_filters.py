import re

import librosa
import numpy as np
import pytest
import scipy.fft
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from sklearn_speech.filters import (
    dct_matrix,
    delta_kernel,
    frame_sizes,
    hz_to_mel,
    lifter_weights,
    mel_filterbank,
    mel_frequencies,
    mel_to_hz,
    window_function,
)


@pytest.mark.parametrize("mel_scale", ["slaney", "htk"])
def test_mel_scales_equal_those_of_librosa(mel_scale):
    hz = np.array([0.0, 1.0, 440.0, 999.9, 1000.0, 1000.1, 3999.0, 11025.0])
    htk = mel_scale == "htk"
    np.testing.assert_allclose(hz_to_mel(hz, mel_scale), librosa.hz_to_mel(hz, htk=htk), rtol=1e-14)
    mel = np.array([0.0, 3.0, 14.99, 15.0, 15.01, 40.0])
    np.testing.assert_allclose(mel_to_hz(mel, mel_scale), librosa.mel_to_hz(mel, htk=htk))


@given(st.floats(0, 24000), st.sampled_from(["slaney", "htk"]))
def test_mel_and_back_is_the_same_frequency(hz, mel_scale):
    np.testing.assert_allclose(mel_to_hz(hz_to_mel(hz, mel_scale), mel_scale), hz, atol=1e-9)


@pytest.mark.parametrize("sample_rate", [8000, 16000, 22050])
@pytest.mark.parametrize("n_fft", [256, 480, 1023])
@pytest.mark.parametrize("htk", [False, True])
@pytest.mark.parametrize("norm", [None, "slaney"])
def test_mel_filter_banks_equal_those_of_librosa(sample_rate, n_fft, htk, norm):
    options = {"fmin": 50.0, "fmax": 3800.0, "norm": norm}
    reference = librosa.filters.mel(
        sr=sample_rate, n_fft=n_fft, n_mels=16, htk=htk, dtype=np.float64, **options
    )
    mel_scale = "htk" if htk else "slaney"
    bank = mel_filterbank(sample_rate, n_fft, 16, mel_scale=mel_scale, **options)
    assert abs(bank - reference).max() < 1e-13 * reference.max()


def test_bank_of_r0_has_peak_1_triangles_of_2_to_16_bins():
    bank = mel_filterbank(22050, 1024, 64, fmin=50, fmax=5000, mel_scale="htk", norm=None)
    filled = (bank > 0).sum(axis=1)
    assert bank.shape == (64, 513)
    assert (filled.min(), filled.max()) == (2, 16)
    assert 0.5 < bank.max(axis=1).min() and bank.max() <= 1
    # between the first and the last peak, neighbouring triangles add up to 1
    bins = np.fft.rfftfreq(1024, 1 / 22050)
    peaks = mel_frequencies(66, 50, 5000, "htk")[1:-1]
    inside = (bins > peaks[0]) & (bins < peaks[-1])
    np.testing.assert_allclose(bank.sum(axis=0)[inside], 1)


def test_bank_of_r4_has_the_peaks_that_were_computed_from_its_code():
    peaks = mel_filterbank(16000, 480, 40).max(axis=1)
    assert peaks.min() == pytest.approx(0.0018, rel=0.05)
    assert peaks.max() == pytest.approx(0.0136, rel=0.05)


def test_slaney_norm_gives_every_filter_the_same_area():
    bank = mel_filterbank(16000, 2**15, 40)
    areas = bank.sum(axis=1) * 16000 / 2**15
    np.testing.assert_allclose(areas, 1, rtol=1e-3)


def test_frequencies_above_nyquist_are_refused_by_name():
    with pytest.raises(ValueError, match=r"fmax=5000 Hz is above the Nyquist frequency 4000 Hz"):
        mel_filterbank(8000, 256, fmax=5000)
    with pytest.raises(ValueError, match=r"fmin=4000 Hz: expected at least 0 and less than fmax"):
        mel_filterbank(8000, 256, fmin=4000)


def test_empty_bands_are_counted_and_the_advice_helps():
    with pytest.warns(
        UserWarning, match=r"n_mels=200 leaves \d+ bands .* single FFT bin"
    ) as record:
        bank = mel_filterbank(8000, 256, 200)
    message = str(record[0].message)
    assert int(re.search(r"leaves (\d+)", message)[1]) == (~bank.any(axis=1)).sum()
    fewer = int(re.search(r"n_mels <= (\d+)", message)[1])
    longer = int(re.search(r"n_fft >= (\d+)", message)[1])
    assert mel_filterbank(8000, 256, fewer).any(axis=1).all()
    assert mel_filterbank(8000, longer, 200).any(axis=1).all()


@pytest.mark.parametrize("name", ["mel_scale", "norm"])
def test_unknown_options_are_refused_by_name(name):
    with pytest.raises(ValueError, match=f"{name}='bark'"):
        mel_filterbank(8000, 256, **{name: "bark"})


def test_windows_are_those_of_scipy_and_numpy():
    np.testing.assert_array_equal(
        window_function(("tukey", 0.25), 256), scipy.signal.get_window(("tukey", 0.25), 256)
    )
    np.testing.assert_allclose(
        window_function("hamming", 1024, periodic=False), np.hamming(1024), atol=1e-15
    )
    np.testing.assert_array_equal(window_function([1.0, 2.0], 2), [1, 2])


def test_bad_windows_are_refused():
    with pytest.raises(
        ValueError, match=r"window='hahn': not a window that scipy.signal.get_window accepts"
    ):
        window_function("hahn", 8)
    with pytest.raises(ValueError, match=r"window has shape \(2,\): expected \(3,\)"):
        window_function([1.0, 2.0], 3)


@pytest.mark.parametrize("dct_type", [1, 2, 3])
def test_dct_matrix_is_scipys_transform(dct_type):
    x = np.random.default_rng(0).normal(size=(20, 3))
    reference = scipy.fft.dct(x, axis=0, type=dct_type, norm="ortho")[:7]
    np.testing.assert_allclose(dct_matrix(7, 20, dct_type) @ x, reference, atol=1e-14)
    with pytest.raises(ValueError, match="21 cepstral coefficients of 20 bands"):
        dct_matrix(21, 20, dct_type)


def test_lifter_is_librosas():
    ones = np.ones((30, 1))
    lifted = librosa.feature.mfcc(S=dct_matrix(30, 30).T @ ones, n_mfcc=30, lifter=22)
    np.testing.assert_allclose(lifter_weights(30, 22), lifted[:, 0])


def test_delta_kernel_differentiates_lines_and_parabolas_exactly():
    t = np.arange(-4, 5)
    assert delta_kernel(9, 1) @ (3.0 * t + 7) == pytest.approx(3)
    assert delta_kernel(9, 2) @ (5.0 * t**2 + t) == pytest.approx(10)


def test_sizes_left_open_are_25_and_10_ms_and_the_next_power_of_two():
    assert frame_sizes(16000) == (512, 400, 160)
    assert frame_sizes(8000) == (256, 200, 80)
    assert frame_sizes(22050, n_fft=1024, hop_length=256) == (1024, 1024, 256)
    assert frame_sizes(16000, win_length=480) == (512, 480, 160)
    with pytest.raises(ValueError, match="win_length=481 is longer than n_fft=480"):
        frame_sizes(16000, n_fft=480, win_length=481)
