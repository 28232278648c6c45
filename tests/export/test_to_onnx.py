"""Pipelines beyond one network: votes, calibration, scikit-learn behind pooling, refusals."""

import numpy as np
import pytest
import soundfile
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from sklearn_speech import (
    AudioReader,
    MelSpectrogram,
    PadOrTrim,
    SpectrogramCNNClassifier,
    SpectrogramLinearClassifier,
    SpectrogramScaler,
    TemporalPooling,
    load_onnx,
    to_onnx,
)
from sklearn_speech.utils.validation import make_ragged
from tests.export.cases import N_TIMES, RATE, front_end, waveforms

LABELS = np.array(["left", "right", "stop"] * 8)
X = waveforms(24)
X[1::3] += 0.05 * np.sin(np.arange(N_TIMES))
X[2::3] += 0.05 * np.sin(0.3 * np.arange(N_TIMES))
QUICK = {"max_epochs": 1, "device": "cpu", "random_state": 0}


def pooled(*steps):
    return make_pipeline(front_end(), TemporalPooling(("mean", "std", "max")), *steps)


def linear_net():
    return make_pipeline(
        front_end(), SpectrogramScaler(), SpectrogramLinearClassifier(dropout=0.0, **QUICK)
    )


def check(estimator, tmp_path, y=LABELS, clips=X, method="predict_proba", **options):
    """Fit, export and compare; gives the model in the file."""
    estimator.fit(clips, y)
    to_onnx(estimator, tmp_path / "model.onnx", **options)
    model = load_onnx(tmp_path / "model.onnx")
    unseen = waveforms(9, seed=5)
    expected = getattr(estimator, method)(unseen)
    np.testing.assert_allclose(getattr(model, method)(unseen), expected, atol=2e-4)
    if hasattr(estimator, "classes_"):
        assert np.array_equal(model.classes_, estimator.classes_)
    return model


PROBABILITIES = {
    "logistic": lambda: pooled(StandardScaler(), LogisticRegression()),
    "lda, PCA": lambda: pooled(PCA(3), LinearDiscriminantAnalysis()),
    "trees": lambda: pooled(MinMaxScaler(), RandomForestClassifier(3, max_depth=3, random_state=0)),
    "union": lambda: make_pipeline(
        FeatureUnion([("a", pooled("passthrough")), ("b", pooled(PCA(2)))]), LogisticRegression()
    ),
    "vote": lambda: VotingClassifier(
        [("net", linear_net()), ("gone", "drop"), ("pooled", pooled(LogisticRegression()))],
        voting="soft",
        weights=[2, 9, 1],
    ),
    "svm, sigmoid": lambda: CalibratedClassifierCV(pooled(StandardScaler(), SVC()), cv=2),
    "net, isotonic": lambda: CalibratedClassifierCV(linear_net(), method="isotonic", cv=2),
    "net, temperature": lambda: CalibratedClassifierCV(linear_net(), method="temperature", cv=2),
    "search": lambda: GridSearchCV(
        pooled(LogisticRegression()), {"logisticregression__C": [0.1, 1]}, cv=2
    ),
}


@pytest.mark.parametrize("name", PROBABILITIES)
def test_votes_calibration_and_scikit_learn_behind_pooling_keep_their_probabilities(name, tmp_path):
    check(PROBABILITIES[name](), tmp_path)


@pytest.mark.parametrize("name", ["svm, sigmoid", "net, isotonic", "net, temperature", "logistic"])
def test_two_classes_keep_their_probabilities(name, tmp_path):
    y = np.array([0, 1] * 12)
    model = check(PROBABILITIES[name](), tmp_path, y)
    assert model.classes_.dtype == y.dtype


def test_a_frozen_part_is_exported_as_what_it_holds(tmp_path):
    frozen = FrozenEstimator(linear_net().fit(X, LABELS))
    to_onnx(frozen, tmp_path / "model.onnx")
    found = load_onnx(tmp_path / "model.onnx").predict_proba(X)
    np.testing.assert_allclose(found, frozen.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("last", [RidgeClassifier(), LinearSVC()], ids=repr)
def test_a_classifier_without_probabilities_keeps_its_scores_and_labels(last, classes, tmp_path):
    y = np.arange(24) % classes
    pipeline = pooled(StandardScaler(), last)
    model = check(pipeline, tmp_path, y, method="decision_function")
    assert model.predict(X).tolist() == pipeline.predict(X).tolist()
    assert not hasattr(model, "predict_proba")


@pytest.mark.parametrize("n_outputs", [None, 1, 2])
def test_numbers_of_a_linear_model_keep_their_shape(n_outputs, tmp_path):
    y = np.linspace(-1, 1, 24)
    y = y if n_outputs is None else np.column_stack([y, y**2][:n_outputs])
    check(pooled(Ridge()), tmp_path, y, method="predict")


def test_several_labels_a_clip_keep_their_probabilities(tmp_path):
    y = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 0]] * 8)
    net = linear_net()
    model = check(net, tmp_path, y)
    assert np.array_equal(model.predict(X), net.predict(X))


def test_a_network_with_the_front_end_inside_takes_clips_of_any_length(tmp_path):
    net = SpectrogramCNNClassifier(1, n_filters=2, frontend=front_end(), **QUICK)
    ragged = make_ragged([*X, X[0][:500]])
    net.fit(ragged, [*LABELS, "left"])
    to_onnx(net, tmp_path / "model.onnx")
    found = load_onnx(tmp_path / "model.onnx").predict_proba([clip for clip in ragged])
    np.testing.assert_allclose(found, net.predict_proba(ragged), atol=1e-5)


@pytest.mark.parametrize("align", ["start", "center"])
def test_a_file_pads_and_trims_clips_of_every_length(align, tmp_path):
    pipeline = make_pipeline(
        PadOrTrim(N_TIMES, align=align),
        front_end(),
        PadOrTrim(25, pad_value="min", align=align),
        SpectrogramLinearClassifier(**QUICK),
    )
    clips = make_ragged(waveforms(1, n, seed=n)[0] for n in [1, 2, 3, 599, 600, 601, 602, 1201])
    pipeline.fit(make_ragged(X), LABELS)
    to_onnx(pipeline, tmp_path / "model.onnx")
    model = load_onnx(tmp_path / "model.onnx")
    clips = [clip for clip in clips if len(clip) >= model.least_times_]
    assert len(clips) >= 7
    expected = pipeline.predict_proba(make_ragged(clips))
    np.testing.assert_allclose(model.predict_proba(clips), expected, atol=1e-5)


def test_a_reader_in_front_is_left_out_and_tells_the_rate(tmp_path):
    paths = [str(tmp_path / f"{i}.wav") for i in range(len(X))]
    for path, clip in zip(paths, X, strict=True):
        soundfile.write(path, clip, RATE, subtype="FLOAT")
    vote = VotingClassifier(
        [
            (str(seed), make_pipeline(AudioReader(RATE), PadOrTrim(N_TIMES), linear_net()))
            for seed in (0, 1)
        ],
        voting="soft",
    ).fit(paths, LABELS)
    to_onnx(vote, tmp_path / "model.onnx")
    model = load_onnx(tmp_path / "model.onnx")
    assert model.sample_rate == RATE
    np.testing.assert_allclose(model.predict_proba(X), vote.predict_proba(paths), atol=1e-5)


# Refusals


def refused(estimator, tmp_path, message, error=ValueError, **options):
    (tmp_path / "model.onnx").write_bytes(b"what was there before")
    with pytest.raises(error, match=message):
        to_onnx(estimator, tmp_path / "model.onnx", **options)
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
    assert (tmp_path / "model.onnx").read_bytes() == b"what was there before"


def test_a_function_transformer_is_named_with_what_to_do(tmp_path):
    pipeline = pooled(FunctionTransformer(np.abs), LogisticRegression()).fit(X, LABELS)
    message = "functiontransformer is a FunctionTransformer, which cannot be exported.*take it out"
    refused(pipeline, tmp_path, message)


def test_what_skl2onnx_does_not_know_or_writes_with_loops_is_named(tmp_path):
    class Unknown(LogisticRegression):
        pass

    refused(pooled(Unknown()).fit(X, LABELS), tmp_path, "unknown is a Unknown")


def test_a_vote_without_probabilities_is_named(tmp_path):
    vote = VotingClassifier([("a", pooled(LogisticRegression()))]).fit(X, LABELS)
    refused(vote, tmp_path, "voting='hard'.*use voting='soft'")


def test_dropped_frames_are_named(tmp_path):
    mel = MelSpectrogram(RATE, zero_frames="drop", n_mels=8)
    pipeline = make_pipeline(mel, TemporalPooling(), LogisticRegression()).fit(X, LABELS)
    refused(pipeline, tmp_path, "melspectrogram cannot be exported: zero_frames='drop'")


def test_what_takes_spectrograms_is_named(tmp_path):
    net = SpectrogramLinearClassifier(**QUICK).fit(np.zeros((4, 3, 5)), [0, 1, 0, 1])
    refused(net, tmp_path, "takes spectrograms, but a file takes waveforms.*MelSpectrogram")


def test_an_unfitted_pipeline_and_an_unknown_rate_are_refused(tmp_path):
    refused(pooled(LogisticRegression()), tmp_path, "not fitted", NotFittedError)
    raw = LogisticRegression().fit(X, LABELS)
    refused(raw, tmp_path, "tell the rate of the waveforms in Hz by sample_rate=")
    fitted = pooled(LogisticRegression()).fit(X, LABELS)
    refused(fitted, tmp_path, "sample_rate=16000 Hz, but the steps have 8000", sample_rate=16000)
    refused(fitted, tmp_path, "tolerance=0", tolerance=0)


def test_a_file_that_answers_otherwise_is_not_put_in_place(tmp_path, monkeypatch):
    pipeline = pooled(LogisticRegression()).fit(X, LABELS)
    doubled = LogisticRegression.predict_proba
    monkeypatch.setattr(LogisticRegression, "predict_proba", lambda self, X: doubled(self, X) ** 2)
    refused(pipeline, tmp_path, "answers other than the estimator: on 1 clips of")


def test_neighbours_are_exported_or_named(tmp_path):
    pipeline = pooled(KNeighborsClassifier(3)).fit(X, LABELS)
    try:
        to_onnx(pipeline, tmp_path / "model.onnx")
    except ValueError as error:
        assert "kneighborsclassifier" in str(error) or "safe file" in str(error)
    else:
        found = load_onnx(tmp_path / "model.onnx").predict_proba(X)
        np.testing.assert_allclose(found, pipeline.predict_proba(X), atol=1e-4)
