"""Features relative to the mean and spread of their speaker."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score

from sklearn_speech.feature_extraction import standardize_by_speaker

RNG = np.random.default_rng(0)
SPEAKERS = np.array(["eve", "ann", "bob"])[RNG.permutation(np.arange(60) % 3)]
X = RNG.normal(size=(60, 4))


def test_each_speaker_has_mean_0_and_deviation_1_in_each_feature():
    found = standardize_by_speaker(X, SPEAKERS)
    for speaker in np.unique(SPEAKERS):
        own = found[SPEAKERS == speaker]
        np.testing.assert_allclose(own.mean(0), 0, atol=1e-12)
        np.testing.assert_allclose(own.std(0), 1)


def test_a_speaker_is_not_touched_by_others_nor_by_level_and_scale():
    found = standardize_by_speaker(X, SPEAKERS)
    ann = SPEAKERS == "ann"
    changed = np.where(ann[:, None], X * 7 + 100, X)
    np.testing.assert_allclose(standardize_by_speaker(changed, SPEAKERS), found, atol=1e-12)
    np.testing.assert_array_equal(standardize_by_speaker(X[ann], SPEAKERS[ann]), found[ann])
    assert standardize_by_speaker(X.astype(np.float32), SPEAKERS).dtype == np.float32


def test_what_differs_from_usual_is_recognised_of_new_speakers():
    y = np.arange(60) % 2
    shifted = (
        X * 0.5 + 2.0 * y[:, None] + 20 * np.searchsorted(["ann", "bob", "eve"], SPEAKERS)[:, None]
    )
    scores = [
        cross_val_score(LogisticRegression(), table, y, groups=SPEAKERS, cv=GroupKFold(3)).mean()
        for table in (shifted, standardize_by_speaker(shifted, SPEAKERS))
    ]
    assert scores[0] < 0.7 and scores[1] > 0.95


@pytest.mark.parametrize(
    ("table", "speakers", "message"),
    [
        (X, ["alone", *SPEAKERS[1:]], "speaker 'alone' has only one clip"),
        (np.where(X == X[3, 1], np.nan, X), SPEAKERS, "contains NaN"),
        (X, SPEAKERS[1:], "speakers has 59 entries for 60 clips"),
        (X[:, 0], SPEAKERS, "Expected 2D array"),
    ],
)
def test_what_has_no_mean_and_spread_is_named(table, speakers, message):
    with pytest.raises(ValueError, match=message):
        standardize_by_speaker(table, speakers)


def test_masked_values_are_refused():
    masked = np.ma.masked_array(X, mask=np.arange(X.size).reshape(X.shape) == 5)
    with pytest.raises(ValueError, match="X is masked at 1 of 240 values"):
        standardize_by_speaker(masked, SPEAKERS)
