import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.feature_selection import RFECV
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    GroupKFold,
    TunedThresholdClassifierCV,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.fixes import parse_version

from sklearn_speech.base import BaseSpeechClassifier, BaseSpeechNet
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.model_selection._routing import groups_params, splits_by_group
from tests.estimators import ESTIMATORS, TAKES_NO_NUMBERS

ALL = [*ESTIMATORS, *(estimator for estimator, *_ in TAKES_NO_NUMBERS)]
WITHOUT_CLASSES = [
    net
    for net in ALL
    if isinstance(net, BaseSpeechNet) and not isinstance(net, BaseSpeechClassifier)
]


@pytest.fixture(params=[False, True], ids=["routing off", "routing on"])
def routing(request):
    with sklearn.config_context(enable_metadata_routing=request.param):
        yield request.param


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    speakers = np.repeat(["ann", "bob", "cem", "dov"], 12)
    y = np.tile(["no", "yes"], 24)
    X = np.where(y == "yes", 1.0, -1.0)[:, np.newaxis] + rng.normal(0, 1, (48, 3))
    return X, y, speakers


class Listener(ClassifierMixin, BaseEstimator):
    """Remembers the groups that fit was given; asks for them by default, as our networks do."""

    __metadata_request__fit = {"groups": True}

    def fit(self, X, y, *, groups=None):
        self.heard_ = None if groups is None else sorted(set(np.asarray(groups).tolist()))
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Deaf(Listener):
    """Could take groups and has not said whether it wants them."""

    __metadata_request__fit = {"groups": None}

    def fit(self, X, y, *, groups=None):
        return super().fit(X, y, groups=groups)


OTHERS = [
    ["bob", "cem", "dov"],
    ["ann", "cem", "dov"],
    ["ann", "bob", "dov"],
    ["ann", "bob", "cem"],
]


@pytest.mark.parametrize(
    ("wrap", "unwrap"),
    [
        (lambda model: model, lambda fitted: fitted),
        (lambda model: make_pipeline(StandardScaler(), model), lambda fitted: fitted[-1]),
        (
            lambda model: make_pipeline(StandardScaler(), make_pipeline(StandardScaler(), model)),
            lambda fitted: fitted[-1][-1],
        ),
    ],
    ids=["alone", "in a pipeline", "in a pipeline's pipeline"],
)
def test_a_step_that_takes_groups_gets_its_folds_training_speakers(clips, routing, wrap, unwrap):
    X, y, speakers = clips
    scores = cross_validate_by_speaker(wrap(Listener()), X, y, speakers, return_estimator=True)
    assert [unwrap(fitted).heard_ for fitted in scores["estimator"]] == OTHERS


def test_estimators_that_know_no_groups_are_left_alone(clips, routing):
    X, y, speakers = clips
    model = make_pipeline(StandardScaler(), LogisticRegression())
    assert len(cross_validate_by_speaker(model, X, y, speakers)["test_score"]) == 4


def test_a_search_inside_splits_by_speaker(clips, routing):
    X, y, speakers = clips
    search = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression()),
        {"logisticregression__C": [0.1, 1.0]},
        cv=GroupKFold(3),  # fails without groups
    )
    scores = cross_validate_by_speaker(search, X, y, speakers, return_estimator=True)
    assert [fitted.n_splits_ for fitted in scores["estimator"]] == [3] * 4
    nested = make_pipeline(StandardScaler(), search)
    np.testing.assert_allclose(
        cross_validate_by_speaker(nested, X, y, speakers)["test_score"],
        scores["test_score"],
        atol=0.1,
    )


def test_the_steps_of_a_searched_pipeline_hear_of_the_speakers_too(clips, routing):
    X, y, speakers = clips
    search = GridSearchCV(make_pipeline(StandardScaler(), Listener()), {}, cv=GroupKFold(3))
    scores = cross_validate_by_speaker(search, X, y, speakers, return_estimator=True)
    assert [fitted.best_estimator_[-1].heard_ for fitted in scores["estimator"]] == OTHERS


def test_feature_elimination_inside_a_pipeline_splits_by_speaker(clips, routing):
    if routing and parse_version(sklearn.__version__) < parse_version("1.9"):
        pytest.skip("scikit-learn routes metadata through RFECV since 1.9")
    X, y, speakers = clips
    model = make_pipeline(RFECV(LogisticRegression(), cv=GroupKFold(3)), LogisticRegression())
    assert len(cross_validate_by_speaker(model, X, y, speakers)["test_score"]) == 4


def test_a_search_that_ignores_speakers_draws_a_warning():
    with pytest.warns(UserWarning, match=r"GridSearchCV\(cv=5\) splits without regard to speakers"):
        params = groups_params(GridSearchCV(LogisticRegression(), {}, cv=5), np.arange(3))
    assert params == {}


def test_an_estimator_that_has_not_said_is_asked_with_routing_on(clips):
    X, y, speakers = clips
    with sklearn.config_context(enable_metadata_routing=True):
        with pytest.raises(UnsetMetadataPassedError, match="groups"):
            cross_validate_by_speaker(Deaf(), X, y, speakers)
        for wants, heard in ((True, OTHERS), (False, [None] * 4)):
            model = Deaf().set_fit_request(groups=wants)
            scores = cross_validate_by_speaker(model, X, y, speakers, return_estimator=True)
            assert [fitted.heard_ for fitted in scores["estimator"]] == heard


def test_weights_reach_fit_and_scorer_as_requested_with_routing_on(clips):
    X, y, speakers = clips
    weight = np.where(y == "no", 9.0, 1.0)
    with sklearn.config_context(enable_metadata_routing=True):
        model = DummyClassifier().set_fit_request(sample_weight=True)
        plain = get_scorer("accuracy").set_score_request(sample_weight=False)
        weighted = get_scorer("accuracy").set_score_request(sample_weight=True)
        scores = cross_validate_by_speaker(
            model,
            X,
            y,
            speakers,
            cv=2,
            scoring={"plain": plain, "weighted": weighted},
            params={"sample_weight": weight},
        )
        with pytest.raises(TypeError, match="loudness"):
            cross_validate_by_speaker(model, X, y, speakers, params={"loudness": weight})
    np.testing.assert_allclose(scores["test_plain"], 0.5)
    np.testing.assert_allclose(scores["test_weighted"], 0.9)
    np.testing.assert_allclose(scores.speaker_scores("weighted"), 0.9)


@pytest.mark.parametrize(
    ("cv", "by_group"),
    [(None, False), (5, False), (GroupKFold(3), True), ([(np.arange(3), np.arange(3))], True)],
)
def test_whether_a_cv_splits_by_group(cv, by_group):
    assert splits_by_group(cv) is by_group


@pytest.mark.parametrize("meta", [CalibratedClassifierCV, TunedThresholdClassifierCV])
def test_calibration_and_thresholds_get_no_groups_with_routing_off(meta):
    assert groups_params(meta(LogisticRegression(), cv=GroupKFold(3)), np.arange(3)) == {}


def test_calibration_by_speaker_needs_and_has_routing(clips):
    X, y, speakers = clips
    model = CalibratedClassifierCV(LogisticRegression(C=100.0), cv=GroupKFold(3))
    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_validate_by_speaker(
            model, X, y, speakers, scoring=["accuracy", "neg_log_loss"], return_estimator=True
        )
    assert [len(fitted.calibrated_classifiers_) for fitted in scores["estimator"]] == [3] * 4
    np.testing.assert_allclose(scores.probabilities.sum(axis=1), 1)
    assert scores.mean["accuracy"] > 0.7


def test_thresholds_are_tuned_on_other_speakers(clips):
    X, y, speakers = clips
    tuned = TunedThresholdClassifierCV(
        LogisticRegression(), scoring="balanced_accuracy", cv=GroupKFold(3)
    )
    with sklearn.config_context(enable_metadata_routing=True):
        scores = cross_validate_by_speaker(tuned, X, y, speakers, return_estimator=True)
        for fitted, (train, test) in zip(scores["estimator"], zip(*scores["indices"].values())):
            fixed = FixedThresholdClassifier(
                LogisticRegression(),
                threshold=fitted.best_threshold_,
                response_method="predict_proba",
            ).fit(X[train], y[train])
            np.testing.assert_array_equal(fixed.predict(X[test]), scores.predictions[test])


def test_no_warning_reaches_the_user_without_cause(clips, routing):
    X, y, speakers = clips
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cross_validate_by_speaker(make_pipeline(StandardScaler(), Listener()), X, y, speakers)


@pytest.mark.parametrize("estimator", ALL, ids=lambda estimator: type(estimator).__name__)
def test_scikit_learn_finds_out_what_metadata_every_estimator_requests(estimator):
    with sklearn.config_context(enable_metadata_routing=True):
        routing = make_pipeline(estimator).get_metadata_routing()
    assert "$UNUSED$" not in repr(routing)


@pytest.mark.parametrize("net", WITHOUT_CLASSES, ids=lambda net: type(net).__name__)
def test_networks_without_classes_neither_request_nor_accept_them(net):
    with sklearn.config_context(enable_metadata_routing=True):
        assert "classes" not in net.get_metadata_routing().partial_fit.requests
    with pytest.raises(ValueError, match=r"classes=\[0, 1\].*has no classes"):
        net.partial_fit(np.zeros((4, 20)), np.zeros(4), classes=[0, 1])
