import pickle

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix
from sklearn.model_selection import GroupKFold, GroupShuffleSplit

from sklearn_speech.model_selection import SpeakerScores, cross_validate_by_speaker


@pytest.fixture
def clips():
    rng = np.random.default_rng(0)
    speakers = np.repeat(["ann", "bob", "cem", "dov"], [12, 9, 15, 6])
    y = np.array(["no", "stop", "yes"])[np.arange(len(speakers)) % 3]
    X = (y[:, np.newaxis] == np.unique(y)) * 1.5 + rng.normal(0, 1, (len(y), 3))
    order = rng.permutation(len(y))
    return X[order], y[order], speakers[order]


@pytest.fixture
def scores(clips):
    return cross_validate_by_speaker(LogisticRegression(), *clips)


def test_mean_and_deviation_are_over_speakers_not_clips_or_folds(clips):
    _, y, speakers = clips
    scores = cross_validate_by_speaker(LogisticRegression(), *clips, cv=GroupKFold(2))
    own = [
        accuracy_score(y[speakers == name], scores.predictions[speakers == name])
        for name in scores.speakers
    ]
    np.testing.assert_allclose(scores.speaker_scores(), own)
    assert scores.mean == pytest.approx(np.mean(own))
    assert scores.std == pytest.approx(np.std(own, ddof=1))
    assert scores.mean != pytest.approx(scores["test_score"].mean())


def test_few_speakers_have_students_interval(scores):
    values = scores.speaker_scores()
    expected = stats.t.interval(0.9, 3, values.mean(), stats.sem(values))
    np.testing.assert_allclose(scores.confidence_interval(0.9), expected)


def test_confusions_are_counted_by_class_and_by_answer(clips, scores):
    X, y, speakers = clips
    np.testing.assert_array_equal(
        scores.confusion_matrix(), confusion_matrix(y, scores.predictions, labels=scores.classes)
    )
    np.testing.assert_allclose(scores.confusion_matrix(normalize="true").sum(axis=1), 1)
    repeated = cross_validate_by_speaker(
        LogisticRegression(), X, y, speakers, cv=GroupShuffleSplit(7, random_state=0)
    )
    assert repeated.confusion_matrix().sum() == sum(map(len, repeated["indices"]["test"]))


def test_a_repeated_cv_keeps_the_first_answer_and_averages_speakers_over_folds(clips):
    X, y, speakers = clips
    ann, bob = (np.flatnonzero(speakers == name) for name in ("ann", "bob"))
    rest = np.flatnonzero((speakers == "cem") | (speakers == "dov"))
    cem = np.flatnonzero(speakers == "cem")
    cv = [(rest, ann), (cem, ann), (rest, bob)]
    scores = cross_validate_by_speaker(LogisticRegression(), X, y, speakers, cv=cv)
    first = LogisticRegression().fit(X[rest], y[rest])
    assert scores.speakers.tolist() == ["ann", "bob"] and scores.n_clips.tolist() == [12, 9]
    assert scores.predictions[ann].tolist() == first.predict(X[ann]).tolist()
    np.testing.assert_allclose(scores.probabilities[ann], first.predict_proba(X[ann]))
    assert all(answer is None for answer in scores.predictions[rest])
    assert np.isnan(scores.probabilities[rest]).all()
    by_fold = scores["test_score"]
    np.testing.assert_allclose(scores.speaker_scores(), [by_fold[:2].mean(), by_fold[2]])


def test_a_class_that_training_lacked_has_probability_zero():
    X, y = np.arange(6.0)[:, np.newaxis], np.array(list("ababcb"))
    scores = cross_validate_by_speaker(DummyClassifier(), X, y, list("sstttu"))
    assert scores.classes.tolist() == ["a", "b", "c"]
    assert (scores.probabilities[2:5, 2] == 0).all()
    np.testing.assert_allclose(scores.probabilities.sum(axis=1), 1)


def test_the_table_shows_each_speaker_and_what_is_over_them(scores):
    lines = repr(scores).split("\n")
    values = scores.speaker_scores()
    assert lines[0].split() == ["speaker", "clips", "accuracy"]
    assert lines[2].split() == ["ann", "12", f"{values[0]:.3f}"]
    assert lines[5].split() == ["dov", "6", f"{values[3]:.3f}"]
    assert lines[7].split() == ["mean", "42", f"{scores.mean:.3f}"]
    assert lines[8].split() == ["standard", "deviation", f"{scores.std:.3f}"]
    low, high = scores.confidence_interval()
    assert lines[9] == (
        f"95 % interval of the mean, over 4 speakers: {low:.3f} to {high:.3f} (Student's t)"
    )
    assert str(scores) == repr(scores)
    assert {len(line) for line in lines[:8]} == {len(lines[1])}


def test_notebooks_get_the_same_table_escaped(clips):
    X, y, speakers = clips
    speakers = np.where(speakers == "ann", "<ann>", speakers)
    page = cross_validate_by_speaker(DummyClassifier(), X, y, speakers)._repr_html_()
    assert "&lt;ann&gt;" in page and "<ann>" not in page
    assert page.count("<tr>") == 1 + 4 + 2


def test_several_metrics_have_a_mean_each(clips):
    scores = cross_validate_by_speaker(
        LogisticRegression(), *clips, scoring=["accuracy", "f1_macro"]
    )
    assert set(scores.mean) == set(scores.std) == {"accuracy", "f1_macro"}
    assert scores.mean["f1_macro"] == pytest.approx(scores.speaker_scores("f1_macro").mean())
    assert repr(scores).split("\n")[0].split() == ["speaker", "clips", "accuracy", "f1_macro"]
    with pytest.raises(ValueError, match=r"metric='recall': expected one of \['accuracy', 'f1"):
        scores.speaker_scores("recall")


def test_one_held_out_speaker_has_no_interval(clips):
    X, y, speakers = clips
    cv = [(np.flatnonzero(speakers != "ann"), np.flatnonzero(speakers == "ann"))]
    scores = cross_validate_by_speaker(LogisticRegression(), X, y, speakers, cv=cv)
    assert np.isnan(scores.std) and "interval" not in repr(scores)
    with pytest.raises(ValueError, match="at least two"):
        scores.confidence_interval()


def test_the_frame_has_one_row_a_speaker(scores):
    expected = pd.DataFrame(
        {"n_clips": [12, 9, 15, 6], "accuracy": scores.speaker_scores()},
        index=pd.Index(["ann", "bob", "cem", "dov"], name="speaker"),
    )
    pd.testing.assert_frame_equal(scores.to_frame(), expected, check_index_type=False)


def assert_same(a, b):
    assert type(a) is type(b)
    if isinstance(a, dict):
        assert list(a) == list(b)
        for key in a:
            assert_same(a[key], b[key])
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b)
        for x, y in zip(a, b):
            assert_same(x, y)
    elif isinstance(a, np.ndarray):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)
    else:
        assert a == b or (a != a and b != b)


@pytest.mark.parametrize("targets", ["strings", "integers", "with a failed fold"])
def test_a_result_survives_pickle_and_json(clips, targets, tmp_path):
    X, y, speakers = clips
    model, options = LogisticRegression(), {}
    if targets == "integers":
        y = (y == "yes").astype(int)
    if targets == "with a failed fold":
        X, options = X.copy(), {"error_score": np.nan}
        X[speakers == "ann"] = np.nan  # refused wherever it is trained on or tested
        keep = speakers != "ann"
        cv = [(np.flatnonzero(keep), np.flatnonzero(speakers == "ann"))]
        cv += [(np.flatnonzero(keep & (speakers != "bob")), np.flatnonzero(speakers == "bob"))]
        options["cv"] = cv
        with pytest.warns(FitFailedWarning, match="'ann', failed"):
            scores = cross_validate_by_speaker(model, X, y, speakers, **options)
    else:
        scores = cross_validate_by_speaker(
            model, X, y, speakers, return_estimator=True, scoring=["accuracy", "neg_log_loss"]
        )
    copy = pickle.loads(pickle.dumps(scores))
    assert repr(copy) == repr(scores)
    path = tmp_path / "scores.json"
    scores.to_json(path)
    assert [file.name for file in tmp_path.iterdir()] == ["scores.json"]
    read = SpeakerScores.from_json(path)
    assert "estimator" not in read
    assert_same({k: v for k, v in scores.items() if k != "estimator"}, dict(read))
    assert_same(vars(scores), vars(read))
    assert repr(read) == repr(scores)


def test_a_crash_while_saving_leaves_the_old_file(scores, tmp_path, monkeypatch):
    path = tmp_path / "scores.json"
    path.write_text("old")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        scores.to_json(path)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


BEGINNING = '{"format": "sklearn_speech.SpeakerScores", "version": 1'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1, 2]",
        '{"format": "sklearn_speech.Other"}',
        BEGINNING + "}",
        BEGINNING + ', "content": []}',
        BEGINNING + ', "content": {"dict": []}}',
        BEGINNING + ', "content": {"dict": [["table", {"dict": []}]]}}',
        BEGINNING + ', "content": {"array": [1, 2], "dtype": "<f8", "shape": [3]}}',
    ],
)
def test_other_files_are_refused(text, tmp_path):
    path = tmp_path / "scores.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"scores.json (is not JSON|holds|is damaged)"):
        SpeakerScores.from_json(path)
