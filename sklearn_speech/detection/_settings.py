"""What a detector computes with, once its parameters are checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import NotFittedError

from ..audio import AudioReader, PadOrTrim
from ..feature_extraction._base import BaseSpectralTransformer
from ..utils.parts import final_step, sample_rates
from ..utils.sklearn_private import validate_parameter_constraints
from ..utils.values import samples_of
from ._window_scorer import shared_front_end, split_steps
from ._word_edges import WordEdges


@dataclass(frozen=True)
class Plan:
    """How the windows of a recording are scored."""

    reader: AudioReader | None
    steps: list[tuple[str, Any]]
    sample_rate: float  # Hz
    n_window: int  # samples
    n_step: int  # samples
    classes: list[Any]
    columns: list[int]  # of the classes that are words
    on_invalid: str

    def starts(self, first: int, stop: int) -> npt.NDArray[np.intp]:
        """First samples of some windows; those of the first ones lie before the recording."""
        return np.arange(first, stop) * self.n_step - self.n_window // 2

    def seconds(self, window: Any) -> Any:
        """Middle of a window, counted from 0, in seconds."""
        shift = self.n_window / 2 - self.n_window // 2
        return (window * self.n_step + shift) / self.sample_rate

    @property
    def words(self) -> list[Any]:
        """The classes that are words."""
        return [self.classes[column] for column in self.columns]


@dataclass(frozen=True)
class Rule:
    """How scores over time become events; distances in windows."""

    thresholds: npt.NDArray[np.float64]
    smoothing: int
    patience: int
    distance: float
    reach: int
    edges: list[WordEdges]  # of each word


def plan_of(detector: Any, sample_rate: float | None) -> Plan:
    """How a detector scores windows, after all checks of its parameters.

    Parameters
    ----------
    detector : SlidingWindow
    sample_rate : float or None
        What the user says of the recordings, in Hz.

    Returns
    -------
    plan : Plan

    Raises
    ------
    NotFittedError, TypeError, ValueError
    """
    _check_parameters(detector, {})
    if not detector.__sklearn_is_fitted__():
        raise NotFittedError(
            f"this {type(detector).__name__} is not fitted yet: call fit, or give it a fitted "
            "classifier"
        )
    return make_plan(
        detector._classifier(),
        duration=detector.duration,
        step=detector.step,
        own_rate=detector.sample_rate,
        rate_of_recordings=sample_rate,
        others=detector._others(),
        on_invalid=detector.on_invalid,
    )


def rule_of(detector: Any, plan: Plan, *passed: Any) -> Rule:
    """How scores become events, by what was passed or else by a detector's parameters.

    Parameters
    ----------
    detector : SlidingWindow
    plan : Plan
    *passed : tuple
        threshold, min_distance, smoothing and patience; None where not passed.

    Returns
    -------
    rule : Rule
    """
    names = ("threshold", "min_distance", "smoothing", "patience")
    changed = {n: value for n, value in zip(names, passed, strict=True) if value is not None}
    _check_parameters(detector, changed)
    chosen = {name: changed.get(name, getattr(detector, name)) for name in names}
    return make_rule(plan, edges=edges_of(detector), **chosen)


def edges_of(detector: Any) -> dict[Any, WordEdges]:
    """What a fitted detector has learned about the edges of its words."""
    durations = getattr(detector, "durations_", None) or {}
    soft = getattr(detector, "soft_parts_", None) or {}  # files of earlier versions have none
    return {
        word: WordEdges(duration, soft[word]) if word in soft else WordEdges.unknown(duration)
        for word, duration in durations.items()
    }


def _check_parameters(detector: Any, changed: dict[str, Any]) -> None:
    validate_parameter_constraints(
        detector._parameter_constraints,
        {**detector.get_params(deep=False), **changed},
        type(detector).__name__,
    )


def make_plan(
    estimator: Any,
    *,
    duration: float | None,
    step: float,
    own_rate: float | None,
    rate_of_recordings: float | None,
    others: list[Any],
    on_invalid: str,
) -> Plan:
    """Settings for scoring windows with a fitted classifier, or an error that says what is wrong.

    Parameters
    ----------
    estimator : estimator instance
        Fitted.
    duration, step, own_rate, others, on_invalid
        Parameters of ``SlidingWindow``; `own_rate` is its sample_rate.
    rate_of_recordings : float or None
        What the user says of the recordings, in Hz.

    Returns
    -------
    plan : Plan
    """
    refuse_without_probabilities(estimator)
    rate = rate_of(estimator, own_rate)
    if rate_of_recordings is not None and rate_of_recordings != rate:
        raise ValueError(
            f"the recordings have sample_rate={rate_of_recordings}, but the pipeline computes "
            f"with {rate} Hz: resample them, for instance with soxr.resample, or pass files to a "
            "pipeline that begins with AudioReader"
        )
    reader, steps = split_steps(estimator)
    n_window = window_of(steps, duration, rate)
    _check_window(steps, n_window, rate)
    n_step = max(1, round(step * rate))
    front_end, _ = shared_front_end(steps, n_window)
    if front_end is not None:
        n_step = max(1, round(n_step / front_end.hop_length)) * front_end.hop_length
    if n_step > n_window:
        raise ValueError(
            f"step={step} s is longer than the window of {n_window / rate:.3f} s, which would "
            "leave sound out"
        )
    classes = np.asarray(estimator.classes_)
    if classes.ndim != 1:
        raise ValueError(
            "estimator gives several labels a clip: expected a classifier of one word a clip"
        )
    columns = [i for i, word in enumerate(classes.tolist()) if word not in others]
    if not columns:
        raise ValueError(f"other={others!r} names all classes {classes.tolist()}: no word is left")
    return Plan(reader, steps, rate, n_window, n_step, classes.tolist(), columns, on_invalid)


def make_rule(
    plan: Plan,
    *,
    threshold: Any,
    min_distance: float,
    smoothing: float,
    patience: int,
    edges: Mapping[Any, WordEdges],
) -> Rule:
    """Settings for events in numbers of windows.

    Parameters
    ----------
    plan : Plan
    threshold, min_distance, smoothing, patience
        Parameters of ``SlidingWindow``, checked.
    edges : dict of label to WordEdges
        What is usual for each word; half a window is the duration of those that have none.

    Returns
    -------
    rule : Rule
    """
    step = plan.n_step / plan.sample_rate
    usual = WordEdges.unknown(plan.n_window / plan.sample_rate / 2)
    return Rule(
        thresholds=_thresholds(threshold, plan.words),
        smoothing=1 + 2 * int(smoothing / step / 2 + 1e-6),
        patience=int(patience),
        distance=min_distance / step,
        reach=max(1, plan.n_window // (2 * plan.n_step)),
        edges=[edges.get(word, usual) for word in plan.words],
    )


def rate_of(estimator: Any, own_rate: float | None) -> float:
    """The one sampling rate of the parts of an estimator, in Hz."""
    found = {rate for _, rate in sample_rates(estimator)}
    if own_rate is not None:
        found.add(own_rate)
    if not found:
        raise ValueError("no step of the estimator has a sample_rate: pass sample_rate= in Hz")
    if len(found) > 1:
        raise ValueError(
            f"the steps of the estimator, or sample_rate={own_rate}, differ in their rates: "
            f"{sorted(found)} Hz"
        )
    return next(iter(found))


def window_of(steps: list[tuple[str, Any]], duration: float | None, rate: float) -> int:
    """Samples of the clips that a pipeline was made for."""
    step = steps[0][1]
    kept = getattr(step, "n_times_", step.n_times) if isinstance(step, PadOrTrim) else None
    if duration is not None:
        chosen = samples_of(duration, rate)
        if kept is not None and kept < chosen:
            raise ValueError(
                f"duration={duration:g} s is longer than the {kept / rate:g} s that PadOrTrim "
                "keeps: the end of each window would not be heard"
            )
        return chosen
    n_window = None
    if isinstance(step, PadOrTrim):
        n_window = kept
    elif isinstance(step, BaseSpectralTransformer) or _takes_waveforms(step):
        n_window = getattr(step, "n_features_in_", None)
    if n_window is None:
        raise ValueError(
            "the estimator does not tell how long its clips are: pass duration= in seconds, or "
            "put PadOrTrim(n_times=...) before the front end"
        )
    return int(n_window)


def _check_window(steps: list[tuple[str, Any]], n_window: int, rate: float) -> None:
    """Refuse windows that a fitted pipeline does not take."""
    step = steps[0][1]
    fitted = getattr(step, "n_features_in_", None)
    takes_samples = isinstance(step, (PadOrTrim, BaseSpectralTransformer)) or _takes_waveforms(step)
    if takes_samples and fitted not in (None, n_window):
        raise ValueError(
            f"duration={n_window / rate:g} s, but the pipeline was fitted with clips of "
            f"{fitted / rate:g} s and takes no others; fit it with clips of this length"
        )


def refuse_without_probabilities(estimator: Any) -> None:
    """Raise an error if a classifier gives no probabilities."""
    if not hasattr(estimator, "predict_proba"):
        raise TypeError(
            f"{type(final_step(estimator)).__name__} has no predict_proba, whose probabilities "
            "are the scores over time: use a classifier that has it, or "
            "sklearn.calibration.CalibratedClassifierCV around this one"
        )


def _takes_waveforms(step: Any) -> bool:
    return getattr(step, "reads", None) == "waveform" or getattr(step, "frontend", None) is not None


def _thresholds(threshold: Any, words: list[Any]) -> npt.NDArray[np.float64]:
    if not isinstance(threshold, Mapping):
        return np.full(len(words), float(threshold))
    if missing := set(words) - threshold.keys():
        raise ValueError(
            f"threshold has no word {min(missing, key=str)!r}: expected one for each of {words}"
        )
    if unknown := threshold.keys() - set(words):
        raise ValueError(f"threshold names {min(unknown, key=str)!r}: expected the words {words}")
    for word, value in threshold.items():
        if not isinstance(value, Real) or not float(value) >= 0:
            raise ValueError(f"threshold[{word!r}]={value!r}: expected a number of at least 0")
    return np.array([float(threshold[word]) for word in words])
