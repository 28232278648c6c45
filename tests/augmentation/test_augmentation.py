import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from sklearn_speech import augmentation
from sklearn_speech.augmentation import (
    AddNoise,
    BackgroundNoise,
    FrameShift,
    FreqMixStyle,
    Gain,
    Mixup,
    PitchShift,
    RandomEqualizer,
    RandomTrim,
    RoomReverb,
    SpecAugment,
    SpeedPerturb,
    TimeShift,
    TimeStretch,
    VocalTractWarp,
)
from tests.members import AUGMENTATIONS, label

#: Mixup cannot be called; its tests are in test_spectrogram_augmentations.py.
CASES = [aug for aug in AUGMENTATIONS if not isinstance(aug, Mixup)]
by_name = pytest.mark.parametrize("aug", CASES, ids=label)


def batch(aug, n_clips=6, n_steps=400):
    """Noise; in spectrograms its level rises to the middle of the clip and falls again."""
    if aug.domain == "waveform":
        return torch.randn(n_clips, n_steps)
    return torch.randn(n_clips, 20, n_steps) + 50 * torch.sin(torch.linspace(0, 3.14, n_steps))


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@by_name
def test_equal_seeds_give_equal_results_and_other_seeds_others(aug):
    x = batch(aug)
    first, again, other = (aug(x, None, generator(seed))[0] for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@pytest.mark.parametrize(
    "aug",
    # mixing equal clips changes nothing
    [aug for aug in CASES if not isinstance(aug, FreqMixStyle)],
    ids=lambda aug: type(aug).__name__,
)
def test_clips_of_a_batch_get_different_draws_and_the_input_is_unchanged(aug):
    x = batch(aug, 1).repeat(8, *[1] * (batch(aug).dim() - 1))
    before = x.clone()
    y, _ = aug(x, None, generator())
    always = clone(aug).set_params(p=1)
    draws = {tuple(always(x, None, generator(seed))[0].flatten().tolist()) for seed in range(3)}
    # an augmentation that only draws whether it acts has two results
    assert len({tuple(clip.flatten().tolist()) for clip in y}) >= (5 if len(draws) > 1 else 2)
    assert torch.equal(x, before)


@by_name
def test_probability_zero_changes_nothing_and_a_half_changes_about_half(aug):
    x = batch(aug, 60)
    y, lengths = clone(aug).set_params(p=0)(x, torch.full((60,), 400), generator())
    assert y is x
    assert (lengths == 400).all()
    y, _ = clone(aug).set_params(p=0.5)(x, None, generator())
    changed = (y != x).flatten(1).any(1).sum()
    assert 10 < changed < 45


@by_name
def test_shape_dtype_and_zero_padding_are_kept(aug):
    x, lengths = batch(aug), torch.tensor([400, 300, 100, 7, 2, 1])
    for row, length in zip(x, lengths):
        row[..., length:] = 0
    y, new = aug(x, lengths, generator())
    assert (y.shape, y.dtype, new.dtype) == (x.shape, x.dtype, torch.int64)
    assert torch.isfinite(y).all()
    assert ((new >= 1) & (new <= 400)).all()
    for row, length in zip(y, new):
        assert not row[..., length:].any()
    assert aug(x, None, generator())[1] is None


@by_name
def test_clips_of_one_step_and_empty_batches_are_allowed(aug):
    for x in (batch(aug, 3, 1), batch(aug, 0, 5)):
        assert aug(x, None, generator())[0].shape == x.shape
    assert torch.isfinite(aug(batch(aug, 3, 1), torch.ones(3).long(), generator())[0]).all()


@by_name
def test_silence_stays_finite(aug):
    y, _ = aug(torch.zeros_like(batch(aug)), None, generator())
    assert torch.isfinite(y).all()


@by_name
def test_without_a_generator_torchs_own_is_used(aug):
    x = batch(aug)
    torch.manual_seed(5)
    first = aug(x)[0]
    torch.manual_seed(5)
    assert torch.equal(aug(x)[0], first)


def parameters(aug):
    """Parameters as text, arrays in full."""
    return {name: str(value) for name, value in aug.get_params().items()}


@pytest.mark.parametrize("aug", AUGMENTATIONS, ids=label)
def test_clones_and_pickles_have_the_same_parameters_and_set_params_changes_them(aug):
    for copy in (clone(aug), pickle.loads(pickle.dumps(aug))):
        assert copy is not aug
        assert parameters(copy) == parameters(aug)
    if not isinstance(aug, BackgroundNoise):
        assert parameters(eval(repr(aug), vars(augmentation))) == parameters(aug)
    other = clone(aug).set_params(p=0.25)
    assert other.p == other.get_params()["p"] == 0.25
    with pytest.raises(
        ValueError, match=r"(?s)Invalid parameter 'q' for .*Valid parameters are:.*'p'"
    ):
        clone(aug).set_params(q=1)


@pytest.mark.parametrize("aug", AUGMENTATIONS, ids=label)
def test_parameters_are_validated_at_each_call_and_never_by_apply(aug):
    x = batch(aug, 2, 8)
    bad = clone(aug).set_params(p=2)  # stored as it is
    method = bad.mix if isinstance(bad, Mixup) else bad
    for check in (bad.validate, lambda: method(x)):
        with pytest.raises(ValueError, match=f"'p' parameter of {type(aug).__name__} must be"):
            check()
    assert bad.apply(x)[0].shape == x.shape
    assert aug.validate() is None


@pytest.mark.parametrize("aug", AUGMENTATIONS, ids=label)
def test_every_parameter_is_constrained(aug):
    """A meaningless object is refused as the value of each parameter."""
    for name in aug.get_params():
        with pytest.raises(ValueError, match=name):
            clone(aug).set_params(**{name: object()}).validate()


def test_parameters_of_an_augmentation_can_be_searched():
    pipeline = make_pipeline(Gain())
    assert pipeline.set_params(gain__p=0.5)[0].p == 0.5


@by_name
def test_clips_of_the_wrong_domain_are_refused(aug):
    wrong = torch.zeros(2, 3, 4) if aug.domain == "waveform" else torch.zeros(2, 3)
    with pytest.raises(ValueError, match=f"{type(aug).__name__} works on {aug.domain}s"):
        aug(wrong)


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: AddNoise(snr_db=10), "'snr_db' parameter .* Got 10"),
        (lambda: AddNoise(snr_db=(20, 10)), "snr_db"),
        (lambda: AddNoise(color="red"), "'color' parameter .* Got 'red'"),
        (lambda: AddNoise(p=1.5), "'p' parameter .* Got 1.5"),
        (lambda: BackgroundNoise([]), "clips is empty"),
        (lambda: BackgroundNoise([np.zeros((2, 2))]), r"clips\[0\] has shape \(2, 2\)"),
        (lambda: BackgroundNoise([np.ones(9), [0.0, np.nan]]), r"clips\[1\] contains NaN"),
        (lambda: Gain(gain_db=(0, np.nan)), "gain_db"),
        (lambda: Gain(gain_db=(0, 201)), r"gain_db=\(0, 201\): expected .* within"),
        (lambda: Gain(gain_db=(0, 1, 2)), r"gain_db=\(0, 1, 2\)"),
        (lambda: PitchShift(0), "'sample_rate' parameter .* Got 0"),
        (lambda: PitchShift(8000, (-30, 0)), "semitones"),
        (lambda: RoomReverb(8000, reverberation_time=(0, 1)), "reverberation_time"),
        (lambda: SpeedPerturb((0, 1)), "factor"),
        (lambda: TimeShift(8000, max_shift=-1), "'max_shift' parameter .* Got -1"),
        (lambda: FrameShift(max_frames=1.5), "'max_frames' parameter .* Got 1.5"),
        (lambda: RandomEqualizer(scaling=None), "'scaling' parameter .* Got None"),
        (lambda: RandomTrim(top_db=(-3, 10)), "top_db"),
        (lambda: FreqMixStyle(p="often"), "'p' parameter .* Got 'often'"),
        (lambda: SpecAugment(n_time_masks=-1), "'n_time_masks' parameter .* Got -1"),
        (lambda: SpecAugment(max_time_fraction=2), "'max_time_fraction' parameter .* Got 2"),
        (lambda: TimeStretch("fast"), "'factor' parameter .* Got 'fast'"),
        (lambda: VocalTractWarp(8000, fmax=5000), "fmax=5000"),
        (lambda: Mixup(alpha=0), "'alpha' parameter .* Got 0"),
        (lambda: Mixup(domain="image"), "'domain' parameter .* Got 'image'"),
    ],
)
def test_errors_name_wrong_parameters(make, message):
    with pytest.raises(ValueError, match=message):
        make().validate()
