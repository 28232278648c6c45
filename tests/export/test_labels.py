"""Labels of a file are those of predict, also where the largest answer is another one."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from sklearn_speech import AudioReader, WaveformMLPClassifier
from sklearn_speech.export import OnnxEstimator
from sklearn_speech.export._decisions import Threshold
from sklearn_speech.export._describing import describe, without_readers
from sklearn_speech.export._header import Header
from tests.export.cases import RATE, exported, traced_before
from tests.export.test_load_onnx import Session
from tests.export.test_to_onnx import (
    LABELS,
    UNSEEN,
    X,
    answers_of_file,
    answers_of_module,
    linear_net,
    of_samples,
    pooled,
    refused,
)

pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

RNG = np.random.default_rng(3)
#: Labels without a rule: many clips are near to several classes.
FEW, MANY = RNG.normal(size=(60, 20)), RNG.normal(size=(400, 20)).astype(np.float32)
CHANCE = RNG.choice(["left", "right", "stop"], 60)


@pytest.mark.parametrize(
    "classifier",
    [SVC(kernel="linear"), SGDClassifier(loss="modified_huber", random_state=0)],
    ids=["votes of pairs", "probabilities of each class alone"],
)
def test_labels_are_those_of_predict_where_the_largest_answer_is_another_one(classifier, tmp_path):
    estimator = of_samples(classifier).fit(FEW, CHANCE)
    expected = estimator.predict(MANY)
    model = answers_of_file(estimator, tmp_path)
    answers = model.predict_proba if hasattr(model, "predict_proba") else model.decision_function
    assert (model.classes_[answers(MANY).argmax(axis=1)] != expected).any()
    assert model.predict(MANY).tolist() == expected.tolist()


THRESHOLDS = {
    "probability": lambda: FixedThresholdClassifier(linear_net(), threshold=0.4),
    "of the first": lambda: FixedThresholdClassifier(
        pooled(LogisticRegression()), threshold=0.3, pos_label="no"
    ),
    "score": lambda: FixedThresholdClassifier(
        pooled(LogisticRegression()), threshold=0.5, response_method="decision_function"
    ),
    "no probability": lambda: FixedThresholdClassifier(pooled(LinearSVC()), threshold=0.2),
    "usual": lambda: FixedThresholdClassifier(pooled(LogisticRegression())),
    "tuned": lambda: TunedThresholdClassifierCV(pooled(LogisticRegression()), cv=2, random_state=0),
    "at the end": lambda: pooled(FixedThresholdClassifier(LogisticRegression(), threshold=0.3)),
}


@pytest.mark.parametrize("name", THRESHOLDS)
def test_labels_by_a_threshold_are_kept(name):
    estimator = THRESHOLDS[name]()
    if name == "of the first":
        y = np.where(np.arange(len(X)) % 3 == 0, "no", "yes")
    else:
        y = (np.arange(len(X)) % 3 == 0).astype(int)
    estimator.fit(X, y)
    header = describe(estimator, estimator, None)
    assert header.outputs[1:] == ("decisions",)
    answers, decisions = answers_of_module(estimator, header.kind)
    labels = estimator.classes_[decisions.argmax(axis=1)]
    assert labels.tolist() == estimator.predict(UNSEEN).tolist()
    if header.kind == "classifier":
        np.testing.assert_allclose(answers, estimator.predict_proba(UNSEEN), atol=1e-4)


def test_a_threshold_around_a_reader_takes_waveforms():
    steps = [(str(i), step) for i, step in enumerate((AudioReader(RATE), StandardScaler()))]
    inner = Pipeline([*steps, ("last", LogisticRegression())])
    fitted = FixedThresholdClassifier(inner, threshold=0.3)
    fitted.estimator_ = Pipeline(inner.steps)
    assert [name for name, _ in without_readers(fitted).estimator_.steps] == ["1", "last"]
    assert [name for name, _ in fitted.estimator_.steps] == ["0", "1", "last"]


@pytest.mark.parametrize("column", [0, 1])
@pytest.mark.parametrize("threshold", [0.3, 0.5, 1.0, 0.0, 1e-12])
def test_a_score_equal_to_the_threshold_reaches_it(column, threshold):
    scores = np.float32([threshold, np.nextafter(np.float32(threshold), np.float32(-1)), 2.0, -2.0])
    decisions = Threshold(column, threshold)(torch.from_numpy(np.stack([scores, scores], axis=1)))
    reaches = decisions.numpy().argmax(axis=1) == column
    assert reaches.tolist() == [True, False, True, False]


def test_scores_of_pairs_of_classes_are_refused(tmp_path):
    pipeline = pooled(SVC(decision_function_shape="ovo")).fit(X, LABELS)
    refused(pipeline, tmp_path, "set decision_function_shape='ovr', which predicts the same")


def test_labels_that_a_file_cannot_choose_are_refused(tmp_path, monkeypatch):
    name = "WaveformMLPClassifier"
    with traced_before(name):
        usual = WaveformMLPClassifier.predict
        swapped = {"no": "yes", "yes": "no"}
        other = lambda self, X: np.array([swapped[word] for word in usual(self, X)])  # noqa: E731
        monkeypatch.setattr(WaveformMLPClassifier, "predict", other)
        message = "predict of WaveformMLPClassifier gives other labels.*CalibratedClassifierCV"
        refused(exported(name)[0], tmp_path, message, sample_rate=RATE)


def test_several_labels_a_clip_of_scikit_learn_are_refused(tmp_path):
    y = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 0]] * 8)
    estimator = of_samples(OneVsRestClassifier(LogisticRegression())).fit(X, y)
    refused(estimator, tmp_path, "several outputs a clip", sample_rate=RATE)


@pytest.mark.parametrize("decides", [True, False])
def test_labels_are_those_of_the_decisions_where_a_file_has_them(decides):
    class Deciding(Session):
        def run(self, names, inputs):
            (answers,) = super().run(names, inputs)
            return [-answers if names == ["decisions"] else answers]

    header = Header("classifier", 8000, labels=["a", "b"], decides=decides)
    assert Header.from_metadata(header.to_metadata()) == header
    model = OnnxEstimator(Deciding(), header, "path")
    X = np.outer([0.5, -0.25], np.ones(4))
    assert model.predict_proba(X)[:, 1].tolist() == [0.5, -0.25]
    assert model.predict(X).tolist() == (["a", "b"] if decides else ["b", "a"])


def test_files_of_the_first_version_say_nothing_of_decisions():
    header = Header("classifier", 8000, labels=["a", "b"])
    metadata = {k: v for k, v in header.to_metadata().items() if k != "decides"}
    assert Header.from_metadata(metadata) == header
    with pytest.raises(ValueError, match="its metadata have decides=True"):
        Header.from_metadata(Header("regressor", 8000, decides=True).to_metadata())
