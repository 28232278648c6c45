"""Errors and their rate against an alignment found by trying all, and where scores are used."""

import unicodedata
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.distributions import IntDistribution
from optuna.pruners import NopPruner
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_speech.metrics import (
    phone_confusion_matrix,
    phone_error_rate,
    phone_error_rate_scorer,
    phone_errors,
)
from sklearn_speech.model_selection import OptunaSearchCV, cross_validate_by_speaker
from sklearn_speech.utils.validation import make_ragged

phones = st.lists(st.sampled_from(["aa", "s", "sil"]), max_size=6)


def distance(said, heard):
    """The fewest errors, by trying each way to explain the first phones."""

    @cache
    def fewest(i, j):
        if i == len(said) or j == len(heard):
            return len(said) - i + len(heard) - j
        return min(
            fewest(i + 1, j + 1) + (said[i] != heard[j]),
            fewest(i + 1, j) + 1,
            fewest(i, j + 1) + 1,
        )

    return fewest(0, 0)


@given(phones, phones)
def test_the_three_kinds_of_errors_add_up_to_the_fewest_possible(said, heard):
    errors = phone_errors([said], [heard])
    found = errors.substitutions[0] + errors.deletions[0] + errors.insertions[0]
    assert found == distance(tuple(said), tuple(heard))
    # what was said and not left out is what was heard and not added
    assert len(said) - errors.deletions[0] == len(heard) - errors.insertions[0]
    assert errors.n_phones[0] == len(said)


@given(st.lists(st.tuples(phones, phones), min_size=1, max_size=4))
def test_confusions_count_each_phone_once_on_either_side_and_the_same_errors(pairs):
    y_true, y_pred = zip(*pairs)
    matrix, labels = phone_confusion_matrix(list(y_true), list(y_pred))
    errors = phone_errors(list(y_true), list(y_pred))
    for i, label in enumerate(labels[:-1]):
        assert matrix[i].sum() == sum(said.count(label) for said in y_true)
        assert matrix[:, i].sum() == sum(heard.count(label) for heard in y_pred)
    assert matrix[:, -1].sum() == errors.deletions.sum()
    assert matrix[-1].sum() == errors.insertions.sum()
    inner = matrix[:-1, :-1]
    assert inner.sum() - np.trace(inner) == errors.substitutions.sum()


def test_a_phone_named_as_the_sign_for_none_is_refused():
    with pytest.raises(ValueError, match="'-'"):
        phone_confusion_matrix([["-"]], [["a"]])


SAID = [["a", "b", "c", "d"], ["a"], ["b", "c"]]
HEARD = [["a", "x", "c"], ["a"], ["b", "b", "c", "c"]]  # 2, 0 and 2 errors


def test_the_corpus_is_all_errors_by_all_phones_and_utterances_are_averaged():
    assert phone_error_rate(SAID, HEARD) == pytest.approx(4 / 7)
    assert phone_error_rate(SAID, HEARD, average="utterance") == pytest.approx(
        (2 / 4 + 0 + 2 / 2) / 3
    )


@pytest.mark.parametrize("average", ["corpus", "utterance"])
def test_an_integer_weight_is_as_good_as_repeating_a_clip(average):
    weight = [2, 0, 3]
    repeated = [i for i, w in enumerate(weight) for _ in range(w)]
    assert phone_error_rate(SAID, HEARD, average=average, sample_weight=weight) == pytest.approx(
        phone_error_rate([SAID[i] for i in repeated], [HEARD[i] for i in repeated], average=average)
    )


def test_folding_comes_before_comparing_and_changes_what_is_counted():
    said, heard = [["h#", "q", "ao", "tcl"]], [["pau", "aa", "sil"]]
    assert phone_error_rate(said, heard) == 1.0
    assert phone_error_rate(said, heard, folding=48) == pytest.approx(2 / 3)  # ao and tcl
    assert phone_error_rate(said, heard, folding=39) == 0.0
    assert phone_errors(said, heard, folding=39).n_phones[0] == 3


def test_where_nothing_was_said_only_insertions_count():
    said, heard = [[], ["a", "b"]], [["a", "b", "c"], ["a", "b"]]
    assert phone_error_rate(said, heard) == 3 / 2
    assert phone_error_rate(said, heard, average="utterance") == (3 + 0) / 2
    assert phone_error_rate([[], ["a"]], [[], ["a"]], average="utterance") == 0


def test_a_rate_without_any_phone_is_refused():
    with pytest.raises(ValueError, match="y_true contains no phone"):
        phone_error_rate([[], []], [["a"], []])
    with pytest.raises(ValueError, match="y_true contains no phone"):
        phone_error_rate([["a"]], [["a"]], sample_weight=[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"average": "macro"}, "average='macro'"),
        ({"folding": 40}, "folding=40"),
        ({"folding": 39, "y_pred": [["a"], ["aa"], ["aa"]]}, r"y_true\[0\] contains the phone 'a'"),
        ({"y_pred": HEARD[:2]}, "inconsistent numbers of samples"),
        ({"sample_weight": [1, 1]}, "inconsistent numbers of samples"),
        ({"sample_weight": [1, -1, 1]}, "at least 0"),
        ({"sample_weight": ["a", "b", "c"]}, "one number for each clip"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        phone_error_rate(**{"y_true": SAID, "y_pred": HEARD} | arguments)


class SaysOneSequence(BaseEstimator):
    """Answers the first phones of the alphabet that it was trained on, whatever it hears."""

    def __init__(self, n_phones=1):
        self.n_phones = n_phones

    def fit(self, X, y, sample_weight=None):
        self.n_seen_ = len(y)
        self.phones_ = sorted({phone for phones in y for phone in phones})[: self.n_phones]
        return self

    def predict(self, X):
        return make_ragged(list(self.phones_) for _ in X)


#: Four speakers with three clips; the answer ["a", "b", "c"] is right for half of them.
SPEAKERS = np.repeat(["ann", "bob", "cem", "dan"], 3)
RAGGED = [["a", "b", "c"], ["a"], ["a", "b", "c"], ["a", "b", "c"], ["b", "c", "a", "b"], ["c"]] * 2
EQUAL = [["a", "b", "c"], ["c", "b", "a"], ["a", "b", "c"]] * 4
CLIPS = np.arange(12.0)[:, np.newaxis]


def as_array(y):
    return make_ragged(y)


@pytest.mark.parametrize("y", [RAGGED, EQUAL], ids=["ragged", "equal lengths"])
@pytest.mark.parametrize("form", [list, as_array], ids=["list", "object array"])
class TestScorer:
    def expected(self, y, n_phones):
        answer = ["a", "b", "c"][:n_phones]
        return [
            -phone_error_rate(y[i : i + 3], [answer] * 3)
            for i in range(0, 12, 3)  # one fold a speaker
        ]

    def test_in_cross_validate(self, y, form):
        scores = cross_validate(
            SaysOneSequence(3), CLIPS, form(y), groups=SPEAKERS, cv=GroupKFold(4, shuffle=False),
            scoring=phone_error_rate_scorer, error_score="raise",
        )  # fmt: skip
        assert sorted(scores["test_score"]) == pytest.approx(sorted(self.expected(y, 3)))

    def test_in_cross_validate_by_speaker(self, y, form):
        scoring = {
            "rate": phone_error_rate_scorer,
            "utterance": make_scorer(
                phone_error_rate, greater_is_better=False, average="utterance"
            ),
        }
        scores = cross_validate_by_speaker(
            make_pipeline(FunctionTransformer(), SaysOneSequence(3)),
            CLIPS, form(y), SPEAKERS, scoring=scoring,
        )  # fmt: skip
        assert scores["test_rate"] == pytest.approx(self.expected(y, 3))
        assert np.isfinite(scores["test_utterance"]).all()
        assert [list(answer) for answer in scores.predictions] == [["a", "b", "c"]] * 12

    def test_in_optuna_search(self, y, form):
        search = OptunaSearchCV(
            SaysOneSequence(), {"n_phones": IntDistribution(1, 3)}, n_trials=8, refit=True,
            scoring=phone_error_rate_scorer, cv=GroupKFold(4), random_state=0, error_score="raise",
            pruner=NopPruner(),
        ).fit(CLIPS, form(y), groups=SPEAKERS)  # fmt: skip
        means = {n: np.mean(self.expected(y, n)) for n in (1, 2, 3)}
        tried = search.cv_results_["param_n_phones"].tolist()
        assert set(tried) == {1, 2, 3}
        found = search.cv_results_["mean_test_score"]
        assert found == pytest.approx([means[n] for n in tried])
        assert means[search.best_params_["n_phones"]] == max(means.values())
        assert search.best_estimator_.n_seen_ == 12
        assert search.score(CLIPS, form(y)) == pytest.approx(
            -phone_error_rate(y, [["a", "b", "c"][: search.best_params_["n_phones"]]] * 12)
        )

    def test_in_grid_search(self, y, form):
        search = GridSearchCV(
            SaysOneSequence(), {"n_phones": [1, 2, 3]}, cv=GroupKFold(4),
            scoring=phone_error_rate_scorer, error_score="raise",
        ).fit(CLIPS, form(y), groups=SPEAKERS)  # fmt: skip
        expected = [np.mean(self.expected(y, n)) for n in (1, 2, 3)]
        assert search.cv_results_["mean_test_score"] == pytest.approx(expected)


def test_the_scorer_takes_weights_by_metadata_routing():
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(phone_error_rate, greater_is_better=False)
        scorer.set_score_request(sample_weight=True)
        weight = np.tile([1.0, 0.0, 0.0], 4)
        scores = cross_validate(
            SaysOneSequence(3).set_fit_request(sample_weight=False), CLIPS, RAGGED, cv=4,
            scoring=scorer, params={"sample_weight": weight}, error_score="raise",
        )  # fmt: skip
    assert scores["test_score"] == pytest.approx([0.0] * 4)


@pytest.mark.parametrize("phones", [["ç", "ã", "ɔ̃"], ["한", "국"], ["कि", "क़"], ["ậ", "ế"]])
def test_a_phone_is_one_phone_in_either_form_of_unicode(phones):
    said, heard = ([unicodedata.normalize(form, p) for p in phones] for form in ("NFC", "NFD"))
    assert phone_error_rate([said], [heard]) == 0.0
    matrix, labels = phone_confusion_matrix([heard], [said])
    assert matrix.trace() == len(phones) == len(labels) - 1


def test_phones_that_differ_in_a_mark_or_in_case_are_two():
    assert phone_error_rate([["e"], ["e"]], [["ẽ"], ["E"]]) == 1.0
