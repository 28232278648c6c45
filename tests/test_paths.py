"""What is no path is refused by the name of its parameter, wherever a path is taken."""

import inspect
import re

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.preprocessing import StandardScaler

import sklearn_speech
from sklearn_speech import (
    EventTable,
    cross_validate_by_speaker,
    learning_curve_by_speaker,
    load_speech_manifest,
)

#: Annotation of a parameter that is a path and nothing else.
_PATH = r"str \| os\.PathLike\[str\]( \| None)?"

NO_PATHS = [3, [], {}, b"bytes", None]


def takers():
    """Every public function and method with a parameter that is a path."""
    found = {}
    for name in sklearn_speech.__all__:
        thing = getattr(sklearn_speech, name)
        functions = {name: thing}
        if inspect.isclass(thing):
            functions = {f"{name}.{key}": getattr(thing, key) for key in dir(thing)}
        for key, function in functions.items():
            if ("._" in key and "__init__" not in key) or not callable(function):
                continue
            try:
                parameters = inspect.signature(function).parameters
            except (TypeError, ValueError):  # of a type
                continue
            for parameter in parameters.values():
                if re.fullmatch(_PATH, str(parameter.annotation)):
                    found[f"{key}({parameter.name})"] = (function, parameter)
    return found


TAKERS = takers()


def test_the_paths_of_all_rooms_are_found():
    names = {name.split("(")[0].split(".")[0] for name in TAKERS}
    assert {"load", "save", "to_onnx", "load_onnx", "EventTable", "SpeakerScores"} <= names
    assert {"fetch_fsdd", "load_timit", "load_speech_folder", "FeatureCache"} <= names


@pytest.fixture(scope="module")
def owners():
    """Objects whose methods write files."""
    X, y, speakers = np.zeros((4, 1)), [0, 1, 0, 1], [0, 0, 1, 1]
    by_speaker = (DummyClassifier(), X, y, speakers)
    return {
        "EventTable": EventTable([(0, "yes", 0.0, 1.0)]),
        "SpeakerScores": cross_validate_by_speaker(*by_speaker),
        "SpeakerLearningCurve": learning_curve_by_speaker(*by_speaker, n_speakers=[1]),
    }


@pytest.mark.parametrize("no_path", NO_PATHS, ids=repr)
@pytest.mark.parametrize("name", sorted(TAKERS))
def test_what_is_no_path_is_named(name, no_path, tmp_path, monkeypatch, owners):
    function, parameter = TAKERS[name]
    if no_path is None and parameter.default is None:
        pytest.skip("None is the default")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips.csv").write_text("path,label\na.wav,no\n")
    others = {"estimator": StandardScaler().fit(np.eye(2)), "manifest": "clips.csv"}
    others = {key: others[key] for key in others if key in inspect.signature(function).parameters}
    owner, method = name.split("(")[0].partition(".")[::2]
    if method == "__init__":
        function = getattr(sklearn_speech, owner)
    elif owner in owners:
        function = getattr(owners[owner], method)
    with pytest.raises((TypeError, ValueError), match=rf"{parameter.name}"):
        function(**others, **{parameter.name: no_path})
    assert [path.name for path in tmp_path.iterdir()] == ["clips.csv"]


@pytest.mark.parametrize("no_path", NO_PATHS, ids=repr)
def test_what_is_no_manifest_is_named(no_path):
    with pytest.raises(TypeError, match=r"manifest=.*: expected a path"):
        load_speech_manifest(no_path)


def test_a_folder_is_no_manifest(tmp_path):
    with pytest.raises(IsADirectoryError, match=r"is a folder.*load_speech_folder reads folders"):
        load_speech_manifest(tmp_path)
