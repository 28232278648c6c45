"""Scores by speaker of numbers and of several labels a clip."""

import warnings

import numpy as np
import pandas as pd
import pytest
import sklearn
from scipy.sparse import csr_matrix
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import (
    average_precision_score,
    get_scorer,
    make_scorer,
    r2_score,
    roc_auc_score,
)
from sklearn.model_selection import GridSearchCV, GroupKFold
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from sklearn_speech.inspection import SpeakerPredictionErrorDisplay, SpeakerScoresDisplay
from sklearn_speech.model_selection import (
    SpeakerScores,
    StratifiedGroupShuffleSplit,
    compare_by_speaker,
    cross_validate_by_speaker,
)
from sklearn_speech.model_selection._undefined import has_no_value

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
SPEAKERS = np.repeat(["ann", "bob", "cem", "dan", "eve"], 12)
PITCH = np.repeat([210.5, 120.0, 118.0, 240.0, 300.0], 12)  # one a speaker
SECONDS = X @ [0.1, 0.2, 0.0] + 0.05 * RNG.normal(size=60) + 0.6
LABELS = (X @ RNG.normal(size=(3, 3)) + 0.3 * RNG.normal(size=(60, 3)) > 0).astype(int)
LACKING = LABELS.copy()
LACKING[SPEAKERS == "bob", 1] = 0  # bob never says the second word
SOME = np.where(SPEAKERS == "dan", SECONDS[0], SECONDS)  # dan's words last equally long

NO_VALUE = pytest.mark.filterwarnings(
    "ignore:.*has no value:sklearn.exceptions.UndefinedMetricWarning"
)
QUIET = pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")


# Metrics without a value


@pytest.mark.parametrize("scoring", [None, "r2", "explained_variance", "d2_absolute_error_score"])
@pytest.mark.parametrize("cv", [None, GroupKFold(2)])
def test_a_share_explained_is_undefined_where_a_speaker_has_one_value(scoring, cv):
    context = pytest.warns(UndefinedMetricWarning, match="1 of 5 folds.*held out 'dan'")
    with context if cv is None else warnings.catch_warnings():
        scores = cross_validate_by_speaker(Ridge(), X, SOME, SPEAKERS, cv=cv, scoring=scoring)
    assert scores.undefined().tolist() == [False, False, False, True, False]
    defined = scores.speaker_scores()[[0, 1, 2, 4]]
    assert scores.mean == pytest.approx(defined.mean())
    assert scores.std == pytest.approx(defined.std(ddof=1))
    low, high = scores.confidence_interval()
    assert low < scores.mean < high
    metric = get_scorer(scoring or "r2")._score_func
    assert scores.pooled_scores["score"] == pytest.approx(metric(SOME, scores.predictions))
    row = next(line for line in repr(scores).splitlines() if line.startswith("dan"))
    assert row.split() == ["dan", "12", "undefined"]
    assert f"{metric(SOME, scores.predictions):.3f}" in repr(scores).splitlines()[-1]
    assert "undefined for 1 of 5 speakers" in scores._repr_html_()


@NO_VALUE
def test_one_value_for_each_speaker_leaves_the_pooled_score_alone():
    scores = cross_validate_by_speaker(Ridge(), X, PITCH, SPEAKERS)
    assert scores.undefined().all() and np.isnan([scores.mean, scores.std]).all()
    assert scores.pooled_scores["score"] == r2_score(PITCH, scores.predictions)
    assert "interval" not in repr(scores).splitlines()[-2]
    with pytest.raises(ValueError, match="at least two"):
        scores.confidence_interval()
    with pytest.raises(ValueError, match="r2 has a value for 0 of 5 speakers only"):
        compare_by_speaker(scores, scores)
    display = SpeakerScoresDisplay.from_cv_results(scores)
    assert "undefined" in display.ax_.get_legend().get_texts()[0].get_text()
    display.figure_.draw_without_rendering()


@NO_VALUE
def test_one_clip_of_a_speaker_has_no_share_explained():
    speakers = np.where(np.arange(60) == 7, "zoe", SPEAKERS)
    scores = cross_validate_by_speaker(Ridge(), X, SECONDS, speakers)
    assert dict(zip(scores.speakers, scores.undefined()))["zoe"]
    assert scores.undefined().sum() == 1


@NO_VALUE
@pytest.mark.parametrize("scoring", ["average_precision", "roc_auc"])
def test_a_label_that_a_speaker_never_says_leaves_no_score_of_this_speaker(scoring):
    net = OneVsRestClassifier(LogisticRegression())
    scores = cross_validate_by_speaker(net, X, LACKING, SPEAKERS, scoring=scoring)
    assert scores.undefined().tolist() == [False, True, False, False, False]
    metric = {"average_precision": average_precision_score, "roc_auc": roc_auc_score}[scoring]
    expected = metric(LACKING, scores.probabilities)
    assert scores.pooled_scores["score"] == pytest.approx(expected)
    own = SPEAKERS == "ann"
    assert scores.speaker_scores()[0] == metric(LACKING[own], scores.probabilities[own])


@NO_VALUE
@pytest.mark.parametrize(
    "scoring", ["average_precision", "roc_auc", "matthews_corrcoef", "d2_log_loss_score"]
)
@pytest.mark.parametrize("only", [0, 1])
def test_a_speaker_of_one_class_has_no_score_that_compares_classes(scoring, only):
    y = np.where(SPEAKERS == "cem", only, LABELS[:, 0])
    scores = cross_validate_by_speaker(LogisticRegression(), X, y, SPEAKERS, scoring=scoring)
    assert scores.undefined().tolist() == [False, False, True, False, False]
    assert np.isfinite([scores.mean, scores.pooled_scores["score"]]).all()


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.9"),
    reason="scikit-learn has the average precision of several classes with names since 1.9",
)
@NO_VALUE
def test_a_third_class_that_a_speaker_lacks_leaves_no_average_precision():
    y = np.where(LABELS[:, 1] == 1, "go", np.where(LABELS[:, 0] == 1, "no", "yes"))
    y = np.where((SPEAKERS == "eve") & (y == "go"), "no", y)
    scores = cross_validate_by_speaker(
        LogisticRegression(), X, y, SPEAKERS, scoring="average_precision"
    )
    said = [len(set(y[name == SPEAKERS])) for name in scores.speakers]
    assert scores.undefined().tolist() == [n < 3 for n in said]
    assert 0 < scores.undefined().sum() < 5


@pytest.mark.parametrize("average", ["micro", "samples", "weighted"])
def test_averages_over_what_there_is_keep_their_value(average):
    scorer = make_scorer(average_precision_score, average=average, response_method="predict_proba")
    assert not has_no_value(scorer, LACKING[SPEAKERS == "bob"])
    assert has_no_value(get_scorer("average_precision"), LACKING[SPEAKERS == "bob"])


@NO_VALUE
def test_errors_and_shares_of_predicted_labels_have_a_value_for_everyone():
    scoring = ["neg_mean_absolute_error", "r2", "neg_root_mean_squared_error"]
    scores = cross_validate_by_speaker(Ridge(), X, SOME, SPEAKERS, scoring=scoring)
    for name in ("neg_mean_absolute_error", "neg_root_mean_squared_error"):
        assert not scores.undefined(name).any()
        assert np.isfinite(scores.mean[name])
    assert scores.undefined("r2").sum() == 1
    lines = repr(scores).splitlines()
    assert [len(line.split()) for line in lines[2:7]] == [5] * 5


@QUIET
def test_a_failed_fold_leaves_no_mean_and_is_not_called_undefined():
    few = np.where(SPEAKERS == "bob", 0.5, SOME)
    with pytest.warns(match="failed; its score is nan"):
        scores = cross_validate_by_speaker(
            _FailsWithout("bob"), np.column_stack([X, SPEAKERS == "bob"]), few, SPEAKERS,
            error_score=np.nan,
        )  # fmt: skip
    assert np.isnan(scores.mean)
    assert dict(zip(scores.speakers, scores.undefined()))["bob"] == np.False_
    assert dict(zip(scores.speakers, scores.undefined()))["dan"] == np.True_


# Forms of results


@NO_VALUE
def test_results_are_saved_with_numbers_labels_and_undefined_scores(tmp_path):
    both = np.column_stack([PITCH, SECONDS])
    net = MultiOutputClassifier(LogisticRegression())
    of_labels = cross_validate_by_speaker(net, X, LACKING, SPEAKERS, scoring="average_precision")
    results = [
        cross_validate_by_speaker(Ridge(), X, SOME, SPEAKERS),
        cross_validate_by_speaker(Ridge(), X, both, SPEAKERS, scoring="neg_mean_absolute_error"),
        of_labels,
    ]
    for scores in results:
        scores.to_json(tmp_path / "scores.json")
        copy = SpeakerScores.from_json(tmp_path / "scores.json")
        assert repr(copy) == repr(scores)
        np.testing.assert_array_equal(copy.predictions, scores.predictions)
        np.testing.assert_array_equal(copy.undefined(), scores.undefined())
        assert copy.pooled_scores == scores.pooled_scores
        assert copy.predictions.shape == copy.y_true.shape
        pd.testing.assert_frame_equal(copy.to_frame(), scores.to_frame())
    frame = results[0].to_frame()
    assert np.isnan(frame.loc["dan", "r2"]) and frame["r2"].notna().sum() == 4
    with pytest.raises(ValueError, match="multilabel_confusion_matrix"):
        of_labels.confusion_matrix()


@pytest.mark.parametrize(
    "model",
    [
        MultiOutputClassifier(LogisticRegression()),
        RandomForestClassifier(5, random_state=0),
        OneVsRestClassifier(LogisticRegression()),
    ],
    ids=lambda model: type(model).__name__,
)
def test_probabilities_of_labels_are_a_matrix_whatever_the_classifier_gives(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scores = cross_validate_by_speaker(model, X, LABELS, SPEAKERS, cv=3)
    assert scores.probabilities.shape == LABELS.shape
    agreed = (scores.probabilities > 0.5) == scores.predictions
    assert agreed.mean() > 0.98  # a forest's vote of half is a tie


@pytest.mark.parametrize("form", [csr_matrix, pd.DataFrame, lambda y: y.tolist(), list])
def test_labels_in_any_form_have_the_same_scores(form):
    model = MultiOutputClassifier(LogisticRegression())
    expected = cross_validate_by_speaker(model, X, LABELS, SPEAKERS)
    given = cross_validate_by_speaker(model, X, form(LABELS), SPEAKERS)
    assert given["test_score"].tolist() == expected["test_score"].tolist()


@NO_VALUE
def test_comparisons_leave_out_speakers_without_a_score_and_say_so():
    scores = {
        name: cross_validate_by_speaker(model, X, SOME, SPEAKERS)
        for name, model in (("ridge", Ridge()), ("mean", DummyRegressor()))
    }
    comparison = compare_by_speaker(**scores)
    (test,) = comparison.tests
    difference = (scores["ridge"].speaker_scores() - scores["mean"].speaker_scores())[[0, 1, 2, 4]]
    assert test["difference"] == pytest.approx(difference.mean())
    assert test["better"] == (difference > 0).sum() and np.isfinite(test["p_value"])
    assert test["better"] + test["worse"] == 4
    assert "r2 is undefined for 1 of 5 speakers" in repr(comparison)
    assert "no p-value can be below 0.12" in comparison.caveat  # that of four speakers
    display = SpeakerScoresDisplay.from_cv_results(scores)
    labels = [text.get_text() for text in display.ax_.get_yticklabels()]
    assert labels[1] == "dan (undefined)"  # at the bottom
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert all(text.endswith("over 4 of 5") for text in texts)
    means = [container[0].get_xdata()[0] for container in display.errorbars_.values()]
    assert means == pytest.approx([result.mean for result in scores.values()])


def test_results_with_unlabelled_clips_are_comparable_to_themselves():
    class Anything(Ridge):
        """A regressor with a pretrainer that takes NaN for unlabelled."""

        def __init__(self, pretrainer=None, alpha=1.0):
            super().__init__(alpha=alpha)
            self.pretrainer = pretrainer

        @staticmethod
        def _is_unlabelled(y):
            return np.isnan(y)

        def fit(self, X, y):
            known = ~np.isnan(y)
            return super().fit(X[known], y[known])

    y = np.where(np.arange(60) % 5 == 0, np.nan, SECONDS)
    scores = [
        cross_validate_by_speaker(Anything(pretrainer="any", alpha=alpha), X, y, SPEAKERS)
        for alpha in (0.1, 100.0)
    ]
    assert np.isfinite(compare_by_speaker(*scores).tests[0]["p_value"])
    assert SpeakerPredictionErrorDisplay.from_cv_results(scores[0]).y_true.shape == (48,)


def test_searches_of_regressors_are_scored_by_what_they_name():
    search = GridSearchCV(
        Ridge(), {"alpha": [0.1, 1]}, cv=GroupKFold(2), scoring="neg_mean_absolute_error"
    )
    scores = cross_validate_by_speaker(search, X, SECONDS, SPEAKERS, cv=2)
    assert scores.labels == {"score": "neg_mean_absolute_error"}
    assert (scores["test_score"] < 0).all()
    plain = cross_validate_by_speaker(
        make_pipeline(StandardScaler(), Ridge()), X, SECONDS, SPEAKERS, cv=2
    )
    for test, score in zip(plain["indices"]["test"], plain["test_score"]):
        assert score == pytest.approx(r2_score(SECONDS[test], plain.predictions[test]))


@pytest.mark.parametrize("y", [SECONDS, np.column_stack([PITCH, SECONDS]), LABELS])
def test_every_kind_of_target_is_split_by_speaker(y):
    model = DummyClassifier() if y is LABELS else DummyRegressor()
    cv = StratifiedGroupShuffleSplit(3, test_size=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        scores = cross_validate_by_speaker(model, X, y, SPEAKERS, cv=cv)
    assert len(scores["test_score"]) == 3


def test_pooled_scores_are_those_of_all_predictions():
    y = LABELS[:, 0]
    scoring = ["accuracy", "neg_log_loss", "roc_auc", "f1"]
    scores = cross_validate_by_speaker(LogisticRegression(), X, y, SPEAKERS, scoring=scoring)
    p = scores.probabilities
    assert scores.pooled_scores["accuracy"] == (scores.predictions == y).mean()
    assert scores.pooled_scores["roc_auc"] == roc_auc_score(y, p[:, 1])
    true = p[np.arange(60), y]
    assert scores.pooled_scores["neg_log_loss"] == pytest.approx(np.log(true).mean())


class _FailsWithout(Ridge):
    """A regressor that fails where no training clip is of a speaker, marked in the last column."""

    def __init__(self, speaker="bob", alpha=1.0):
        super().__init__(alpha=alpha)
        self.speaker = speaker

    def fit(self, X, y):
        if not X[:, -1].any():
            raise RuntimeError(f"{self.speaker} is missed")
        return super().fit(X, y)
