import numpy as np
import pytest
import torch

from sklearn_speech.augmentation import (
    AddNoise,
    BackgroundNoise,
    Gain,
    PitchShift,
    RoomReverb,
    SpeedPerturb,
    TimeShift,
)
from sklearn_speech.augmentation._resample import resample

RATE = 8000


def tone(frequency, n_times=4000):
    return torch.from_numpy(np.sin(2 * np.pi * frequency * np.arange(n_times) / RATE)).float()


def peak_frequency(x):
    """Frequency of the strongest bin, refined by a parabola through its neighbours' logs."""
    spectrum = np.abs(np.fft.rfft(x.numpy() * np.hanning(len(x))))
    k = int(spectrum[1:-1].argmax()) + 1
    a, b, c = np.log(spectrum[k - 1 : k + 2] + 1e-12)
    return (k + (a - c) / (2 * (a - 2 * b + c))) * RATE / len(x)


@pytest.mark.parametrize("color", ["white", "pink", "brown"])
def test_noise_has_exactly_the_given_ratio_over_the_samples_of_each_clip(color):
    x, lengths = torch.randn(3, 1000), torch.tensor([1000, 400, 30])
    x = x * (torch.arange(1000) < lengths[:, None])
    y, _ = AddNoise(snr_db=(7, 7), color=color)(x, lengths)
    ratio = 10 * torch.log10(x.square().sum(1) / (y - x).square().sum(1))
    torch.testing.assert_close(ratio, torch.full((3,), 7.0), atol=1e-3, rtol=0)


@pytest.mark.parametrize("color, db_per_octave", [("white", 0), ("pink", -3.01), ("brown", -6.02)])
def test_noise_has_the_slope_of_its_color(color, db_per_octave):
    noise = AddNoise(snr_db=(0, 0), color=color)(torch.ones(200, 4096))[0] - 1
    power = torch.fft.rfft(noise).abs().square().mean(0)
    octaves = [10 * torch.log10(power[2**k : 2 ** (k + 1)].mean()).item() for k in range(3, 11)]
    assert np.diff(octaves) == pytest.approx(np.full(7, db_per_octave), abs=0.7)


def test_ratios_are_drawn_from_the_whole_range():
    x = torch.ones(500, 100)
    y, _ = AddNoise(snr_db=(5, 25))(x)
    ratio = -10 * torch.log10((y - x).square().mean(1))
    assert 5 <= ratio.min() < 6
    assert 24 < ratio.max() <= 25


def test_background_noise_is_a_segment_of_a_recording_at_the_given_ratio():
    ramp, square = np.arange(1.0, 501.0), np.tile([1.0, -1.0], 30)
    x = torch.ones(40, 200)
    y, _ = BackgroundNoise([ramp, square], snr_db=(3, 3))(x)
    noise = (y - x).double()
    ratio = -10 * torch.log10(noise.square().mean(1))
    torch.testing.assert_close(ratio, torch.full((40,), 3.0).double(), atol=1e-3, rtol=0)
    steps = noise.diff(dim=1)
    is_square = steps[:, 1] * steps[:, 2] < 0
    assert 5 < is_square.sum() < 35
    assert torch.allclose(
        noise[is_square, :2].sum(1), torch.zeros(is_square.sum()).double(), atol=1e-5
    )
    # all steps of a ramp are equal except where the recording restarts
    spread = (steps[~is_square] - steps[~is_square].median(1, keepdim=True)[0]).abs() > 1e-3
    assert spread.sum(1).max() <= 1
    assert spread.any()


def test_gain_is_the_given_number_of_decibels():
    x = torch.randn(2, 100)
    torch.testing.assert_close(Gain((20, 20))(x)[0], 10 * x)
    torch.testing.assert_close(Gain((0, 0))(x)[0], x)
    gain = 20 * torch.log10(Gain((-6, 6))(torch.ones(300, 1))[0])
    assert (gain.min() < -5.5, gain.max() > 5.5, gain.abs().max() <= 6.001) == (True, True, True)


def test_time_shift_does_not_wrap_and_stays_within_its_limit():
    x = torch.arange(1.0, 1001.0).repeat(200, 1)
    y, _ = TimeShift(RATE, max_shift=0.01)(x)
    shifts = set()
    for row in y:
        kept = row.nonzero()[:, 0]
        by = int(kept[0] - (row[kept[0]] - 1))
        shifts.add(by)
        expected = torch.zeros(1000)
        expected[max(by, 0) : 1000 + min(by, 0)] = x[0, max(-by, 0) : 1000 - max(by, 0)]
        assert torch.equal(row, expected)
    assert min(shifts) >= -80
    assert max(shifts) <= 80
    assert len(shifts) > 80


def test_time_shift_of_a_short_clip_keeps_most_of_it():
    x = torch.zeros(300, 1000)
    x[:, :40] = 1
    y, lengths = TimeShift(RATE, max_shift=0.1, max_fraction=0.25)(x, torch.full((300,), 40))
    assert (lengths == 40).all()
    assert y.sum(1).min() == 30
    assert not y[:, 40:].any()


@pytest.mark.parametrize("factor", [0.8, 0.9, 1.0, 1.1, 1.25, 2.0])
def test_speed_multiplies_frequency_and_divides_length(factor):
    x = tone(500).repeat(2, 1)
    y, lengths = SpeedPerturb((factor, factor))(x, torch.tensor([4000, 2000]))
    expected = [min(4000, int(np.ceil(4000 / factor))), int(np.ceil(2000 / factor))]
    assert lengths.tolist() == expected
    for row, length in zip(y, lengths):
        assert peak_frequency(row[20 : length - 20]) == pytest.approx(500 * factor, rel=2e-3)


def test_speed_one_is_the_identity_and_other_speeds_interpolate_a_tone():
    x = torch.randn(3, 1001)
    torch.testing.assert_close(SpeedPerturb((1, 1))(x)[0], x, atol=1e-5, rtol=1e-5)
    y = resample(tone(1000)[None], torch.tensor([0.83]), 4000)[0]
    expected = tone(830)
    assert (y - expected)[200:-200].abs().max() < 2e-3


def test_speeding_up_removes_frequencies_that_would_alias():
    y, _ = SpeedPerturb((1.5, 1.5))(tone(3500)[None])
    assert y[0, 100:2500].abs().max() < 0.02


def test_speed_without_lengths_pads_with_silence():
    y, lengths = SpeedPerturb((2, 2))(torch.ones(1, 1000))
    assert lengths is None
    assert not y[0, 500:].any()
    assert y[0, 50:450].min() > 0.9


@pytest.mark.parametrize("semitones", [-5, -2, 0, 3, 12])
def test_pitch_shift_multiplies_frequency_and_keeps_length(semitones):
    x = torch.cat([tone(600), torch.zeros(2000)])[None]
    y, lengths = PitchShift(RATE, (semitones, semitones))(x, torch.tensor([4000]))
    assert lengths.tolist() == [4000]
    middle = y[0, 500:3500]
    assert peak_frequency(middle) == pytest.approx(600 * 2 ** (semitones / 12), rel=3e-3)
    loss_db = 10 * torch.log10(0.5 / middle.square().mean())
    assert abs(loss_db) < 1.5  # bins of a phase vocoder cancel a little
    assert not y[0, 4000:].any()


def test_pitch_shift_keeps_the_tempo():
    clicks = torch.zeros(1, 6000)
    clicks[0, [1000, 3000, 5000]] = 1.0
    for semitones in (-4, 4):
        y = PitchShift(RATE, (semitones, semitones))(clicks)[0][0].square()
        for place in (1000, 3000, 5000):
            near = y[place - 300 : place + 300]
            center = (near * torch.arange(600)).sum() / near.sum() - 300
            assert abs(center) < 64
            assert near.sum() > 10 * y[place - 900 : place - 300].sum()


def test_room_starts_with_the_direct_sound_and_has_the_given_ratio():
    click = torch.zeros(50, RATE)
    click[:, 0] = 1
    h, _ = RoomReverb(RATE, direct_to_reverberant_db=(6, 6))(click)
    torch.testing.assert_close(h[:, 0], torch.ones(50))
    ratio = -10 * torch.log10(h[:, 1:].square().sum(1))
    torch.testing.assert_close(ratio, torch.full((50,), 6.0), atol=0.02, rtol=0)


def test_room_decays_by_60_db_in_its_reverberation_time():
    click = torch.zeros(100, RATE)
    click[:, 0] = 1
    h, _ = RoomReverb(RATE, (0.4, 0.4), (0, 0))(click)
    power = 10 * torch.log10(h[:, 1:3200].square().mean(0) + 1e-20)
    slope = np.polyfit(np.arange(1, 3200) / RATE, power.numpy(), 1)[0]
    assert slope == pytest.approx(-60 / 0.4, rel=0.02)


def test_room_is_a_linear_convolution_of_each_clip():
    x = torch.randn(1, 300)
    click = torch.zeros(1, 300)
    click[0, 0] = 1
    room = RoomReverb(RATE, (0.01, 0.03))
    torch.manual_seed(1)
    response = room(click)[0][0]
    torch.manual_seed(1)
    expected = np.convolve(x[0].numpy(), response.numpy())[:300]
    torch.testing.assert_close(room(x)[0][0], torch.from_numpy(expected), atol=1e-4, rtol=1e-4)
