"""Pipelines beyond one network: votes, calibration, scikit-learn behind pooling, refusals."""

import numpy as np
import pytest
import soundfile
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import RandomForestClassifier, VotingClassifier, VotingRegressor
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge, RidgeClassifier
from sklearn.manifold import Isomap
from sklearn.metrics import pairwise_distances
from sklearn.model_selection import (
    GridSearchCV,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler, StandardScaler
from sklearn.svm import SVC, LinearSVC

from sklearn_speech import (
    AudioReader,
    MelSpectrogram,
    PadOrTrim,
    PrototypeClassifier,
    SpectrogramLinearClassifier,
    SpectrogramScaler,
    SpeechEmbedding,
    TemporalPooling,
    WaveformMLPClassifier,
    load_onnx,
    to_onnx,
)
from sklearn_speech.export._converting import (
    _LINEAR_CLASSIFIERS,
    _LINEAR_REGRESSORS,
    Converter,
)
from sklearn_speech.export._describing import describe, without_readers
from sklearn_speech.utils.parts import unwrapped_final_step
from sklearn_speech.utils.validation import make_ragged
from tests.export.cases import (
    N_TIMES,
    RATE,
    exported,
    front_end,
    quick_front_end,
    traced_before,
    waveforms,
)

pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

LABELS = np.array(["left", "right", "stop"] * 8)
X = waveforms(24)
X[1::3] += 0.05 * np.sin(np.arange(N_TIMES))
X[2::3] += 0.05 * np.sin(0.3 * np.arange(N_TIMES))
UNSEEN = waveforms(9, seed=5)
QUICK = {"max_epochs": 1, "device": "cpu", "random_state": 0}


def pooled(*steps):
    pooling = TemporalPooling(("mean", "std", "max"), n_segments=2)
    return make_pipeline(front_end(), pooling, StandardScaler(), *steps)


def of_samples(*steps):
    """A pipeline without a front end, for which torch's exporter takes longest."""
    return make_pipeline(StandardScaler(), *steps)


def linear_net():
    return make_pipeline(
        front_end(), SpectrogramScaler(), SpectrogramLinearClassifier(dropout=0.0, **QUICK)
    )


def calibrated(model, method):
    return CalibratedClassifierCV(model, method=method, cv=2)


def answers_of_file(estimator, tmp_path):
    """What the file of a fitted estimator gives for UNSEEN."""
    to_onnx(estimator, tmp_path / "model.onnx", sample_rate=RATE)
    return load_onnx(tmp_path / "model.onnx")


def answers_of_module(estimator, kind):
    """What is exported of a fitted estimator, before it is written as ONNX."""
    module = Converter().whole(estimator, kind)
    with torch.no_grad():
        answers = module(torch.from_numpy(UNSEEN))
    return tuple(a.numpy() for a in answers) if isinstance(answers, tuple) else answers.numpy()


# What is converted by hand

PROBABILITIES = {
    "logistic": lambda: pooled(LogisticRegression()),
    "union": lambda: make_pipeline(
        FeatureUnion(
            [("a", pooled()), ("gone", "drop"), ("b", pooled("passthrough"))],
            transformer_weights={"a": 0.5},
        ),
        LogisticRegression(),
    ),
    "vote": lambda: VotingClassifier(
        [("net", linear_net()), ("gone", "drop"), ("pooled", pooled(LogisticRegression()))],
        voting="soft",
        weights=[2, 9, 1],
    ),
    "scores, sigmoid": lambda: calibrated(pooled(LinearSVC()), "sigmoid"),
    "scores, isotonic": lambda: calibrated(pooled(LinearSVC()), "isotonic"),
    "scores, temperature": lambda: calibrated(pooled(LinearSVC()), "temperature"),
    "network, sigmoid": lambda: calibrated(linear_net(), "sigmoid"),
    "network, isotonic": lambda: calibrated(linear_net(), "isotonic"),
    "network, temperature": lambda: calibrated(linear_net(), "temperature"),
    "frozen": lambda: FrozenEstimator(linear_net().fit(X, LABELS)),
    "search": lambda: GridSearchCV(
        pooled(LogisticRegression()), {"logisticregression__C": [0.1, 1]}, cv=2
    ),
}


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", PROBABILITIES)
def test_votes_calibration_and_scikit_learn_behind_pooling_keep_probabilities(name, n_classes):
    estimator = PROBABILITIES[name]().fit(X, np.arange(len(X)) % n_classes)
    found = answers_of_module(estimator, "classifier")
    np.testing.assert_allclose(found, estimator.predict_proba(UNSEEN), atol=1e-4)


@pytest.mark.parametrize("n_outputs", [None, 1, 2])
def test_numbers_of_a_linear_model_are_kept(n_outputs):
    y = np.linspace(-1, 1, len(X))
    y = y if n_outputs is None else np.column_stack([y, y**2][:n_outputs])
    pipeline = pooled(Ridge()).fit(X, y)
    found = answers_of_module(pipeline, "regressor")
    np.testing.assert_allclose(found, pipeline.predict(UNSEEN).reshape(found.shape), atol=1e-4)


@pytest.mark.parametrize("kind", _LINEAR_REGRESSORS, ids=lambda kind: kind.__name__)
def test_numbers_of_every_linear_model_and_of_their_vote_are_kept(kind):
    y, members = np.linspace(-1, 1, len(X)), [("a", pooled(kind())), ("b", pooled(Ridge()))]
    vote = VotingRegressor(members, weights=[3, 1]).fit(X, y)
    for estimator in (vote.estimators_[0], vote):
        found = answers_of_module(estimator, "regressor")
        np.testing.assert_allclose(found[:, 0], estimator.predict(UNSEEN), atol=1e-4)


@pytest.mark.parametrize("kind", _LINEAR_CLASSIFIERS, ids=lambda kind: kind.__name__)
def test_scores_of_every_linear_classifier_are_kept(kind):
    pipeline = pooled(kind()).fit(X, LABELS)
    found = answers_of_module(pipeline, "classifier without probabilities")
    expected = pipeline.decision_function(UNSEEN)
    np.testing.assert_allclose(found, expected, atol=1e-4 * max(1.0, np.abs(expected).max()))


def test_several_labels_a_clip_keep_their_probabilities():
    y = np.array([[0, 1, 1], [1, 0, 1], [0, 0, 0]] * 8)
    net = linear_net().fit(X, y)
    found = answers_of_module(net, "multilabel classifier")
    np.testing.assert_allclose(found, net.predict_proba(UNSEEN), atol=1e-5)


# Whole files


def test_estimators_that_skl2onnx_converts_are_parts_of_one_file(tmp_path):
    vote = VotingClassifier(
        [
            ("trees", of_samples(RandomForestClassifier(3, max_depth=2, random_state=0))),
            ("lda", of_samples(PCA(3), MinMaxScaler(), LinearDiscriminantAnalysis())),
        ],
        voting="soft",
    )
    vote.fit(X, LABELS)
    model = answers_of_file(vote, tmp_path)
    np.testing.assert_allclose(model.predict_proba(UNSEEN), vote.predict_proba(UNSEEN), atol=1e-4)
    assert model.predict(UNSEEN).tolist() == vote.predict(UNSEEN).tolist()


def test_two_classes_of_a_support_vector_machine_are_calibrated(tmp_path):
    estimator = CalibratedClassifierCV(of_samples(SVC()), cv=2, ensemble=False)
    estimator.fit(X, np.arange(len(X)) % 2)
    model = answers_of_file(estimator, tmp_path)
    expected = estimator.predict_proba(UNSEEN)
    np.testing.assert_allclose(model.predict_proba(UNSEEN), expected, atol=1e-4)
    assert model.classes_.dtype == np.int64


def prototypes(**parameters):
    """Distances to prototypes; 1 is the class of clips that are of no known word."""
    return PrototypeClassifier(**{"threshold": -1.0, "unknown": 1, **parameters})


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "manhattan"])
@pytest.mark.parametrize("n_words", [1, 2, 3])
@pytest.mark.parametrize("threshold", [None, "near"])
def test_distances_to_prototypes_and_their_threshold_are_kept(metric, n_words, threshold):
    y = 2 * (np.arange(len(X)) % n_words)  # no word is 1, the class of unknown words
    scaler = StandardScaler(with_mean=False)
    near = pairwise_distances(scaler.fit_transform(X), metric=metric)
    threshold = -np.median(near) if threshold == "near" else None
    classifier = prototypes(metric=metric, threshold=threshold)
    pipeline = make_pipeline(scaler, classifier).fit(X, y)
    found = answers_of_module(pipeline, "classifier without probabilities")
    expected = pipeline.decision_function(UNSEEN)
    found = found[:, 1] if len(pipeline.classes_) == 2 else found
    np.testing.assert_allclose(found, expected, atol=1e-4, rtol=1e-4)


def test_a_clip_of_zeros_has_the_cosine_distance_of_scikit_learn():
    classifier = prototypes(metric="cosine").fit(X, np.arange(len(X)) % 3 + 2)
    module = Converter().whole(classifier, "classifier without probabilities")
    zeros = np.zeros((2, N_TIMES), dtype=np.float32)
    found = module(torch.from_numpy(zeros)).numpy()
    np.testing.assert_allclose(found, classifier.decision_function(zeros), atol=1e-6)


def test_a_threshold_beyond_float32_is_refused(tmp_path):
    classifier = prototypes(threshold=-1e300).fit(X, np.arange(len(X)) % 3 + 2)
    refused(classifier, tmp_path, "threshold_=-1e.300, beyond float32", sample_rate=RATE)


@pytest.mark.parametrize("n_classes", [2, 3])
def test_scores_of_a_linear_model_are_kept(n_classes):
    pipeline = of_samples(RidgeClassifier()).fit(X, np.arange(len(X)) % n_classes)
    found = answers_of_module(pipeline, "classifier without probabilities")
    expected = pipeline.decision_function(UNSEEN)
    expected = np.column_stack([-expected, expected]) if n_classes == 2 else expected
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_a_classifier_without_probabilities_keeps_scores_and_labels(tmp_path):
    pooling = TemporalPooling(("mean", "std", "min", "max"), n_segments=2)
    pipeline = make_pipeline(quick_front_end(), pooling, StandardScaler(), prototypes())
    y = np.array([0, 2, 3])[np.arange(len(X)) % 3]
    known = pipeline.set_params(prototypeclassifier__threshold=None).fit(X, y)
    usual = np.quantile(known.decision_function(UNSEEN).max(axis=1), 0.45)  # no clip's own
    pipeline.set_params(prototypeclassifier__threshold=usual).fit(X, y)
    model = answers_of_file(pipeline, tmp_path)
    expected = pipeline.decision_function(UNSEEN)
    np.testing.assert_allclose(model.decision_function(UNSEEN), expected, atol=1e-4)
    assert model.predict(UNSEEN).tolist() == pipeline.predict(UNSEEN).tolist()
    assert {1} < set(model.predict(UNSEEN).tolist())  # the class of unknown words, and others
    assert not hasattr(model, "predict_proba")


@pytest.mark.parametrize("align", ["start", "center"])
@pytest.mark.parametrize("pad_value", [0.0, 0.5])
def test_clips_of_every_length_are_padded_and_trimmed_alike(align, pad_value):
    pad = PadOrTrim(6, align=align, pad_value=pad_value).fit(waveforms(2, 6))
    module = Converter().whole(pad, "transformer")
    for n_times in range(1, 25):
        clips = waveforms(2, n_times)
        expected = pad.transform(make_ragged(clips))
        assert np.array_equal(module(torch.from_numpy(clips)).numpy(), expected)


def test_spectrograms_are_padded_with_their_minimum():
    pipeline, _, model = exported("SpectrogramLinearClassifier")
    assert "pad_value='min'" in repr(pipeline)
    lengths = [*range(model.least_times_, 5), 599, 600, 601, 1201]
    clips = [waveforms(1, n, seed=n)[0] for n in lengths]
    expected = pipeline.predict_proba(make_ragged(clips))
    np.testing.assert_allclose(model.predict_proba(clips), expected, atol=1e-5)
    assert model.least_times_ <= 2


def test_a_reader_in_front_is_left_out_and_tells_the_rate(tmp_path):
    paths = [str(tmp_path / f"{i}.wav") for i in range(len(X))]
    for path, clip in zip(paths, X, strict=True):
        soundfile.write(path, clip, RATE, subtype="FLOAT")
    vote = VotingClassifier(
        [
            (
                str(power),
                make_pipeline(
                    AudioReader(RATE),
                    PadOrTrim(N_TIMES),
                    of_samples(LogisticRegression(C=10.0**power)),
                ),
            )
            for power in (0, 1)
        ],
        voting="soft",
    ).fit(paths, LABELS)
    of_waveforms = without_readers(vote)
    assert describe(of_waveforms, vote, None).sample_rate == RATE
    module = Converter().whole(of_waveforms, "classifier")
    with torch.no_grad():
        found = module(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(found, vote.predict_proba(paths), atol=1e-5)


# Refusals


def refused(estimator, tmp_path, message, error=ValueError, **options):
    (tmp_path / "model.onnx").write_bytes(b"what was there before")
    with pytest.raises(error, match=message):
        to_onnx(estimator, tmp_path / "model.onnx", **options)
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
    assert (tmp_path / "model.onnx").read_bytes() == b"what was there before"


def test_a_function_transformer_is_named_with_what_to_do(tmp_path):
    pipeline = pooled(FunctionTransformer(np.abs), LogisticRegression()).fit(X, LABELS)
    message = r"functiontransformer is a FunctionTransformer, which cannot be exported.*take it out"
    refused(pipeline, tmp_path, message)


def test_a_class_of_the_users_own_is_named(tmp_path):
    class Unknown(TransformerMixin, BaseEstimator):
        def fit(self, X, y=None):
            self.n_features_in_ = X.shape[1]
            return self

        def transform(self, X):
            return 2 * X

    pipeline = pooled(Unknown(), LogisticRegression()).fit(X, LABELS)
    refused(pipeline, tmp_path, "unknown is a Unknown, which cannot be exported")


def test_a_vote_without_probabilities_is_named(tmp_path):
    vote = VotingClassifier([("a", pooled(LogisticRegression()))]).fit(X, LABELS)
    refused(vote, tmp_path, "voting='hard'.*use voting='soft'")


def test_dropped_frames_are_named(tmp_path):
    mel = MelSpectrogram(RATE, zero_frames="drop", n_mels=8)
    pooling = TemporalPooling()
    pipeline = make_pipeline(mel, pooling, StandardScaler(), LogisticRegression()).fit(X, LABELS)
    refused(pipeline, tmp_path, "melspectrogram cannot be exported: zero_frames='drop'")


def test_an_encoder_in_a_file_of_its_own_is_named(tmp_path):
    encoder = {"encoder": str(exported("SpeechEmbedding")[1]), "encoder_sample_rate": RATE}
    embedding = SpeechEmbedding(RATE, window_length=0, hop_length=2, **encoder)
    pipeline = make_pipeline(embedding, TemporalPooling(), StandardScaler(), LogisticRegression())
    pipeline.fit(X, LABELS)
    refused(pipeline, tmp_path, "speechembedding cannot be exported: onnxruntime runs its encoder=")


def test_what_takes_spectrograms_is_named(tmp_path):
    net = SpectrogramLinearClassifier(**QUICK).fit(np.zeros((4, 3, 5)), [0, 1, 0, 1])
    refused(net, tmp_path, "takes spectrograms, but a file takes waveforms.*MelSpectrogram")


def test_an_unfitted_pipeline_and_an_unknown_rate_are_refused(tmp_path):
    refused(pooled(LogisticRegression()), tmp_path, "not fitted", NotFittedError)
    raw = LogisticRegression().fit(X, LABELS)
    refused(raw, tmp_path, "tell the rate of the waveforms in Hz by sample_rate=")
    fitted = pooled(LogisticRegression()).fit(X, LABELS)
    refused(fitted, tmp_path, "sample_rate=16000 Hz, but the steps have 8000", sample_rate=16000)
    refused(fitted, tmp_path, "sample_rate=-1: expected a number of Hz above 0", sample_rate=-1)
    refused(fitted, tmp_path, "tolerance=0: expected a number above 0", tolerance=0)


def test_a_file_that_answers_otherwise_is_not_put_in_place(tmp_path, monkeypatch):
    name = "WaveformMLPClassifier"
    with traced_before(name):
        right = WaveformMLPClassifier.predict_proba
        squared = lambda self, X: right(self, X) ** 2  # noqa: E731
        monkeypatch.setattr(WaveformMLPClassifier, "predict_proba", squared)
        message = "answers other than the estimator: on 1 clips of"
        refused(exported(name)[0], tmp_path, message, sample_rate=RATE)


def test_what_skl2onnx_cannot_convert_is_named(tmp_path):
    pipeline = pooled(Isomap(n_neighbors=20), LogisticRegression()).fit(X, LABELS)
    refused(pipeline, tmp_path, "isomap is a Isomap, whose transform skl2onnx cannot")


def test_loops_of_skl2onnx_are_named_with_their_step(tmp_path):
    pipeline = pooled(KNeighborsClassifier()).fit(X, LABELS)
    refused(pipeline, tmp_path, "kneighborsclassifier is a KNeighborsClassifier.*becomes loops")


def test_the_last_step_is_found_in_pipelines_within_frozen_estimators():
    net = linear_net().fit(X, LABELS)
    last = net.steps[-1][1]
    assert unwrapped_final_step(Pipeline([("all", FrozenEstimator(net))])) is last
    assert unwrapped_final_step(FrozenEstimator(FrozenEstimator(last))) is last
