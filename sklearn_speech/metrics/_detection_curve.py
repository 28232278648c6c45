"""Misses against false alarms an hour over all thresholds."""

import math
import numbers
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.utils import Bunch

from ..utils.speakers import check_speakers
from ._event_table import as_float, check_events
from ._match_events import match_events


def detection_curve(
    true: Any,
    predicted: Any,
    durations: Mapping[Any, float] | Iterable[float],
    *,
    speakers: Mapping[Any, Any] | Iterable[Any] | None = None,
    collar: float = 0.2,
    at: Literal["start", "center", "both"] = "start",
) -> Bunch:
    """Miss rate and false alarms an hour at each threshold of a detector's score.

    Parameters
    ----------
    true, predicted : EventTable, DataFrame or iterable of tuples
        Events; see :class:`EventTable`. Predicted ones need scores and should reach down to low
        ones: what is not there can be found at no threshold.
    durations : dict of recording to float, or iterable of float
        Length of each recording in seconds, of those without events too; without names they
        belong to the positions 0, 1, ...
    speakers : dict of recording to object, or iterable of object, default=None
        Who speaks in each recording, in the order of `durations`; adds curves by speaker.
    collar, at
        See :func:`match_events`.

    Returns
    -------
    curve : :class:`~sklearn.utils.Bunch`
        thresholds : ndarray of shape (n_thresholds,)
            Falling, from infinity: events with at least this score count.
        miss_rate : ndarray of shape (n_thresholds,)
            Share of the true events that are not found; never rises.
        false_alarms_per_hour : ndarray of shape (n_thresholds,)
            Never falls.
        hours : float
            Of all recordings together.
        n_true : int
            Number of true events.
        speakers : ndarray of shape (n_speakers,) or None
            Sorted.
        miss_rate_by_speaker, false_alarms_per_hour_by_speaker : ndarray of shape \
                (n_speakers, n_thresholds) or None
            The same by speaker; a speaker without true events has NaN misses.

    Raises
    ------
    TypeError, ValueError
        When there is no true event, a predicted event has no score, an event belongs to a
        recording without a duration, or a duration is not positive.

    See Also
    --------
    miss_rate_at : Misses at some rates of false alarms.

    Examples
    --------
    >>> from sklearn_speech.metrics import detection_curve
    >>> true = [(0, "yes", 1.0, 1.5), (0, "no", 3.0, 3.4)]
    >>> found = [(0, "yes", 1.0, 1.5, 0.9), (0, "yes", 7.0, 7.5, 0.8), (0, "no", 3.0, 3.4, 0.7)]
    >>> curve = detection_curve(true, found, [1800.0])
    >>> curve.thresholds.tolist(), curve.miss_rate.tolist()
    ([inf, 0.9, 0.8, 0.7], [1.0, 0.5, 0.5, 0.0])
    >>> curve.false_alarms_per_hour.tolist()
    [0.0, 0.0, 2.0, 2.0]
    """
    seconds = _by_recording(durations, "durations", None)
    for name, value in seconds.items():
        is_number = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not is_number or not 0 < as_float(value, f"durations[{name!r}]") < math.inf:
            raise ValueError(f"durations[{name!r}]={value!r}: expected a positive number of s")
    true, predicted = check_events(true, "true"), check_events(predicted, "predicted")
    for what, events in (("true", true), ("predicted", predicted)):
        if unknown := set(events.recording.tolist()) - seconds.keys():
            raise ValueError(
                f"{what} has events in the recording {min(unknown, key=str)!r}, which has no entry "
                f"in durations (recordings there: {', '.join(map(repr, list(seconds)[:5]))})"
            )
    if len(true) == 0:
        raise ValueError("true holds no event: the rate of misses is undefined")
    if np.isnan(predicted.score).any():
        i = int(np.isnan(predicted.score).argmax())
        raise ValueError(f"event {i} of predicted has no score: expected one for each threshold")
    match = match_events(true, predicted, collar=collar, at=at)
    thresholds = np.concatenate([[np.inf], np.unique(predicted.score)[::-1]])

    def curves(recordings: Any) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        own = np.array([r in recordings for r in predicted.recording.tolist()], dtype=bool)
        n_true = sum(r in recordings for r in true.recording.tolist())
        hours = sum(seconds[r] for r in recordings) / 3600
        hits, alarms = (
            _counts(predicted.score[own & kind], thresholds)
            for kind in (match.is_hit, ~match.is_hit)
        )
        misses = 1 - hits / n_true if n_true else np.full(len(thresholds), np.nan)
        return misses, alarms / hours

    misses, alarms = curves(seconds.keys())
    names = by_speaker = None
    if speakers is not None:
        speaker_of = _by_recording(speakers, "speakers", list(seconds))
        names, codes = check_speakers([speaker_of[r] for r in seconds], len(seconds))
        of_each = [{r for r, c in zip(seconds, codes) if c == k} for k in range(len(names))]
        parts = [curves(recordings) for recordings in of_each]
        by_speaker = [np.array(column) for column in zip(*parts)]
    return Bunch(
        thresholds=thresholds,
        miss_rate=misses,
        false_alarms_per_hour=alarms,
        hours=sum(seconds.values()) / 3600,
        n_true=len(true),
        speakers=names,
        miss_rate_by_speaker=None if by_speaker is None else by_speaker[0],
        false_alarms_per_hour_by_speaker=None if by_speaker is None else by_speaker[1],
    )


def miss_rate_at(
    curve: Bunch,
    false_alarms_per_hour: float | Iterable[float],
    *,
    floor: float | None = None,
) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Lowest miss rate for a given rate of false alarms, and the threshold that gives it.

    Parameters
    ----------
    curve : Bunch
        What :func:`detection_curve` returned.
    false_alarms_per_hour : float or iterable of float
        How many false alarms an hour are allowed; one or several numbers.
    floor : float, default=None
        The lowest score of the events that the detector was asked for. If all events are
        accepted, it takes the place of the score of the first event that is not.

    Returns
    -------
    miss_rate : ndarray of shape (n_rates,) or ()
        The lowest share of missed events with at most that many false alarms.
    threshold : ndarray of shape (n_rates,) or ()
        The threshold for it. It is half-way between the lowest accepted score and the next
        lower one, which would be a false alarm too many. If there is no lower score and no
        `floor`, it is the lowest score.

    Examples
    --------
    >>> from sklearn_speech.metrics import detection_curve, miss_rate_at
    >>> true = [(0, "yes", 1.0, 1.5), (0, "no", 3.0, 3.4)]
    >>> found = [(0, "yes", 1.0, 1.5, 0.9), (0, "yes", 7.0, 7.5, 0.8), (0, "no", 3.0, 3.4, 0.7)]
    >>> curve = detection_curve(true, found, [1800.0])
    >>> misses, thresholds = miss_rate_at(curve, [0.0, 2.0])
    >>> misses.tolist(), thresholds.round(2).tolist()
    ([0.5, 0.0], [0.85, 0.7])
    """
    check_curve(curve)
    try:
        rates = np.asarray(false_alarms_per_hour, dtype=float)
    except (TypeError, ValueError):
        rates = np.array(np.nan)
    if not (rates >= 0).all():
        raise ValueError(
            f"false_alarms_per_hour={false_alarms_per_hour!r}: expected rates of at least 0"
        )
    if floor is not None and not (isinstance(floor, numbers.Real) and math.isfinite(floor)):
        raise ValueError(f"floor={floor!r}: expected a finite score or None")
    last = np.searchsorted(curve.false_alarms_per_hour, rates, side="right") - 1
    accepted = curve.thresholds[last]
    lowest = curve.thresholds[-1]
    following = np.append(curve.thresholds, lowest if floor is None else min(floor, lowest))
    rejected = following[last + 1]
    # nothing is accepted above infinity: just above the highest score
    threshold = np.where(
        np.isinf(accepted), np.nextafter(rejected, np.inf), (accepted + rejected) / 2
    )
    return curve.miss_rate[last], threshold


def check_curve(curve: Any) -> None:
    """Refuse what is no curve.

    Raises
    ------
    TypeError
        When `curve` is nothing that :func:`detection_curve` returned.
    """
    if not all(hasattr(curve, name) for name in ("thresholds", "miss_rate", "hours")):
        raise TypeError(
            f"curve is of type {type(curve).__name__}: expected what detection_curve returned"
        )


def _by_recording(values: Any, name: str, recordings: list[Any] | None) -> dict[Any, Any]:
    if isinstance(values, Mapping):
        found = dict(values)
    elif isinstance(values, (str, bytes)) or not isinstance(values, Iterable):
        raise TypeError(
            f"{name} is of type {type(values).__name__}: expected a dict by recording, or one "
            "entry for each"
        )
    else:
        listed = list(values)
        if recordings is not None and len(listed) != len(recordings):
            raise ValueError(
                f"{name} has {len(listed)} entries for {len(recordings)} recordings of durations"
            )
        found = dict(zip(range(len(listed)) if recordings is None else recordings, listed))
    if recordings is not None and (missing := [r for r in recordings if r not in found]):
        raise ValueError(f"{name} has no entry for the recording {missing[0]!r}")
    return found


def _counts(scores: npt.NDArray[Any], thresholds: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """How many scores reach each threshold."""
    return len(scores) - np.searchsorted(np.sort(scores), thresholds, side="left")
