"""Pitch and level of sounds whose pitch and level are known."""

import numpy as np
import pytest
import torch

from sklearn_speech.modules.pitch_tracker import PitchTracker

RATE = 16000
PITCH, PERIODICITY, LEVEL, CHANGE, RISE, SPEED, VOICED = range(7)


def buzz(phase, level=0.1):
    """Harmonics of a voice whose phase of the fundamental, in periods, is given."""
    return level * sum(np.sin(2 * np.pi * k * phase) / k for k in range(1, 8))


def steady(pitch, seconds=0.5, level=0.1):
    return buzz(pitch * np.arange(int(seconds * RATE)) / RATE, level)


def contours(x, **parameters):
    with torch.no_grad():
        return PitchTracker(**parameters)(torch.from_numpy(np.asarray(x, np.float32))[None])[0]


@pytest.mark.parametrize("pitch", [65, 80, 100, 123.4, 180, 250, 333, 440, 490])
def test_pitch_of_a_steady_voice_is_found_within_a_tenth_of_a_semitone(pitch):
    found = contours(steady(pitch))[:, 5:-5]
    assert found[VOICED].min() == 1 and found[PERIODICITY].min() > 0.9
    np.testing.assert_allclose(found[PITCH], 12 * np.log2(pitch / 100), rtol=0, atol=0.1)
    np.testing.assert_allclose(found[CHANGE], 0, atol=0.05)


def test_level_is_the_mean_energy_in_decibels():
    found = contours(0.5 * np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE))[:, 5:-5]
    np.testing.assert_allclose(found[LEVEL], 10 * np.log10(0.5**2 / 2), rtol=0, atol=0.05)


def test_a_glide_changes_by_its_slope():
    # an octave a second is 0.12 semitones a frame
    times = np.arange(RATE) / RATE
    found = contours(buzz(150 * (2**times - 1) / np.log(2)))[:, 8:-8]
    assert found[CHANGE].mean() == pytest.approx(0.12, abs=0.01)
    torch.testing.assert_close(found[SPEED], found[CHANGE].abs())


@pytest.mark.parametrize("gain", [0.01, 3.0])
def test_gain_changes_the_level_alone(gain):
    x = np.concatenate([steady(120), np.zeros(4000), steady(200)])
    loud, soft = contours(x), contours(gain * x)
    torch.testing.assert_close(soft[[PITCH, CHANGE]], loud[[PITCH, CHANGE]], rtol=0, atol=0.01)
    assert (soft[VOICED] == loud[VOICED]).all()
    assert (soft - loud)[LEVEL].mean() == pytest.approx(20 * np.log10(gain), abs=0.1)


def test_frames_without_a_voice_have_the_mean_of_the_others():
    x = np.concatenate([np.zeros(8000), steady(120), np.zeros(8000)])
    found = contours(x)
    unvoiced = found[:, found[VOICED] == 0]
    mean = found[:, found[VOICED] == 1].mean(1)
    assert unvoiced.shape[1] > 80
    expected = mean[:VOICED, None].expand(-1, unvoiced.shape[1])
    torch.testing.assert_close(unvoiced[:VOICED], expected, rtol=0, atol=1e-4)


def test_noise_has_a_low_periodicity():
    x = np.random.default_rng(0).normal(scale=0.1, size=RATE)
    assert contours(x)[PERIODICITY].median() < 0.4


@pytest.mark.parametrize("n_times", [1, 100, 159, 160, 5000])
@pytest.mark.parametrize("level", [0.0, 1e-20, 1.0])
def test_any_clip_gives_finite_contours(n_times, level):
    found = contours(level * np.ones(n_times))
    assert found.shape == (7, 1 + n_times // 160) and found.isfinite().all()


def test_pitches_are_searched_between_fmin_and_fmax():
    # an octave too low is also a period of the sound
    found = contours(steady(300), fmin=60, fmax=200)[PITCH, 5:-5]
    np.testing.assert_allclose(found, 12 * np.log2(150 / 100), rtol=0, atol=0.1)


@pytest.mark.parametrize("limits", [(20, 500), (300, 300), (60, 3000)])
def test_wrong_limits_are_refused(limits):
    with pytest.raises(ValueError, match=rf"fmin={limits[0]}, fmax={limits[1]}: expected 30 <="):
        PitchTracker(*limits)
