"""Scores of all speakers at once are scikit-learn's scores of each speaker."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import get_scorer, get_scorer_names
from sklearn.model_selection import GroupKFold

from sklearn_speech.model_selection import _means_of_clips, _scoring, cross_validate_by_speaker
from sklearn_speech.utils.sklearn_private import parts_of_scorer

rng = np.random.default_rng(0)
N = 90
X = rng.normal(size=(N, 3))
SPEAKERS = rng.integers(0, 7, N)
TARGETS = {
    "two classes": rng.integers(0, 2, N),
    "three classes": np.array(["no", "up", "yes"])[rng.integers(0, 3, N)],
    "numbers": X[:, 0] + rng.normal(size=N),
}
MEANS = [
    name
    for name in get_scorer_names()
    if parts_of_scorer(get_scorer(name)).function in _means_of_clips._OF_CLIPS
    and not parts_of_scorer(get_scorer(name)).options
]
OF_NUMBERS = [name for name in MEANS if "error" in name]
CASES = [
    (name, target)
    for name in MEANS
    for target in TARGETS
    if (name in OF_NUMBERS) == (target == "numbers")
]


def test_every_known_mean_has_a_scorer():
    functions = {parts_of_scorer(get_scorer(name)).function for name in MEANS}
    assert functions == set(_means_of_clips._OF_CLIPS)


@pytest.mark.parametrize(("name", "target"), CASES)
def test_scores_are_those_of_each_speaker_alone(name, target, monkeypatch):
    model = LinearRegression() if target == "numbers" else LogisticRegression()
    y = TARGETS[target]

    def by_speaker():
        scores = cross_validate_by_speaker(model, X, y, SPEAKERS, cv=GroupKFold(3), scoring=name)
        return scores.speaker_scores()

    at_once = by_speaker()
    monkeypatch.setattr(_scoring, "means_by_speaker", lambda *_: None)
    np.testing.assert_allclose(at_once, by_speaker(), rtol=1e-12)


def test_a_mean_that_is_not_the_scorers_own_is_not_believed():
    class Responses:
        fitted = None

        def response(self, method):
            return np.array([0, 1, 1])

    y, rows = np.array([0, 1, 0]), _means_of_clips.RowsOfSpeakers(np.array([4, 4, 9]))
    accuracy = get_scorer("accuracy")
    assert _means_of_clips.means_by_speaker(accuracy, Responses(), y, rows, 2 / 3) == [1.0, 0.0]
    assert _means_of_clips.means_by_speaker(accuracy, Responses(), y, rows, 0.5) is None
