"""Defaults that stand in two signatures are equal."""

import inspect

import pytest

import sklearn_speech
from sklearn_speech.base import BaseSpeechNet


def estimators():
    """Every public estimator that builds a network."""
    found = (getattr(sklearn_speech, name) for name in dir(sklearn_speech))
    return [
        thing
        for thing in found
        if inspect.isclass(thing)
        and issubclass(thing, BaseSpeechNet)
        and thing.module_class is not None
    ]


def test_there_are_at_least_seven_estimators_with_a_network():
    assert len(estimators()) >= 7


@pytest.mark.parametrize("estimator", estimators(), ids=lambda cls: cls.__name__)
def test_a_network_and_its_estimator_have_the_same_defaults(estimator):
    network = inspect.signature(estimator.module_class).parameters
    defaults = estimator().get_params(deep=False)
    shared = {
        name
        for name in network.keys() & defaults
        if network[name].default is not inspect.Parameter.empty
    }
    assert shared
    assert {name: network[name].default for name in shared} == {
        name: defaults[name] for name in shared
    }
