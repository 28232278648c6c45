"""Displays name results that are of another function, and axes that are none."""

import inspect

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier

from sklearn_speech import (
    DetCurveByRateDisplay,
    LearningCurveBySpeakerDisplay,
    SpeakerScoresDisplay,
    cross_validate_by_speaker,
    detection_curve,
    inspection,
    learning_curve_by_speaker,
)

EVENTS = [(0, "yes", 1.0, 1.5, 0.5)]


@pytest.fixture(scope="module")
def results():
    clips = (DummyClassifier(), np.zeros((8, 1)), [0, 1] * 4, np.repeat(list("ab"), 4))
    return {
        "scores": cross_validate_by_speaker(*clips),
        "curve": learning_curve_by_speaker(*clips, n_speakers=[1], random_state=0),
        "detection": detection_curve(EVENTS, EVENTS, [10.0]),
    }


DRAWS = {
    "scores": SpeakerScoresDisplay.from_cv_results,
    "curve": LearningCurveBySpeakerDisplay.from_result,
    "detection": lambda curve, **options: DetCurveByRateDisplay(curve).plot(**options),
}


@pytest.mark.parametrize("name", DRAWS)
def test_results_of_another_function_are_named(name, results):
    others = [result for key, result in results.items() if key != name]
    for wrong in [*others, None, 3, "text", [results[name]], {}]:
        for given in (wrong, {"a": results[name], "b": wrong}):
            with pytest.raises((TypeError, ValueError), match=r"expected .*, the result|returned"):
                DRAWS[name](given)


@pytest.mark.parametrize("name", DRAWS)
@pytest.mark.parametrize("ax", [3, "text", [1, 2]])
def test_axes_that_are_none_are_named(name, ax, results):
    with pytest.raises(TypeError, match=r"ax is or holds .*: expected a matplotlib Axes"):
        DRAWS[name](results[name], ax=ax)


def draws_of_an_object():
    """Methods of displays that draw what an estimator or a result gives, by their first name."""
    found = {}
    for name in inspection.__all__:
        display = getattr(inspection, name)
        for key in dir(display):
            if key.startswith("from_") and key != "from_waveform":
                parameters = list(inspect.signature(getattr(display, key)).parameters.values())
                if parameters[0].name in ("estimator", "detector", "results"):
                    found[f"{name}.{key}"] = (getattr(display, key), parameters)
    return found


OF_AN_OBJECT = draws_of_an_object()


@pytest.mark.parametrize("wrong", [None, 3, "text", [1], np.zeros(3), DummyClassifier], ids=repr)
@pytest.mark.parametrize("name", OF_AN_OBJECT)
def test_what_is_no_estimator_and_no_result_is_named(name, wrong):
    draw, parameters = OF_AN_OBJECT[name]
    others = {
        parameter.name: np.zeros((4, 3))
        for parameter in parameters[1:]
        if parameter.default is inspect.Parameter.empty
        and parameter.kind is not inspect.Parameter.VAR_KEYWORD
    }
    with pytest.raises((TypeError, ValueError, AttributeError), match=r"expected|has no front end"):
        draw(wrong, **others)


def test_the_displays_of_estimators_and_results_are_found():
    assert len(OF_AN_OBJECT) >= 8
