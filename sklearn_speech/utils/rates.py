"""Sampling rates that stay with clips, so that steps which expect others refuse them."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .lazy_clips import LazyClips
from .parts import sample_rates


class ClipsWithRate(np.ndarray):
    """An array of clips that knows their sampling rate.

    Attributes
    ----------
    sample_rate : float or None
        In Hz. Parts and copies of the array have it too.
    """

    sample_rate: float | None

    def __array_finalize__(self, obj: Any) -> None:
        self.sample_rate = getattr(obj, "sample_rate", None)

    def __reduce__(self) -> Any:
        return with_rate, (np.asarray(self), self.sample_rate)


def rate_of(X: Any) -> float | None:
    """The sampling rate that clips know, None where they know none."""
    return X.sample_rate if isinstance(X, (ClipsWithRate, LazyClips)) else None


def with_rate(X: npt.NDArray[Any], sample_rate: float | None) -> npt.NDArray[Any]:
    """Clips that know their sampling rate; X itself where it is None.

    Examples
    --------
    >>> import numpy as np
    >>> rate_of(with_rate(np.zeros((3, 8)), 8000)[:2])
    8000
    """
    if sample_rate is None:
        return X
    clips = X.view(ClipsWithRate)
    clips.sample_rate = sample_rate
    return clips


def check_rates(estimator: Any, X: Any, *, reset: bool) -> None:
    """Refuse clips of another sampling rate than the estimator, or a part of it, has.

    Parameters
    ----------
    estimator : estimator instance
    X : object
        What it was given; anything that knows no rate is accepted.
    reset : bool
        True in ``fit``, where all parts are compared. Elsewhere, only the estimator
        and its front end are compared, because predicting one clip may take only a millisecond.

    Raises
    ------
    ValueError
        When a rate differs; the message names the part.
    """
    rate = rate_of(X)
    if rate is None:
        return
    near = (estimator, getattr(estimator, "frontend", None))
    if reset or any(getattr(part, "sample_rate", rate) != rate for part in near):
        compare_rates(estimator, rate)


def compare_rates(estimator: Any, rate: float) -> None:
    """Refuse an estimator that has, or of which a part has, another sampling rate (Hz)."""
    for path, expected in sample_rates(estimator):
        if expected != rate:
            place = type(estimator).__name__ + (f", in {path}," if path else "")
            raise ValueError(
                f"{place} has sample_rate={expected}, but the clips that it gets have "
                f"sample_rate={rate}; use the same sample rate in all steps"
            )
