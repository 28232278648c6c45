import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, make_scorer
from sklearn.model_selection import GroupKFold

from sklearn_speech.inspection import SpeakerScoresDisplay
from sklearn_speech.model_selection import compare_by_speaker, cross_validate_by_speaker


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    speakers = np.repeat(["ann", "bob", "cem", "dov", "eva", "fay"], 10)
    y = np.tile([0, 1], 30)
    return y[:, np.newaxis] + rng.normal(0, 0.6, (60, 4)), y, speakers


@pytest.fixture(scope="module")
def results(clips):
    models = {
        "linear": LogisticRegression(),
        "weak": LogisticRegression(C=1e-3),
        "chance": DummyClassifier(strategy="uniform", random_state=0),
    }
    return {
        name: cross_validate_by_speaker(model, *clips, scoring="accuracy")
        for name, model in models.items()
    }


def test_differences_are_by_speaker(results):
    comparison = compare_by_speaker(results)
    expected = results["linear"].speaker_scores() - results["chance"].speaker_scores()
    np.testing.assert_array_equal(comparison.difference("linear", "chance"), expected)
    test = comparison.tests[1]
    assert (test["first"], test["second"]) == ("linear", "chance")
    assert test["difference"] == pytest.approx(expected.mean())
    assert test["better"] + test["worse"] + (expected == 0).sum() == 6
    assert test["low"] < test["difference"] < test["high"]
    np.testing.assert_array_equal(comparison.to_frame()["weak"], results["weak"].speaker_scores())


def test_no_p_value_is_below_what_so_few_speakers_allow_and_the_table_says_so(results):
    comparison = compare_by_speaker(linear=results["linear"], chance=results["chance"])
    assert comparison.tests[0]["p_value"] >= 2 / 2**6
    text = repr(comparison)
    assert "over 6 speakers (exact sign-flip permutation), not over clips" in text
    assert "no p-value can be below 0.031" in text
    assert "adjusted" not in text
    assert "adjusted for 3 comparisons" in repr(compare_by_speaker(results))
    assert "no p-value can be below 0.031" in comparison._repr_html_()


def test_results_come_as_a_list_a_dict_or_by_name(results):
    pair = [results["linear"], results["weak"]]
    assert compare_by_speaker(*pair).names == ["1", "2"]
    assert compare_by_speaker(pair).names == ["1", "2"]
    assert compare_by_speaker(results).names == ["linear", "weak", "chance"]
    assert compare_by_speaker(pair[0], weak=pair[1]).names == ["1", "weak"]


def test_results_of_other_folds_clips_or_metrics_are_refused(clips, results):
    X, y, speakers = clips
    model = DummyClassifier()

    def compare(*data, **options):
        other = cross_validate_by_speaker(model, *data, **{"scoring": "accuracy", **options})
        compare_by_speaker(linear=results["linear"], other=other)

    with pytest.raises(ValueError, match=r"'linear' and 'other' .* 6 and 3 folds"):
        compare(X, y, speakers, cv=3)
    with pytest.raises(ValueError, match="fold 0 has different train clips"):
        compare(X, y, speakers, cv=GroupKFold(6))
    with pytest.raises(ValueError, match="targets differ"):
        compare(X, 1 - y, speakers)
    with pytest.raises(ValueError, match="speakers differ"):
        compare(X, y, np.char.upper(speakers))
    with pytest.raises(ValueError, match="different metrics: accuracy, f1"):
        compare(X, y, speakers, scoring="f1")
    with pytest.raises(ValueError, match="at least two"):
        compare_by_speaker(results["linear"])
    with pytest.raises(ValueError, match="result 'b' is of type float"):
        compare_by_speaker(a=results["linear"], b=0.9)
    with pytest.raises(ValueError, match="no pipeline is named 'best'"):
        compare_by_speaker(results).difference("best", "weak")


def test_metrics_that_are_no_names_are_told_apart():
    rng = np.random.default_rng(0)
    X, y, speakers = rng.normal(size=(30, 2)), np.tile([0, 1], 15), np.repeat(["a", "b", "c"], 10)
    loss = make_scorer(log_loss, greater_is_better=False, response_method="predict_proba")
    results = {
        name: cross_validate_by_speaker(LogisticRegression(), X, y, speakers, scoring=scoring)
        for name, scoring in {"names": None, "callables": loss, "same": "accuracy"}.items()
    }
    assert results["callables"].labels == {"score": "neg_log_loss"}
    with pytest.raises(ValueError, match="different metrics: accuracy, neg_log_loss"):
        compare_by_speaker(results)
    with pytest.raises(ValueError, match="different metrics: accuracy, neg_log_loss"):
        SpeakerScoresDisplay.from_cv_results(results)
    del results["callables"]
    assert compare_by_speaker(results).metric == "accuracy"


def test_targets_may_be_sequences_of_any_kind(clips):
    X, y, speakers = clips
    spoken = [["a", "b"] if label else ["c"] for label in y]
    results = [
        cross_validate_by_speaker(First(), X, targets, speakers, scoring=share_of_a)
        for targets in (spoken, [np.array(phones) for phones in spoken])
    ]
    assert compare_by_speaker(results).tests[0]["difference"] == 0
    other = [["a", "b"] for _ in y]
    results.append(cross_validate_by_speaker(First(), X, other, speakers, scoring=share_of_a))
    with pytest.raises(ValueError, match="their targets differ"):
        compare_by_speaker(results)


class First(BaseEstimator):
    """Answers with the first phone."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return [["a"]] * len(X)


def share_of_a(model, X, y):
    return np.mean([phones[0] == "a" for phones in y])
