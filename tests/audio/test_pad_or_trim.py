"""PadOrTrim: fixed lengths, learned lengths, and padding values."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_speech.audio import PadOrTrim
from sklearn_speech.utils.validation import make_ragged

# clips of a few samples, most of which are cut on purpose
pytestmark = pytest.mark.filterwarnings("ignore:n_times=|clip 0 of X has 90:UserWarning")


@parametrize_with_checks(
    [PadOrTrim(), PadOrTrim(n_times=3), PadOrTrim(n_times=50, align="center"), PadOrTrim(None, 0.5)]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize(
    "align, n_times, expected",
    [
        ("start", 2, [1, 2]),
        ("start", 7, [1, 2, 3, 4, 5, 0, 0]),
        ("center", 2, [2, 3]),
        ("center", 3, [2, 3, 4]),
        ("center", 8, [0, 1, 2, 3, 4, 5, 0, 0]),
        ("center", 5, [1, 2, 3, 4, 5]),
    ],
)
def test_alignment_of_a_five_sample_clip(align, n_times, expected):
    transformer = PadOrTrim(n_times, align=align)
    for X in ([[1.0, 2, 3, 4, 5]], make_ragged([np.arange(1.0, 6)])):
        np.testing.assert_array_equal(transformer.fit_transform(X), [expected])


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 30), min_size=1, max_size=6),
    st.integers(1, 40),
    st.sampled_from(["start", "center"]),
)
def test_padding_keeps_all_samples_and_trimming_only_shortens(lengths, n_times, align):
    clips = [np.arange(1.0, n + 1) for n in lengths]
    X = PadOrTrim(n_times, align=align).fit_transform(make_ragged(clips))
    assert X.shape == (len(clips), n_times)
    for row, clip in zip(X, clips, strict=True):
        kept = row[row != 0]
        assert len(kept) == min(len(clip), n_times)
        np.testing.assert_array_equal(np.diff(kept), 1)


@pytest.mark.parametrize("quantile", [0, 0.3, 0.5, 0.9, 0.95, 1.0])
def test_a_quantile_that_is_the_length_of_a_clip_gives_that_length(quantile):
    lengths = np.random.RandomState(0).randint(1, 100, 21)
    fitted = PadOrTrim(quantile=quantile).fit([np.zeros(n) for n in lengths])
    assert fitted.n_times_ == np.sort(lengths)[round(20 * quantile)]


def test_a_length_between_two_clips_is_rounded_up():
    assert PadOrTrim(quantile=0.5).fit([np.zeros(3), np.zeros(6)]).n_times_ == 5


def test_the_default_length_is_that_of_the_longest_training_clip():
    transformer = PadOrTrim().fit([np.ones(3), np.ones(5)])
    assert transformer.transform([np.ones(9), np.ones(1)]).shape == (2, 5)


def test_the_length_depends_on_training_clips_only():
    transformer = PadOrTrim(quantile=1.0).fit([np.ones(3), np.ones(5)])
    transformer.transform([np.ones(90), np.ones(1)])
    assert transformer.n_times_ == 5


def test_spectrograms_are_padded_in_frames():
    dense = np.random.RandomState(0).randn(2, 4, 6)
    assert PadOrTrim(8).fit_transform(dense).shape == (2, 4, 8)
    ragged = [dense[0], dense[1][:, :3]]
    X = PadOrTrim().fit_transform(ragged)
    np.testing.assert_array_equal(X[0], dense[0])
    np.testing.assert_array_equal(X[1, :, :3], dense[1, :, :3])
    np.testing.assert_array_equal(X[1, :, 3:], 0)


def test_padding_with_the_minimum_uses_the_minimum_of_each_clip():
    X = PadOrTrim(3, pad_value="min").fit_transform(
        [np.array([[1.0, -4.0], [2.0, 3.0]]), np.array([[7.0], [9.0]])]
    )
    np.testing.assert_array_equal(X[0], [[1, -4, -4], [2, 3, -4]])
    np.testing.assert_array_equal(X[1], [[7, 7, 7], [9, 7, 7]])


def test_padding_with_a_number_uses_that_number():
    X = PadOrTrim(3, pad_value=-80.0).fit_transform(np.zeros((1, 2, 1)))
    np.testing.assert_array_equal(X, [[[0, -80, -80]] * 2])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dtype_is_kept_and_input_untouched(dtype):
    X = np.ones((2, 5), dtype)
    for n_times in (3, 5, 7):
        out = PadOrTrim(n_times).fit_transform(X)
        assert out.dtype == dtype
        out[:] = 9
    assert (X == 1).all()


def test_a_series_of_clips_is_ragged():
    X = PadOrTrim(2).fit_transform(pd.Series([np.ones(1), np.ones(3)], index=[5, 6]))
    np.testing.assert_array_equal(X, [[1, 0], [1, 1]])


def test_ragged_and_dense_waveforms_may_alternate():
    transformer = PadOrTrim(4).fit([np.ones(3), np.ones(5)])
    assert transformer.transform(np.ones((2, 9))).shape == (2, 4)


def test_errors_name_a_remedy():
    with pytest.raises(ValueError, match="both given"):
        PadOrTrim(n_times=4, quantile=0.5).fit([[1.0]])
    with pytest.raises(ValueError, match="pad_value='min' is for spectrograms"):
        PadOrTrim(4, pad_value="min").fit([[1.0]])
    with pytest.raises(ValueError, match="'quantile' parameter"):
        PadOrTrim(quantile=1.5).fit([[1.0]])
    with pytest.raises(NotFittedError):
        PadOrTrim(4).transform([[1.0]])
    with pytest.raises(ValueError, match="put AudioReader before"):
        PadOrTrim(4).fit(["a.wav", "b.wav"])
    with pytest.raises(ValueError, match=r"contains waveforms, but .* fitted with spectro"):
        PadOrTrim(4).fit(np.ones((1, 2, 3))).transform(np.ones((1, 2)))
    with pytest.raises(ValueError, match="clip 1 of X contains NaN"):
        PadOrTrim(4).fit([np.ones(3), np.array([np.nan])])
    with pytest.raises(ValueError, match="clip 1 of X has 3 bands"):
        PadOrTrim(4).fit([np.ones((2, 5)), np.ones((3, 4))])
    with pytest.raises(ValueError, match="clip 1 of X has shape"):
        PadOrTrim(4).fit([np.ones(5), np.ones((3, 4))])


def test_a_length_that_cuts_many_clips_warns_of_the_loss_and_suggests_a_length():
    clips = [np.ones(n) for n in [100] * 5 + [300] * 5]
    with pytest.warns(UserWarning, match=r"cuts 50% .* loses 50% of their samples; n_times=300 "):
        PadOrTrim(n_times=100).fit(clips)


@pytest.mark.filterwarnings("error")
def test_a_length_that_keeps_95_of_100_clips_whole_does_not_warn():
    clips = [np.ones(n) for n in [100] * 95 + [300] * 5]
    PadOrTrim(n_times=100).fit(clips)
    PadOrTrim(quantile=0.5).fit([np.ones(3), np.ones(9)])  # as requested


def test_warns_of_a_recording_much_longer_than_the_training_clips():
    transformer = PadOrTrim(n_times=100).fit([np.ones(90), np.ones(100)])
    with pytest.warns(UserWarning, match=r"clip 1 of X has 6000 samples, .* no clip .* than 100"):
        transformer.transform([np.ones(90), np.ones(6000)])
