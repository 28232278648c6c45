"""What a file says of its model, without the model."""

import subprocess
import sys

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.model_selection import cross_validate_by_speaker
from sklearn_speech.persistence import ModelCard, load, read_model_card, save


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def fitted():
    X = np.array([[0.0, 1.0], [2.0, 3.0]] * 6)
    y = np.resize(["no", "yes"], 12)
    return make_pipeline(StandardScaler(), LogisticRegression(C=7)).fit(X, y), X, y


def test_a_card_keeps_what_was_given_and_what_the_estimator_tells(path):
    clf, *_ = fitted()
    given = ModelCard(description="digits", n_clips=12, n_speakers=3, sample_rate=8000)
    save(clf, path, card=given)
    card = read_model_card(path)
    assert (card.description, card.n_clips, card.n_speakers) == ("digits", 12, 3)
    assert card.sample_rate == 8000
    assert card.classes == ["no", "yes"]
    assert card.parameters["logisticregression__C"] == "7"
    assert "LogisticRegression(C=7)" in card.estimator
    assert card.versions.keys() >= {"sklearn_speech", "scikit-learn", "torch"}
    assert card.date[:2] == "20" and card.date.endswith("+00:00")
    assert given.estimator is None  # what the user gave is not changed
    assert load(path)[-1].C == 7


def test_a_file_has_a_card_also_where_none_is_given(path):
    save(StandardScaler(), path)
    card = read_model_card(path)
    assert card.estimator == "StandardScaler()"
    assert card.classes is None and card.n_clips is None and card.scores is None


def test_rate_and_duration_are_those_of_the_steps(path):
    save(make_pipeline(AudioReader(sample_rate=8000), PadOrTrim(n_times=4000)), path)
    card = read_model_card(path)
    assert (card.sample_rate, card.duration) == (8000, 0.5)


def test_scores_by_held_out_speaker_are_kept(path):
    clf, X, y = fitted()
    speakers = np.repeat(["ada", "bob", "eve"], 4)
    scores = cross_validate_by_speaker(clf, X, y, speakers, cv=LeaveOneGroupOut())
    save(clf, path, card=ModelCard(scores=scores))
    card = read_model_card(path)
    ((metric, by_speaker),) = card.scores.items()
    assert by_speaker == dict(zip(["ada", "bob", "eve"], scores.speaker_scores()))
    assert metric == "accuracy"
    assert "mean of 3 held-out speakers" in repr(card)


def test_a_card_is_read_without_torch_or_scikit_learn(path):
    save(fitted()[0], path)
    code = (
        "import sys; from sklearn_speech.persistence import read_model_card; "
        f"card = read_model_card({str(path)!r}); "
        "sys.stdout.write(repr([m for m in ('torch', 'sklearn', 'skorch', 'numpy') "
        "if m in sys.modules]) + repr(card.classes))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]['no', 'yes']"


def test_what_a_notebook_shows_runs_no_script():
    bad = "<script>alert(1)</script>"
    card = ModelCard(
        description=bad, classes=[bad], scores={bad: {bad: 0.5}}, parameters={bad: bad},
        versions={bad: bad}, estimator=bad,
    )  # fmt: skip
    shown = card._repr_html_()
    assert "<script" not in shown and shown.count("&lt;script&gt;") >= 7


@pytest.mark.parametrize(
    "bad",
    [
        {"n_clips": "many"}, {"n_clips": True}, {"classes": "no"}, {"scores": {"accuracy": 0.5}},
        {"scores": {"accuracy": {"ada": "good"}}}, {"description": 3}, {"duration": "1 s"},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_fact_of_its_kind_is_refused_by_name(bad):
    (name,) = bad
    with pytest.raises(TypeError, match=name):
        ModelCard(**bad)


def test_a_card_that_is_none_is_refused(path):
    with pytest.raises(TypeError, match=r"card=.*expected a ModelCard"):
        save(StandardScaler(), path, card={"n_clips": 3})
    assert not path.exists()


def test_a_score_that_is_unknown_is_said_to_be():
    card = ModelCard(scores={"auc": {"ada": None, "bob": 0.5}})
    assert "0.500, mean of 1 held-out speaker\n" in repr(card) and "unknown" in repr(card)
