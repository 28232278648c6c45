"""Scikit-learn's own checks on every public estimator."""

import importlib
import inspect
import pickle
import pkgutil
from copy import deepcopy

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import sklearn_speech
from sklearn_speech.base import BaseSpeechClassifier, BaseSpeechRegressor
from tests.estimators import ESTIMATORS, TAKES_NO_NUMBERS

#: What a network trained in mini-batches cannot do.
MINI_BATCHES = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a clip of weight 2 is seen once in an epoch, two copies of it twice, in batches of other "
        "clips, and batch norm counts clips, not weights: other steps, other weights"
    )
}


SUPERVISED = (BaseSpeechClassifier, BaseSpeechRegressor)


#: Checks that ask for a score, or for predictions of every class. The others need no more than
#: a fit, so two epochs do.
LEARNING = {
    "check_class_weight_classifiers",
    "check_classifiers_classes",
    "check_classifiers_train",
    "check_regressors_train",
}


def expected_failures(estimator):
    return MINI_BATCHES if isinstance(estimator, SUPERVISED) else {}


# infinite targets, which a search refuses only where its estimator does
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@parametrize_with_checks(ESTIMATORS, expected_failed_checks=expected_failures)
def test_estimator_keeps_the_contract_of_scikit_learn(estimator, check):
    if "max_epochs" in estimator.get_params() and check.func.__name__ not in LEARNING:
        estimator = clone(estimator).set_params(max_epochs=2)
    check(estimator)


def public_estimators():
    """Classes with ``fit`` that a subpackage exports in its ``__all__``."""
    found = set()
    for info in pkgutil.iter_modules(sklearn_speech.__path__):
        module = importlib.import_module(f"sklearn_speech.{info.name}")
        for name in getattr(module, "__all__", []):
            thing = getattr(module, name)
            if (
                inspect.isclass(thing)
                and issubclass(thing, BaseEstimator)
                and hasattr(thing, "fit")
                and not name.startswith("Base")
            ):
                found.add(thing)
    return found


def test_every_public_estimator_is_checked_or_exempt_with_a_reason():
    checked = {type(estimator).__name__ for estimator in ESTIMATORS}
    exempt = {type(estimator).__name__ for estimator, _, _ in TAKES_NO_NUMBERS}
    assert not checked & exempt
    assert checked | exempt == {c.__name__ for c in public_estimators()}


@pytest.fixture(params=TAKES_NO_NUMBERS, ids=lambda entry: type(entry[0]).__name__)
def exempt(request, tmp_path):
    """An exempt estimator, and its input."""
    estimator, _, make_input = request.param
    return clone(estimator), *make_input(tmp_path)


def result(estimator, X):
    methods = ("predict", "transform", "predict_proba")
    return getattr(estimator, next(m for m in methods if hasattr(estimator, m)))(X)


def same(a, b):
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


def test_exemption_follows_from_the_tags_and_has_a_reason():
    for estimator, reason, _ in TAKES_NO_NUMBERS:
        assert not estimator.__sklearn_tags__().input_tags.two_d_array
        assert len(reason.split()) >= 5


def test_exempt_estimator_has_its_parameters_and_nothing_more_after_init(exempt):
    estimator, _, _ = exempt
    assert set(vars(estimator)) == set(estimator.get_params(deep=False))
    assert estimator.set_params(**estimator.get_params(deep=False)) is estimator
    copy = clone(estimator)
    assert copy is not estimator
    # estimators among the parameters are cloned too, and differ as objects
    assert repr(copy.get_params()) == repr(estimator.get_params())
    assert type(estimator).__name__ in repr(estimator)
    with pytest.raises(ValueError, match="no_such_parameter"):
        estimator.set_params(no_such_parameter=1)


def test_exempt_estimator_asks_to_be_fitted_where_it_learns(exempt):
    estimator, X, _ = exempt
    if estimator.__sklearn_tags__().requires_fit:
        with pytest.raises(NotFittedError):
            result(estimator, X)
    else:
        assert len(result(estimator, X)) == len(X)


def test_exempt_estimator_survives_pickling(exempt):
    estimator, X, y = exempt
    before = result(estimator.fit(X, y), X)
    assert same(result(pickle.loads(pickle.dumps(estimator)), X), before)


def test_fitting_an_exempt_estimator_twice_changes_nothing(exempt):
    estimator, X, y = exempt
    before = result(estimator.fit(X, y), X)
    assert same(result(estimator.fit(X, y), X), before)
    assert same(result(clone(estimator).fit(X, y), X), before)


def test_exempt_estimator_leaves_its_input_and_parameters_unchanged(exempt):
    estimator, X, y = exempt
    parameters, X_before, y_before = estimator.get_params(), deepcopy(X), deepcopy(y)
    result(estimator.fit(X, y), X)
    assert estimator.get_params() == parameters
    assert same(X, X_before)
    assert y is None or same(y, y_before)
