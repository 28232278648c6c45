"""Resampling inside a network, against SciPy."""

import numpy as np
import pytest
import scipy.signal
import torch

from sklearn_speech.filters import resampling_filter
from sklearn_speech.modules.resampler import Resampler

RATES = [8000, 11025, 16000, 22050, 24000, 44100, 48000]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("n_times", [1, 2, 7, 1000])
def test_equals_scipy_with_the_same_filter(rate, n_times):
    resampler = Resampler(rate, 16000, dtype=torch.float64)
    x = np.random.default_rng(n_times).normal(size=(2, n_times))
    up, down = resampler.up, resampler.down
    expected = scipy.signal.resample_poly(
        x, up, down, axis=1, window=resampling_filter(up, down) / up
    )
    found = resampler(torch.from_numpy(x)).numpy()
    assert found.shape == (2, resampler.n_out(n_times))
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_is_kept_and_frequencies_above_the_new_nyquist_are_removed(rate):
    seconds = np.arange(rate) / rate
    resampler = Resampler(rate, 16000, dtype=torch.float64)

    def resampled_tone(frequency):
        tone = torch.from_numpy(np.sin(2 * np.pi * frequency * seconds))[None]
        return resampler(tone)[0, 1000:-1000].numpy()

    expected = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)[1000:-1000]
    np.testing.assert_allclose(resampled_tone(1000), expected, atol=1e-4)
    if rate > 16000:
        assert np.abs(resampled_tone(8300)).max() < 1e-4


def test_equal_rates_leave_samples_unchanged():
    x = torch.randn(2, 50)
    assert torch.equal(Resampler(16000, 16000)(x), x)


def test_lengths_may_be_tensors():
    resampler = Resampler(44100, 16000)
    lengths = torch.arange(1, 500)
    assert resampler.n_out(lengths).tolist() == [resampler.n_out(n) for n in lengths.tolist()]


def test_rates_without_a_common_factor_are_refused_with_a_remedy():
    with pytest.raises(ValueError, match=r"sample_rate=44101 Hz.*AudioReader\(sample_rate=16000\)"):
        Resampler(44101, 16000)
