"""Results are tables: readable as text, and shown as HTML in notebooks."""

import importlib
import inspect
import pkgutil
import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier
from sklearn.utils import Bunch

import sklearn_speech
from sklearn_speech.audio import AudioFileReport
from sklearn_speech.detection import DetectionScores
from sklearn_speech.leakage import check_speaker_leakage
from sklearn_speech.metrics import EventTable
from sklearn_speech.model_selection import (
    compare_by_speaker,
    cross_validate_by_speaker,
    learning_curve_by_speaker,
)
from sklearn_speech.persistence import ModelCard

EVIL = "<script>alert(1)</script>"
#: Public classes that show themselves in one line.
ONE_LINE = {"AudioSegment", "FoldPruner", "OnnxEstimator"}


def clips():
    X = np.random.default_rng(0).normal(size=(12, 400))
    X[6:9] = X[0:3]  # copies under two names
    return X, np.tile(["no", EVIL], 6), np.repeat([EVIL, "ann", "bob", "eve"], 3)


def scores():
    return cross_validate_by_speaker(DummyClassifier(), *clips())


def detection_scores():
    return DetectionScores(
        speakers=np.array([EVIL, "bob"]),
        n_true=np.array([3, 1]),
        miss_rate=np.array([0.25, np.nan]),
        false_alarms_per_hour=np.array([2.0, 4.5]),
        thresholds=np.array([0.5, 0.75]),
        match=Bunch(is_hit=np.array([True, False]), is_found=np.array([True, False])),
        curve=Bunch(hours=0.5),
    )


RESULTS = {
    "AudioFileReport": lambda: AudioFileReport(
        np.array([True, False]), {EVIL: "no such file"}, np.array([8000, 0]), np.array([1.0, 0])
    ),
    "DetectionScores": detection_scores,
    "EventTable": lambda: EventTable((EVIL, "yes", i, i + 0.5, 0.25) for i in range(25)),
    "LeakageReport": lambda: check_speaker_leakage(*clips(), cv=None, sample_rate=8000),
    "ModelCard": lambda: ModelCard(description=EVIL, n_clips=1234, sample_rate=8000.0),
    "SpeakerComparison": lambda: compare_by_speaker(first=scores(), second=scores()),
    "SpeakerLearningCurve": lambda: learning_curve_by_speaker(
        DummyClassifier(), *clips(), n_draws=1
    ),
    "SpeakerScores": scores,
}


def public_classes():
    for info in pkgutil.iter_modules(sklearn_speech.__path__):
        module = importlib.import_module(f"sklearn_speech.{info.name}")
        for name in () if info.name.startswith("_") else getattr(module, "__all__", ()):
            if inspect.isclass(thing := getattr(module, name)):
                yield name, thing


def test_every_class_that_shows_itself_as_a_table_is_tested_here():
    own = {
        name
        for name, cls in public_classes()
        if not issubclass(cls, BaseEstimator)
        and (getattr(cls.__repr__, "__module__", "") or "").startswith("sklearn_speech")
    }
    assert own - ONE_LINE == set(RESULTS)


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_the_table_of_a_notebook_has_what_the_text_has_and_runs_no_script(name):
    result = RESULTS[name]()
    text, page = repr(result), result._repr_html_()
    assert type(result).__name__ == name
    assert "\n" in text and "<table" in page
    assert "<script" not in page
    shown = re.sub(r"<[^>]*>", " ", page)
    for number in re.findall(r"\d+\.\d+|\b\d{2,}\b", text):
        assert number in shown, number
