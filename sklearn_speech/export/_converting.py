"""From a fitted estimator to one torch module: which step becomes what."""

import warnings
from collections.abc import Callable
from copy import copy
from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Perceptron,
    Ridge,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC
from torch import nn

from ..audio import AudioReader, PadOrTrim
from ..base import BaseSpeechClassifier, BaseSpeechRegressor
from ..classification import PrototypeClassifier
from ..detection import SlidingWindow
from ..feature_extraction import (
    MFCC,
    MelSpectrogram,
    PitchContour,
    Spectrogram,
    SpectrogramScaler,
    SpeechEmbedding,
    TemporalPooling,
)
from ..pretraining import ConvAutoencoder
from ..recognition import PhonemeRecognizer
from ..store import ClipStore
from ..utils.parts import unwrapped, walk
from . import _steps as steps
from ._deciding import THRESHOLDED, decision_of, thresholded
from ._decisions import Decided, PairVotes, Threshold
from ._front_end import ExportedFrontEnd
from ._networks import Answers, Autoencoder, Numbers, exportable
from ._sklearn_graphs import ForeignGraph

#: Classifiers and regressors whose scores are ``X @ coef_.T + intercept_``.
_LINEAR_CLASSIFIERS = (
    LogisticRegression,
    LinearDiscriminantAnalysis,
    LinearSVC,
    Perceptron,
    RidgeClassifier,
    SGDClassifier,
)
_LINEAR_REGRESSORS = (ElasticNet, Lasso, LinearRegression, Ridge)


#: Method of the estimator that a file of each kind answers.
_METHODS = {
    "classifier": "predict_proba",
    "multilabel classifier": "predict_proba",
    "classifier without probabilities": "decision_function",
    "regressor": "predict",
    "recognizer": "predict_log_proba",
    "autoencoder": "transform",
}


class Converter:
    """Makes modules of the parts of one pipeline.

    Attributes
    ----------
    graphs : list of FunctionProto
        What skl2onnx made of estimators of scikit-learn.
    """

    def __init__(self) -> None:
        self.graphs: list[Any] = []

    def whole(self, estimator: Any, kind: str) -> nn.Module:
        """The module of a whole estimator.

        Parameters
        ----------
        estimator : estimator instance
            Fitted.
        kind : str
            What it answers, a key of :data:`KINDS`.

        Raises
        ------
        ValueError
            When a step cannot be exported; the message names it.
        """
        if kind == "transformer":
            return self.transform(estimator, "")
        return self._final(estimator, "", _METHODS[kind])

    def _final(self, estimator: Any, where: str, method: str) -> nn.Module:
        """Answers of the last step, and decisions where labels do not follow from the answers."""
        estimator = unwrapped(estimator)
        if isinstance(estimator, Pipeline):
            last = lambda step, place: self._final(step, place, method)  # noqa: E731
            return self._chain(estimator, where, last)
        module = self._of_each_class(estimator, where, method)
        how = decision_of(estimator)
        if how is None:
            return module
        if how == "votes":
            pairs = copy(estimator).set_params(decision_function_shape="ovo")
            votes = PairVotes(len(estimator.classes_))
            scores = self._by_skl2onnx(pairs, where, "decision_function")
            return Decided(module, nn.Sequential(scores, votes), of_answers=False)
        if how == "decision_function":
            scores = self.answer(estimator, where, how)
            return Decided(module, scores, of_answers=False)
        inner, response, column, threshold = how
        decision = Threshold(column, threshold)
        if response == method:
            return Decided(module, decision, of_answers=True)
        scores = self._of_each_class(inner, where, response)
        return Decided(module, nn.Sequential(scores, decision), of_answers=False)

    def _of_each_class(self, estimator: Any, where: str, method: str) -> nn.Module:
        """Answers with two columns for two classes too."""
        module = self.answer(estimator, where, method)
        by_score = method == "decision_function"
        return steps.TwoSided(module) if by_score and len(estimator.classes_) == 2 else module

    # Transformers

    def transform(self, step: Any, where: str) -> nn.Module:
        """What a step's ``transform`` does, as a module.

        Parameters
        ----------
        step : transformer
            Fitted.
        where : str
            Its place in the pipeline, for messages.

        Raises
        ------
        ValueError
            When it cannot be exported; the message names it.
        """
        step = unwrapped(step)
        if step is None or isinstance(step, (str, ClipStore)):  # "passthrough"
            return nn.Identity()
        if isinstance(step, Pipeline):
            return self._chain(step, where, self.transform)
        if isinstance(step, FeatureUnion):
            return self._union(step, where)
        for kind, convert in self._transformers().items():
            if isinstance(step, kind):
                try:
                    return convert(step)
                except ValueError as error:
                    raise ValueError(f"{_named(where)} cannot be exported: {error}") from error
        return self._by_skl2onnx(step, where, "transform")

    def _transformers(self) -> dict[Any, Callable[[Any], nn.Module]]:
        return {
            PadOrTrim: lambda step: steps.Padding(step.n_times_, step.align, step.pad_value),
            (Spectrogram, MelSpectrogram, MFCC): lambda step: ExportedFrontEnd(step.to_module()),
            SpeechEmbedding: _embedding,
            PitchContour: lambda step: exportable(step.to_module()),
            SpectrogramScaler: lambda step: steps.Standardising(
                step.mean_[:, np.newaxis] if step.with_mean else None,
                step.scale_[:, np.newaxis] if step.with_std else None,
            ),
            TemporalPooling: lambda step: steps.Pooling(
                [step.statistics] if isinstance(step.statistics, str) else list(step.statistics),
                step.n_segments,
                step.n_frames,
            ),
            StandardScaler: lambda step: steps.Standardising(
                step.mean_ if step.with_mean else None, step.scale_ if step.with_std else None
            ),
            ConvAutoencoder: lambda step: _Codes(Autoencoder(exportable(step.module_))),
        }

    def _chain(self, pipeline: Pipeline, where: str, last: Callable[..., nn.Module]) -> nn.Module:
        *before, (name, final) = pipeline.steps
        modules = [self.transform(step, _inside(where, key)) for key, step in before]
        return nn.Sequential(*modules, last(final, _inside(where, name)))

    def _union(self, union: FeatureUnion, where: str) -> nn.Module:
        weights = union.transformer_weights or {}
        kept = [(name, step) for name, step in union.transformer_list if step != "drop"]
        return steps.Joined(
            [self.transform(step, _inside(where, name)) for name, step in kept],
            [float(weights.get(name, 1.0)) for name, _ in kept],
        )

    # Predictors

    def answer(self, estimator: Any, where: str, method: str) -> nn.Module:
        """What a method of an estimator gives, as a module with one row a clip.

        Parameters
        ----------
        estimator : estimator instance
            Fitted.
        where : str
            Its place, for messages.
        method : {"predict_proba", "decision_function", "predict", "predict_log_proba"}

        Raises
        ------
        ValueError
            When it cannot be exported; the message names it.
        """
        estimator = unwrapped(estimator)
        if isinstance(estimator, Pipeline):
            return self._chain(
                estimator, where, lambda step, place: self.answer(step, place, method)
            )
        if isinstance(estimator, BaseSpeechClassifier) and method == "predict_proba":
            answer = "sigmoid" if estimator.multilabel_ else "softmax"
            return Answers(exportable(estimator.module_), answer)
        if isinstance(estimator, BaseSpeechRegressor):
            scaler = estimator.target_scaler_
            return Numbers(exportable(estimator.module_), scaler.mean_, scaler.scale_)
        if isinstance(estimator, PhonemeRecognizer):
            return Answers(exportable(estimator.module_), "log_softmax")
        if isinstance(estimator, ConvAutoencoder):
            return Autoencoder(exportable(estimator.module_))
        if isinstance(estimator, (VotingClassifier, VotingRegressor)):
            return self._vote(estimator, where, method)
        if isinstance(estimator, THRESHOLDED):
            return self.answer(thresholded(estimator), where, method)
        if isinstance(estimator, CalibratedClassifierCV):
            return self._calibrated(estimator, where, method)
        if isinstance(estimator, PrototypeClassifier) and method == "decision_function":
            return _prototypes(estimator, where)
        return self._of_scikit_learn(estimator, where, method)

    def _of_scikit_learn(self, estimator: Any, where: str, method: str) -> nn.Module:
        if isinstance(estimator, _LINEAR_REGRESSORS):
            return steps.Linear(estimator.coef_, estimator.intercept_)
        if isinstance(estimator, _LINEAR_CLASSIFIERS):
            scores = steps.Linear(estimator.coef_, estimator.intercept_)
            if method == "decision_function":
                return scores
            by_softmax = getattr(estimator, "solver", "") != "liblinear" or scores.n_outputs == 1
            if isinstance(estimator, LogisticRegression) and by_softmax:
                return steps.Probabilities(scores)
        return self._by_skl2onnx(estimator, where, method)

    def _vote(self, estimator: Any, where: str, method: str) -> nn.Module:
        if isinstance(estimator, VotingClassifier) and estimator.voting != "soft":
            raise ValueError(
                f"{_named(where)} cannot be exported with voting={estimator.voting!r}: a count of "
                "labels has no probabilities; use voting='soft'"
            )
        names = [name for name, part in estimator.estimators if part != "drop"]
        weights = estimator.weights
        if weights is not None:
            pairs = zip(weights, estimator.estimators, strict=True)
            weights = [weight for weight, (_, part) in pairs if part != "drop"]
        members = [
            self.answer(part, _inside(where, name), method)
            for name, part in zip(names, estimator.estimators_, strict=True)
        ]
        return steps.Vote(members, weights)

    def _calibrated(self, estimator: Any, where: str, method: str) -> nn.Module:
        members: list[nn.Module] = []
        for i, part in enumerate(estimator.calibrated_classifiers_):
            place = _inside(where, f"calibrated_classifiers_[{i}]")
            if len(part.estimator.classes_) != len(estimator.classes_):
                raise ValueError(
                    f"{place} cannot be exported: its training clips lacked a class; use a cv that "
                    "has clips of each class in each part"
                )
            by_score = hasattr(part.estimator, "decision_function")
            inner = "decision_function" if by_score else "predict_proba"
            model = self.answer(part.estimator, place, inner)
            two_columns = not by_score and len(estimator.classes_) == 2
            members.append(
                steps.Calibrated(model, _calibration(part, of_scores=by_score), two_columns)
            )
        return steps.Vote(members)

    def _by_skl2onnx(self, estimator: Any, where: str, method: str) -> nn.Module:
        parts = [part for _, part in walk(estimator, fitted=True)]
        foreign = [
            p for p in parts if hasattr(p, "fit") and not type(p).__module__.startswith("sklearn.")
        ]
        if isinstance(estimator, AudioReader):
            raise ValueError(
                f"{_named(where)} is an AudioReader behind the first step: a file takes waveforms; "
                "put it first, where it is left out of the file"
            )
        if isinstance(estimator, SlidingWindow):
            raise ValueError(
                f"{_named(where)} is a SlidingWindow, which cannot be exported: a file answers for "
                "clips, not for recordings; export the classifier of clips that it slides, its "
                "fitted estimator_"
            )
        if isinstance(estimator, FunctionTransformer) or foreign:
            raise ValueError(
                f"{_named(where)} is a {type(estimator).__name__}, which cannot be exported: its "
                "computation is Python code that an ONNX file cannot hold; take it out of the "
                "pipeline and do it before, or replace it by a step of this library or of "
                "scikit-learn"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                return ForeignGraph(estimator, method, self.graphs)
            except ImportError:
                raise
            except Exception as error:
                raise ValueError(
                    f"{_named(where)} is a {type(estimator).__name__}, whose {method} skl2onnx "
                    f"cannot convert; export the pipeline with another step: {error}"
                ) from error


class _Codes(nn.Module):
    """Codes of an autoencoder in the middle of a pipeline, one row a clip."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Any) -> Any:
        return self.module(x)[0].flatten(1)


def _prototypes(estimator: PrototypeClassifier, where: str) -> nn.Module:
    unknown = np.flatnonzero(~np.isin(estimator.classes_, estimator.words_))
    threshold = float(estimator.threshold_)
    if len(unknown) and abs(threshold) > float(np.finfo(np.float32).max):
        raise ValueError(
            f"{_named(where)} has threshold_={threshold:g}, beyond float32: fit it with "
            "threshold=None, which accepts every clip as well"
        )
    column = int(unknown[0]) if len(unknown) else None
    return steps.Prototypes(estimator.prototypes_, estimator.metric, column, threshold)


def _embedding(step: SpeechEmbedding) -> nn.Module:
    with warnings.catch_warnings():  # of a low sampling rate, which fit has told of
        warnings.simplefilter("ignore", UserWarning)
        return exportable(step.to_module())


def _calibration(part: Any, *, of_scores: bool) -> nn.Module:
    found = part.calibrators
    if part.method == "sigmoid":
        return steps.SigmoidCalibration([c.a_ for c in found], [c.b_ for c in found])
    if part.method == "isotonic":
        return steps.IsotonicCalibration([(c.X_thresholds_, c.y_thresholds_) for c in found])
    return steps.TemperatureCalibration(found[0].beta_, of_probabilities=not of_scores)


def _inside(where: str, name: str) -> str:
    return f"{where}__{name}" if where else name


def _named(where: str) -> str:
    return where or "the estimator"
