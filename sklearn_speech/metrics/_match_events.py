"""Which events a detector found, and which of its answers are false alarms."""

import numbers
from collections.abc import Hashable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from sklearn.utils import Bunch

from ._event_table import EventTable, check_events


def match_events(
    true: Any,
    predicted: Any,
    *,
    collar: float = 0.2,
    at: Literal["start", "center", "both"] = "start",
) -> Bunch:
    """Assign detected events to true ones.

    An event may be assigned to a true event of the same recording and word whose time differs
    by at most the collar. Each true event is found once: a second answer to it is a false
    alarm. As many true events are found as an assignment of this kind can find, and among
    several assignments surer events come first: an event is a hit if it raises the number of
    true events found by those at least as sure. So for every threshold the hits above it are
    as many as if the events below it did not exist.

    Parameters
    ----------
    true, predicted : EventTable, DataFrame or iterable of tuples
        Events; see :class:`EventTable`. Those without a score are all equally sure.
    collar : float, default=0.2
        Largest difference in seconds.
    at : {"start", "center", "both"}, default="start"
        The times that are compared: starts, centres, or both starts and ends.

    Returns
    -------
    match : :class:`~sklearn.utils.Bunch`
        true, predicted : EventTable
            The events in the order of the arrays below.
        is_hit : ndarray of bool of shape (n_predicted,)
            The others are false alarms.
        is_found : ndarray of bool of shape (n_true,)
            The others are misses.
        partner : ndarray of int of shape (n_predicted,)
            Position of the true event; -1 for false alarms.
        error : ndarray of shape (n_predicted,)
            Predicted minus true start (or centre) in seconds; NaN for false alarms.

    Raises
    ------
    TypeError, ValueError
        When an event or a parameter is wrong.

    References
    ----------
    Mesaros, Heittola and Virtanen, "Metrics for polyphonic sound event detection", Applied
    Sciences 6(6), 2016 (event-based metrics with a collar of 200 ms).

    Examples
    --------
    >>> from sklearn_speech.metrics import match_events
    >>> true = [(0, "yes", 1.0, 1.5), (0, "no", 3.0, 3.4)]
    >>> found = [(0, "yes", 1.05, 1.5, 0.9), (0, "yes", 1.1, 1.5, 0.6), (0, "no", 5.0, 5.4, 0.7)]
    >>> match = match_events(true, found)
    >>> match.is_hit.tolist(), match.is_found.tolist()
    ([True, False, False], [True, False])
    """
    true, predicted = check_events(true, "true"), check_events(predicted, "predicted")
    if not isinstance(collar, numbers.Real) or not collar >= 0:
        raise ValueError(f"collar={collar!r}: expected a number of seconds of at least 0")
    if at not in ("start", "center", "both"):
        raise ValueError(f"at={at!r}: expected 'start', 'center' or 'both'")
    partner = np.full(len(predicted), -1)
    places: dict[Hashable, tuple[list[int], list[int]]] = {}
    for side, events in enumerate((true, predicted)):
        for i, key in enumerate(zip(events.recording, events.word)):
            places.setdefault(key, ([], []))[side].append(i)
    for true_at, predicted_at in places.values():
        if true_at and predicted_at:
            distance = _distances(true, true_at, predicted, predicted_at, at)
            surest_first = np.argsort(-np.nan_to_num(predicted.score[predicted_at]), kind="stable")
            for j, i in _augmented(distance, surest_first.tolist(), collar).items():
                partner[predicted_at[i]] = true_at[j]
    is_hit = partner >= 0
    is_found = np.zeros(len(true), dtype=bool)
    is_found[partner[is_hit]] = True
    error = np.full(len(predicted), np.nan)
    error[is_hit] = (_times(predicted, at)[0][is_hit] - _times(true, at)[0][partner[is_hit]]).round(
        9
    )
    return Bunch(
        true=true,
        predicted=predicted,
        is_hit=is_hit,
        is_found=is_found,
        partner=partner,
        error=error,
    )


def _times(events: EventTable, at: str) -> list[npt.NDArray[Any]]:
    if at == "center":
        return [(events.start + events.end) / 2]
    return [events.start] if at == "start" else [events.start, events.end]


def _distances(
    true: EventTable, true_at: list[int], predicted: EventTable, predicted_at: list[int], at: str
) -> npt.NDArray[Any]:
    """Differences in time, of shape (n_true, n_predicted)."""
    differences = [
        np.abs(np.subtract.outer(a[true_at], b[predicted_at]))
        for a, b in zip(_times(true, at), _times(predicted, at))
    ]
    # times are sums of decimal fractions, which are not exact
    return np.max(differences, axis=0).round(9)


def _augmented(distance: npt.NDArray[Any], order: list[int], collar: float) -> dict[int, int]:
    """Kuhn's augmenting paths, events in a given order: {true event: predicted event}."""
    near = {i: np.flatnonzero(distance[:, i] <= collar).tolist() for i in order}
    taken: dict[int, int] = {}

    for i in order:
        # breadth first from event i to a true event that is still free
        came_from: dict[int, int] = {}
        queue, free = [i], None
        while queue and free is None:
            event = queue.pop(0)
            for j in sorted(near[event], key=lambda j: distance[j, event]):
                if j in came_from:
                    continue
                came_from[j] = event
                if j not in taken:
                    free = j
                    break
                queue.append(taken[j])
        while free is not None:
            event = came_from[free]
            before = next((j for j, owner in taken.items() if owner == event), None)
            taken[free] = event
            if event == i:
                break
            free = before
    return taken
