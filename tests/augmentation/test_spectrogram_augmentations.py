import numpy as np
import pytest
import torch

from sklearn_speech.augmentation import (
    FrameShift,
    FreqMixStyle,
    Mixup,
    NoiseFloor,
    RandomEqualizer,
    RandomTrim,
    SpecAugment,
    TimeStretch,
    VocalTractWarp,
)
from sklearn_speech.augmentation._vocal_tract_warp import unwarp
from sklearn_speech.filters import mel_frequencies


def longest_run(flags):
    best = run = 0
    for flag in flags:
        run = run + 1 if flag else 0
        best = max(best, run)
    return best


def test_masks_stay_inside_the_clip_and_are_filled_with_its_mean():
    lengths = torch.tensor([100, 40, 10]).repeat(70)
    x = torch.rand(210, 20, 100) + 1
    x = x * (torch.arange(100) < lengths[:, None])[:, None]
    y, new = SpecAugment(1, 0.2, 1, 0.15)(x, lengths)
    assert torch.equal(new, lengths)
    hidden = y != x
    widest = dict.fromkeys((100, 40, 10), 0)
    for i, length in enumerate(lengths.tolist()):
        assert not hidden[i, :, length:].any()
        inside = hidden[i, :, :length]
        frames, bands = inside.all(0), inside.all(1)
        assert (longest_run(frames) == frames.sum(), longest_run(bands) == bands.sum()) == (1, 1)
        assert torch.equal(inside, frames | bands[:, None])
        assert bands.sum() <= 3
        widest[length] = max(widest[length], int(frames.sum()))
        mean = x[i, :, :length].mean()
        torch.testing.assert_close(y[i][hidden[i]], mean.expand(int(hidden[i].sum())))
    assert widest == {100: 20, 40: 8, 10: 2}


def test_several_masks_hide_at_most_their_sum():
    x = torch.rand(100, 20, 100)
    y, _ = SpecAugment(3, 0.1, 0, 0.0)(x)
    hidden = (y != x).all(1).sum(1)
    assert 20 < hidden.max() <= 30


def test_masks_of_strength_zero_change_nothing():
    x = torch.rand(4, 20, 50)
    for aug in (SpecAugment(0, 1, 0, 1), SpecAugment(2, 0, 2, 0)):
        assert torch.equal(aug(x)[0], x)


def test_frame_shift_fills_with_the_minimum_of_each_band_and_never_wraps():
    x = torch.arange(1.0, 41.0).expand(200, 2, 40) * torch.tensor([[1.0], [-1.0]])
    y, _ = FrameShift(max_frames=5)(x)
    shifts = set()
    for clip in y:
        by = int((torch.arange(40) - clip[0] + 1)[20])
        shifts.add(by)
        filled = torch.arange(40) < by if by > 0 else torch.arange(40) >= 40 + by
        expected = x[0].roll(by, 1)
        expected[0, filled], expected[1, filled] = 1.0, -40.0
        assert torch.equal(clip, expected)
    assert shifts == set(range(-5, 6))


@pytest.mark.parametrize("factor", [0.5, 0.8, 1.0, 1.25, 2.0])
def test_time_stretch_changes_the_slope_of_a_ramp_and_the_lengths(factor):
    x = torch.arange(100.0).expand(2, 3, 100) * torch.tensor([1, 0.5])[:, None, None]
    x = x * (torch.arange(100) < torch.tensor([[100], [50]]))[:, None]
    y, lengths = TimeStretch((factor, factor))(x, torch.tensor([100, 50]))
    assert lengths.tolist() == [min(100, np.ceil(100 / factor)), np.ceil(50 / factor)]
    expected = (torch.arange(100) * factor).clamp(max=49)[: lengths[1]] / 2
    torch.testing.assert_close(y[1, :, : lengths[1]], expected.expand(3, -1))
    assert not y[1, :, lengths[1] :].any()


def test_time_stretch_without_lengths_pads_with_the_minimum_of_each_band():
    x = torch.randn(2, 3, 40)
    y, lengths = TimeStretch((2, 2))(x)
    assert lengths is None
    assert torch.equal(y[:, :, 20:], x.amin(2, keepdim=True).expand(2, 3, 20))
    assert torch.equal(TimeStretch((1, 1))(x)[0], x)


@pytest.mark.parametrize("mel_scale", ["slaney", "htk", "linear"])
@pytest.mark.parametrize("factor", [0.8, 0.9, 1.0, 1.1, 1.25])
@pytest.mark.parametrize("frequency", [500.0, 1200.0, 1800.0])
def test_warp_moves_a_peak_to_factor_times_its_frequency(frequency, factor, mel_scale):
    if mel_scale == "linear":
        centers = np.linspace(0, 4000, 128)
    else:
        centers = mel_frequencies(130, 0, 4000, mel_scale)[1:-1]
    width = 150.0
    x = torch.from_numpy(np.exp(-(((centers - frequency) / width) ** 2)))[None, :, None].float()
    y = VocalTractWarp(8000, (factor, factor), mel_scale=mel_scale)(x)[0][0, :, 0].numpy()
    expected = np.exp(-(((centers / factor - frequency) / width) ** 2))
    low = centers <= 2000  # under the bend
    assert np.abs(y - expected)[low].max() < 0.03
    assert centers[y.argmax()] == pytest.approx(frequency * factor, abs=60)


@pytest.mark.parametrize("factor", [0.7, 0.9, 1.0, 1.2])
def test_warp_is_continuous_and_increasing_and_keeps_both_ends(factor):
    frequencies = np.linspace(0, 4000, 4001)
    source = unwarp(frequencies, factor, 8000)
    assert source[[0, -1]] == pytest.approx([0, 4000])
    assert (np.diff(source) > 0).all()
    assert np.diff(source).max() < 2


def test_warp_of_one_is_the_identity():
    x = torch.randn(2, 40, 9)
    torch.testing.assert_close(VocalTractWarp(16000, (1, 1))(x)[0], x, atol=1e-4, rtol=1e-4)


def test_equalizer_is_one_smooth_bounded_curve_per_clip():
    x = torch.randn(200, 64, 7)
    gain = RandomEqualizer(6, 4, scaling="db")(x)[0] - x
    torch.testing.assert_close(gain, gain[:, :, :1].expand_as(gain), atol=1e-5, rtol=0)
    curve = gain[:, :, 0]
    assert 5.5 < curve.max() <= 6.0001
    # a half cosine of height 12 over a third of 63 bands is nowhere steeper than this
    assert curve.diff(dim=1).abs().max() < 12 * np.pi / 2 / 21
    assert curve.std(1).min() > 0.1
    flat = RandomEqualizer(6, 1, scaling="db")(x)[0] - x
    assert flat.std((1, 2)).max() < 1e-5


def test_equalizer_gains_agree_in_decibels_and_logarithms_of_power():
    x = torch.zeros(3, 10, 2)
    torch.manual_seed(0)
    decibel = RandomEqualizer(scaling="db")(x)[0]
    torch.manual_seed(0)
    log = RandomEqualizer(scaling="log")(x)[0]
    torch.testing.assert_close(log.exp(), 10 ** (decibel / 10))
    assert torch.equal(RandomEqualizer(max_db=0)(x)[0], x)


def test_mixup_is_the_weighted_mean_of_the_returned_pairs():
    x = torch.randn(50, 4, 6)
    y, lengths, permutation, weight = Mixup(alpha=1.0).mix(x)
    assert lengths is None
    assert sorted(permutation.tolist()) == list(range(50))
    w = weight[:, None, None]
    torch.testing.assert_close(y, w * x + (1 - w) * x[permutation])
    assert ((weight >= 0) & (weight <= 1)).all()


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_mixup_weights_have_the_moments_of_a_beta_distribution(alpha):
    _, _, _, weight = Mixup(alpha, domain="waveform").mix(torch.zeros(20000, 1))
    assert weight.mean() == pytest.approx(0.5, abs=0.01)
    assert weight.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.04)


def test_mixup_of_clips_of_different_lengths_keeps_the_end_of_the_longer_one():
    x = torch.zeros(2, 1, 10)
    x[0, :, :4], x[1] = 2.0, 6.0
    for seed in range(20):
        torch.manual_seed(seed)
        y, lengths, permutation, weight = Mixup(alpha=1.0).mix(x, torch.tensor([4, 10]))
        if permutation.tolist() == [1, 0]:
            break
    assert permutation.tolist() == [1, 0]
    assert lengths.tolist() == [10, 10]
    assert (y[:, :, 4:] == 6.0).all()
    expected = weight * torch.tensor([2.0, 6.0]) + (1 - weight) * torch.tensor([6.0, 2.0])
    torch.testing.assert_close(y[:, 0, 0], expected)


def test_mixup_leaves_some_clips_unchanged_with_a_probability_below_one():
    x, lengths = torch.randn(100, 3, 5), torch.randint(1, 6, (100,))
    x = x * (torch.arange(5) < lengths[:, None])[:, None]
    y, new, _, weight = Mixup(alpha=1.0, p=0.3).mix(x, lengths)
    alone = weight == 1
    assert 50 < alone.sum() < 90
    torch.testing.assert_close(y[alone], x[alone])
    assert torch.equal(new[alone], lengths[alone])
    assert (new >= lengths).all()


def test_mixup_is_reproducible_and_cannot_be_called():
    x = torch.randn(9, 3, 5)
    first, again = (Mixup().mix(x, None, torch.Generator().manual_seed(3))[0] for _ in range(2))
    assert torch.equal(first, again)
    with pytest.raises(TypeError, match="use mix"):
        Mixup()(x)


@pytest.mark.parametrize("scaling", ["log", "db"])
def test_noise_floor_adds_energies_at_the_given_depth(scaling):
    energy = torch.rand(4, 10, 30, dtype=torch.float64) + 1e-9
    unit = {"log": torch.log, "db": lambda e: 10 * torch.log10(e)}[scaling]
    aug = NoiseFloor(depth_db=(20, 20), max_tilt_db=0, spread_db=0, scaling=scaling)
    noise = energy.amax((1, 2), keepdim=True) / 100
    torch.testing.assert_close(aug(unit(energy))[0], unit(energy + noise), rtol=1e-6, atol=1e-6)


def test_noise_floor_is_relative_to_the_loudest_frame_inside_the_clip():
    x = torch.zeros(1, 4, 20)
    x[:, :, 10:] = 50.0  # padding, louder than the clip
    aug = NoiseFloor(depth_db=(10, 10), max_tilt_db=0, spread_db=0, scaling="db")
    inside = aug(x, torch.tensor([10]))[0][:, :, :10]
    torch.testing.assert_close(inside, torch.full_like(inside, 10 * np.log10(1.1)))


def test_noise_floor_is_tilted_by_at_most_the_given_slope():
    silence = torch.full((300, 11, 2), -300.0)
    silence[:, :, 0] = 0.0
    aug = NoiseFloor(depth_db=(60, 60), max_tilt_db=6, spread_db=0, scaling="db")
    noise = aug(silence)[0][:, :, 1] + 60
    torch.testing.assert_close(noise.diff(dim=1, n=2), torch.zeros(300, 9), atol=1e-4, rtol=0)
    assert 5.5 < noise.abs().max() <= 6.001


@pytest.mark.parametrize("scaling", ["log", "db"])
def test_trim_keeps_the_same_frames_as_librosa(scaling):
    import librosa

    waveform = np.sin(np.arange(8192) * 0.7) * np.hanning(8192) ** 4
    frames = librosa.util.frame(waveform, frame_length=256, hop_length=256)
    energy = torch.from_numpy((frames**2).sum(0) + 1e-12).expand(3, 5, -1) / 5
    x = {"log": torch.log, "db": lambda e: 10 * torch.log10(e)}[scaling](energy)
    y, _ = RandomTrim(top_db=(25, 25), scaling=scaling)(x)
    _, (start, end) = librosa.effects.trim(
        np.pad(waveform, 128), top_db=25, frame_length=256, hop_length=256
    )  # librosa centres its frames: with half a frame of padding they start where ours do
    inside = torch.arange(32)
    inside = (inside >= (start - 1) // 256) & (inside < -(-end // 256) - 1)
    assert 10 < inside.sum() < 25
    assert torch.equal(y[:, :, inside], x[:, :, inside])
    silence = x.amin(2, keepdim=True).expand_as(x)
    assert torch.equal(y[:, :, ~inside], silence[:, :, ~inside])


def test_each_edge_is_trimmed_at_its_own_level_and_the_middle_is_kept():
    ramp = torch.arange(-50.0, 1.0)
    x = torch.cat([ramp, torch.full((9,), -49.0), ramp.flip(0)]).expand(300, 1, -1)
    y, lengths = RandomTrim(top_db=(10, 30))(x)
    assert lengths is None
    kept = y[:, 0] == x[0, 0]
    first = kept[:, 1:].int().argmax(1) + 1
    last = 109 - kept[:, 1:-1].flip(1).int().argmax(1)
    assert (int(first.min()), int(first.max())) == (21, 40)
    assert (int(last.min()), int(last.max())) == (70, 89)
    assert abs(np.corrcoef(first, last)[0, 1]) < 0.2
    assert torch.equal(y[:, :, 40:71], x[:, :, 40:71])


def test_trim_uses_the_loudest_frame_inside_the_clip():
    x = torch.tensor([[[-30.0, 0.0, -30.0, 90.0]]])
    y, lengths = RandomTrim(top_db=(10, 10))(x, torch.tensor([3]))
    assert (y[0, 0, :3].tolist(), lengths.tolist()) == ([-30.0, 0.0, -30.0], [3])


def test_mixed_style_shifts_each_band_towards_the_mean_of_another_clip():
    x = torch.randn(40, 6, 30) + 20 * torch.randn(40, 6, 1)
    x[:, :, 20:] = -100.0  # silence, which must not count
    move = FreqMixStyle(p=1)(x)[0] - x
    torch.testing.assert_close(move, move[:, :, :1].expand_as(move), atol=1e-4, rtol=0)
    colour, move = x[:, :, :20].mean(2), move[:, :, 0]
    for own, moved in zip(colour, move):
        way = colour - own
        share = (way * moved).sum(1) / way.square().sum(1).clamp(min=1e-9)
        errors = (share[:, None] * way - moved).abs().amax(1)
        assert errors.min() < 1e-3
        assert -1e-3 < share[errors.argmin()] < 1


def test_mixed_style_ignores_padding():
    x = torch.randn(2, 3, 8)
    padded = torch.cat([x, torch.full((2, 3, 4), 1e6)], dim=2)
    for seed in range(9):
        first, second = (torch.Generator().manual_seed(seed) for _ in range(2))
        alone = FreqMixStyle(p=1)(x, torch.tensor([8, 8]), first)[0]
        together = FreqMixStyle(p=1)(padded, torch.tensor([8, 8]), second)[0]
        torch.testing.assert_close(together[:, :, :8], alone)
