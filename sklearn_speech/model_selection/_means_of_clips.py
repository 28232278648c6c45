"""Metrics that are means over clips, computed for all speakers at once."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, log_loss, mean_absolute_error, mean_squared_error

from ..utils.sklearn_private import is_made_scorer, parts_of_scorer
from ._responses import CachedResponses

#: How far the mean over all clips may be from the scorer's own result: rounding.
_TOLERANCE = 1e-5


class RowsOfSpeakers(Sequence):
    """Ascending positions of each speaker's clips, in the order of the codes.

    Parameters
    ----------
    codes : ndarray of int of shape (n_clips,)
        Speaker of each clip.

    Attributes
    ----------
    order : ndarray of int of shape (n_clips,)
        The positions, speaker by speaker.
    starts : ndarray of int of shape (n_speakers,)
        Where each speaker begins in `order`.

    Examples
    --------
    >>> [rows.tolist() for rows in RowsOfSpeakers(np.array([7, 3, 7]))]
    [[1], [0, 2]]
    """

    def __init__(self, codes: npt.NDArray[Any]) -> None:
        self.order = np.argsort(codes, kind="stable")
        self.starts = np.r_[0, np.flatnonzero(np.diff(codes[self.order])) + 1]
        self._stops = np.append(self.starts[1:], len(codes))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, i: Any) -> Any:
        return self.order[self.starts[i] : self._stops[i]]


def means_by_speaker(
    scorer: Any,
    responses: CachedResponses,
    y: npt.NDArray[Any],
    rows: RowsOfSpeakers,
    score: float,
) -> list[float] | None:
    """One score per speaker for a metric that is a mean over clips.

    Parameters
    ----------
    scorer : callable
    responses : CachedResponses
        Cached responses to all test clips.
    y : ndarray of shape (n_clips, ...)
        Targets of the test clips.
    rows : RowsOfSpeakers
        Positions of each speaker's clips among the test clips.
    score : float
        What the scorer gave for all test clips.

    Returns
    -------
    scores : list of float, or None
        None if the metric is not known to be a mean over clips, or if the mean over all test
        clips is not `score`.
    """
    if not is_made_scorer(scorer):
        return None
    parts = parts_of_scorer(scorer)
    of_clips = _OF_CLIPS.get(parts.function)
    if of_clips is None or parts.options.keys() - {"labels"}:
        return None
    values = of_clips(y, responses)
    if values is None or not np.isclose(parts.sign * values.mean(), score, rtol=_TOLERANCE):
        return None
    sums = np.add.reduceat(values[rows.order], rows.starts)
    return (parts.sign * sums / np.diff(rows.starts, append=len(values))).tolist()


def _right(y: npt.NDArray[Any], responses: CachedResponses) -> npt.NDArray[Any] | None:
    """1 where the predicted class is right."""
    predictions = np.asarray(responses.response("predict"))
    if y.ndim != 1 or predictions.shape != y.shape:
        return None
    return np.asarray(y == predictions, dtype=float)


def _information(y: npt.NDArray[Any], responses: CachedResponses) -> npt.NDArray[Any] | None:
    """Negative logarithm of the probability of the true class."""
    classes = np.asarray(getattr(responses.fitted, "classes_", None))
    probabilities = np.asarray(responses.response("predict_proba"))
    if (
        y.ndim != 1
        or classes.ndim != 1
        or y.dtype.kind != classes.dtype.kind
        or probabilities.shape != (len(y), len(classes))
        or probabilities.dtype.kind != "f"
        or (np.sort(classes) != classes).any()
    ):
        return None
    if len(classes) == 2:  # scikit-learn uses that of the second class only
        probabilities = np.stack([1 - probabilities[:, 1], probabilities[:, 1]], axis=1)
    columns = np.searchsorted(classes, y)
    eps = np.finfo(probabilities.dtype).eps
    return -np.log(probabilities[np.arange(len(y)), columns].clip(eps, 1 - eps)).astype(float)


def _error(y: npt.NDArray[Any], responses: CachedResponses) -> npt.NDArray[Any] | None:
    """Difference between the prediction and the target."""
    predictions = np.asarray(responses.response("predict"))
    if y.ndim != 1 or predictions.shape != y.shape or y.dtype.kind not in "fiu":
        return None
    return predictions.astype(float) - y


def _absolute_error(y: npt.NDArray[Any], responses: CachedResponses) -> npt.NDArray[Any] | None:
    error = _error(y, responses)
    return None if error is None else np.abs(error)


def _squared_error(y: npt.NDArray[Any], responses: CachedResponses) -> npt.NDArray[Any] | None:
    error = _error(y, responses)
    return None if error is None else np.square(error)


_OfClips = Callable[[npt.NDArray[Any], CachedResponses], npt.NDArray[Any] | None]

_OF_CLIPS: dict[Any, _OfClips] = {
    accuracy_score: _right,
    log_loss: _information,
    mean_absolute_error: _absolute_error,
    mean_squared_error: _squared_error,
}
