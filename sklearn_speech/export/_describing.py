"""What a fitted estimator takes and answers, as far as a file must say it."""

from copy import copy
from typing import Any

from sklearn.base import is_classifier, is_regressor
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import VotingClassifier, VotingRegressor
from sklearn.pipeline import FeatureUnion, Pipeline

from ..audio import AudioReader, PadOrTrim
from ..base import BaseSpeechClassifier, BaseSpeechRegressor
from ..feature_extraction import SpectrogramScaler, TemporalPooling
from ..pretraining import ConvAutoencoder
from ..recognition import PhonemeRecognizer
from ..store import ClipStore
from ..utils.parts import sample_rates, unwrapped, unwrapped_final_step, walk
from ._deciding import THRESHOLDED, decision_of, thresholded
from ._header import Header, labels_of


def without_readers(estimator: Any) -> Any:
    """The estimator that takes waveforms, without steps that read or store sound files.

    Raises
    ------
    ValueError
        When nothing else is there.
    """
    estimator = unwrapped(estimator)
    if isinstance(estimator, AudioReader):
        raise ValueError(
            "an AudioReader alone cannot be exported: a file takes waveforms and reads no sound "
            "files"
        )
    if isinstance(estimator, Pipeline):
        (name, first), *others = estimator.steps
        first = unwrapped(first)
        if isinstance(first, (AudioReader, ClipStore)) and others:
            return without_readers(Pipeline(others))
        return Pipeline([(name, _without_readers_inside(first)), *others])
    return _without_readers_inside(estimator)


def _without_readers_inside(estimator: Any) -> Any:
    """A copy of an ensemble whose members take waveforms; others as they are."""
    if isinstance(estimator, Pipeline):
        return without_readers(estimator)
    if isinstance(estimator, (VotingClassifier, VotingRegressor)):
        estimator = copy(estimator)
        estimator.estimators_ = [without_readers(part) for part in estimator.estimators_]
    elif isinstance(estimator, THRESHOLDED):
        inner = without_readers(thresholded(estimator))
        estimator = copy(estimator)
        estimator.estimator_ = inner
    elif isinstance(estimator, CalibratedClassifierCV):
        estimator = copy(estimator)
        parts = [copy(part) for part in estimator.calibrated_classifiers_]
        for part in parts:
            part.estimator = without_readers(part.estimator)
        estimator.calibrated_classifiers_ = parts
    return estimator


def check_input(estimator: Any) -> None:
    """Refuse what takes spectrograms.

    Raises
    ------
    ValueError
        The message names the step.
    """
    for first in _first_steps(estimator):
        reads = getattr(first, "_reads", lambda: "waveform")()
        by_role = isinstance(first, PadOrTrim) and first._role == "spectrograms"
        by_kind = isinstance(first, (SpectrogramScaler, TemporalPooling))
        if reads == "spectrogram" or by_role or by_kind:
            raise ValueError(
                f"{type(first).__name__} takes spectrograms, but a file takes waveforms: export "
                "a fitted pipeline that begins with a front end such as MelSpectrogram, or set "
                "frontend= before fit"
            )


def _first_steps(estimator: Any) -> list[Any]:
    estimator = unwrapped(estimator)
    if isinstance(estimator, Pipeline):
        return _first_steps(estimator.steps[0][1])
    if isinstance(estimator, FeatureUnion):
        members = [step for _, step in estimator.transformer_list if step != "drop"]
    elif isinstance(estimator, (VotingClassifier, VotingRegressor)):
        members = estimator.estimators_
    elif isinstance(estimator, THRESHOLDED):
        members = [thresholded(estimator)]
    elif isinstance(estimator, CalibratedClassifierCV):
        members = [part.estimator for part in estimator.calibrated_classifiers_]
    else:
        return [estimator]
    return [first for member in members for first in _first_steps(member)]


def describe(estimator: Any, given: Any, sample_rate: float | None) -> Header:
    """What the file of an estimator says; lengths are not known yet.

    Parameters
    ----------
    estimator : estimator instance
        Fitted, without readers of sound files.
    given : estimator instance
        As the user gave it; the reader knows the sampling rate.
    sample_rate : float or None
        What the user said.

    Raises
    ------
    ValueError
        When the sampling rate is unknown or not one, or answers cannot be exported.
    """
    last = unwrapped_final_step(estimator)
    common: dict[str, Any] = {
        "sample_rate": _rate(given, sample_rate),
        "estimator": type(last).__name__,
    }
    if isinstance(last, PhonemeRecognizer):
        labels, dtype = labels_of(last.phones_)
        return Header(
            "recognizer", labels=labels, label_dtype=dtype, decoder=last.decoder, **common
        )
    if isinstance(last, BaseSpeechClassifier) and last.multilabel_:
        return Header("multilabel classifier", **common)
    if is_classifier(last):
        several = isinstance(last.classes_, list) or getattr(last.classes_, "ndim", 1) != 1
        if several or getattr(last, "multilabel_", False):
            raise ValueError(
                f"{type(last).__name__} was fitted with several outputs a clip, which only the "
                "classifiers of this library can have in a file"
            )
        labels, dtype = labels_of(last.classes_)
        _refuse_pairs(last)
        is_sure = hasattr(last, "predict_proba") or getattr(last, "voting", "") == "hard"
        kind = "classifier" if is_sure else "classifier without probabilities"
        decides = decision_of(last) is not None
        return Header(kind, labels=labels, label_dtype=dtype, decides=decides, **common)
    if is_regressor(last):
        return Header("regressor", flat=_is_flat(last), **common)
    kind = "autoencoder" if isinstance(last, ConvAutoencoder) else "transformer"
    return Header(kind, **common)


def _refuse_pairs(classifier: Any) -> None:
    by_pairs = getattr(classifier, "decision_function_shape", "ovr") == "ovo"
    if by_pairs and len(classifier.classes_) > 2 and not hasattr(classifier, "predict_proba"):
        raise ValueError(
            f"{type(classifier).__name__} has decision_function_shape='ovo', scores of pairs of "
            "classes: set decision_function_shape='ovr', which predicts the same labels"
        )


def _is_flat(regressor: Any) -> bool:
    """Whether a regressor was fitted with one number a clip and not with a column of one."""
    if isinstance(regressor, BaseSpeechRegressor):
        return regressor._target_ndim == 1
    if isinstance(regressor, VotingRegressor):
        return True
    coef = getattr(regressor, "coef_", None)
    return coef.ndim == 1 if coef is not None else getattr(regressor, "n_outputs_", 1) == 1


def _rate(estimator: Any, given: float | None) -> float:
    parts = [part for _, part in walk(estimator, fitted=True)]
    found = {rate for part in parts for _, rate in sample_rates(part)}
    if len(found) > 1:
        raise ValueError(f"the steps have the sampling rates {sorted(found)} Hz, expected one")
    if given is not None and not given > 0:
        raise ValueError(f"sample_rate={given!r}: expected a number of Hz above 0")
    if given is None and not found:
        raise ValueError(
            "no step has a sample_rate: tell the rate of the waveforms in Hz by sample_rate="
        )
    if given is not None and found not in (set(), {given}):
        raise ValueError(f"sample_rate={given} Hz, but the steps have {found.pop()} Hz")
    rate = float(found.pop() if found else given)  # type: ignore[arg-type]
    return int(rate) if rate.is_integer() else rate


def usual_length(estimator: Any, sample_rate: float) -> int:
    """Samples of the clips that an estimator was fitted for, where it says so; else a second's."""
    for _, part in walk(estimator, fitted=True):
        if isinstance(part, PadOrTrim) and part._role == "waveforms":
            return int(part.n_times_)
    width = getattr(estimator, "n_features_in_", None)
    return int(sample_rate) if width is None else int(width)
