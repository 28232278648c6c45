"""The first steps of pipelines, and checks of their parameters."""

import math
from collections.abc import Sequence
from numbers import Real
from typing import Any, Literal

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from ..audio import AudioReader, PadOrTrim
from ..classification import AugmentedClassifier
from ..feature_extraction import TemporalPooling
from ..utils.values import samples_of
from ._values import STATISTICS


def check_option(name: str, value: object, options: Sequence) -> None:
    """Raise an error if a value is not one of `options`."""
    if value not in options:
        shown = ", ".join(map(repr, options))
        raise ValueError(f"{name}={value!r}: expected one of {shown}")


def check_rate(sample_rate: Any) -> int:
    """Convert a sample rate to int; raise an error if it is not a positive whole number."""
    is_number = isinstance(sample_rate, Real) and not isinstance(sample_rate, bool)
    if not is_number or not sample_rate > 0 or sample_rate != sample_rate // 1:
        raise ValueError(f"sample_rate={sample_rate!r}: expected a positive whole number of Hz")
    return int(sample_rate)


def clips(
    reads: Literal["paths", "waveforms"], sample_rate: int, n_times: int | None = None
) -> list[BaseEstimator]:
    """Return the first steps of a pipeline, which read files and pad or trim waveforms.

    Parameters
    ----------
    reads : {"paths", "waveforms"}
        Input of the pipeline.
    sample_rate : int
        In Hz.
    n_times : int, default=None
        Length in samples; None keeps the length of each clip.

    Returns
    -------
    steps : list of transformers
    """
    check_option("reads", reads, ("paths", "waveforms"))
    steps = [AudioReader(sample_rate=sample_rate)] if reads == "paths" else []
    return steps if n_times is None else [*steps, PadOrTrim(n_times=n_times)]


def statistics_over_time() -> list[BaseEstimator]:
    """Steps from features of frames to a standardised table, one row for each clip.

    Three parts in time tell how an utterance begins, goes on and ends.
    """
    return [TemporalPooling(STATISTICS, n_segments=3), StandardScaler()]


def with_copies(
    steps: Sequence[BaseEstimator], augment: Sequence[Any], n_copies: int, random_state: Any
) -> Sequence[BaseEstimator]:
    """Steps that learn from clips, as one classifier that also learns from `n_copies` of each."""
    if n_copies == 0:
        return steps
    copied = AugmentedClassifier(
        pipeline(steps), augment, n_copies=n_copies, random_state=random_state
    )
    return [copied]


def in_samples(duration: Any, sample_rate: int, default: int | None) -> int | None:
    """Convert a duration in seconds to a number of samples; None gives `default`."""
    if duration is None:
        return default
    is_number = isinstance(duration, Real) and not isinstance(duration, bool)
    if not is_number or not 0 < duration < math.inf:
        raise ValueError(f"duration={duration!r}: expected a positive number of seconds, or None")
    return samples_of(duration, sample_rate)


def pipeline(*steps: BaseEstimator | list[BaseEstimator]) -> Pipeline:
    """Make a pipeline of steps and lists of steps."""
    flat = [s for step in steps for s in (step if isinstance(step, list) else [step])]
    return make_pipeline(*flat)
