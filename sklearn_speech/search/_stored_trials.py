"""Read what the stored trials of a study contain about a search.

A search has ``n_trials`` slots, numbered from 0. When a search begins a trial, it stores the
trial in one write, with its parameters, its slot and its owner. If the process ends too early,
a later trial takes over the slot, the parameters and the finished folds.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import FrozenTrial, Trial, TrialState

#: User attribute of a trial of a search: ``owner``, ``slot``, ``params`` (a digest of the
#: parameters; None while they are being drawn), ``enqueued`` (whether a user enqueued these
#: parameters) and ``claimed`` (whether the trial itself was waiting in the study before).
RECORD = "sklearn_speech:trial"

#: User attribute: a number that changes as long as the owner of the trial is running.
HEARTBEAT = "sklearn_speech:heartbeat"

#: User attribute of a failed trial that does not count: the reason, one of those below.
INTERRUPTED = "sklearn_speech:interrupted"

#: The process ended; another search already had the slot; the search was stopped.
DIED, WITHDRAWN, RELEASED = "died", "withdrawn", "released"

#: Prefix of the user attributes that hold the result of a fold.
FOLD = "fold_"


@dataclass
class BegunTrial:
    """A running trial of this search."""

    trial: Trial
    params: dict[str, Any]
    folds: dict[int, dict[str, Any]] = field(default_factory=dict)  # finished by earlier trials


@dataclass
class Results:
    """Results that have not been stored yet."""

    folds: dict[int, dict[str, Any]] = field(default_factory=dict)
    reports: dict[int, float] = field(default_factory=dict)  # mean so far by step


@dataclass
class Progress:
    """Progress of all searches on a study."""

    n_left: int  # trials that have not begun
    others_run: bool
    begun: bool  # whether any process has begun a trial of the study


def record_of(trial: FrozenTrial) -> dict[str, Any] | None:
    """Return what a search stored about its trial, or None if no search began it."""
    return trial.user_attrs.get(RECORD)


def slot_of(trial: FrozenTrial) -> int | None:
    """Return the slot of a trial, or None if no search began it."""
    record = record_of(trial)
    return None if record is None else record["slot"]


def is_interrupted(trial: FrozenTrial) -> bool:
    """Whether a trial failed only because its search ended first."""
    return trial.state == TrialState.FAIL and INTERRUPTED in trial.user_attrs


def is_hidden(trial: FrozenTrial) -> bool:
    """Whether a trial is hidden from samplers and pruners: waiting, interrupted or abandoned."""
    if trial.state == TrialState.WAITING:
        return True
    unfinished = trial.state in (TrialState.RUNNING, TrialState.FAIL)
    return unfinished and INTERRUPTED in trial.user_attrs


def has_all_params(trial: FrozenTrial) -> bool:
    """Whether all parameters of a trial have been drawn."""
    record = record_of(trial)
    return record is not None and record["params"] is not None


def is_enqueued(trial: FrozenTrial) -> bool:
    """Whether a user enqueued the parameters of a trial of a search."""
    record = record_of(trial)
    return record is not None and record["enqueued"]


def takes_slot(trial: FrozenTrial) -> bool:
    """Whether a trial is one of the `n_trials` of a search: running, or finished."""
    if record_of(trial) is None:
        return False
    if trial.state == TrialState.RUNNING:
        return True
    return trial.state.is_finished() and has_all_params(trial) and not is_interrupted(trial)


def folds_of(trial: FrozenTrial) -> dict[int, dict[str, Any]]:
    """Return the results of the folds of a trial by fold number."""
    found = {
        int(name.removeprefix(FOLD)): result
        for name, result in trial.user_attrs.items()
        if name.startswith(FOLD)
    }
    return dict(sorted(found.items()))


def cannot_score(result: dict[str, Any]) -> bool:
    """Whether a fold failed without a finite score, so that the mean over folds is not finite."""
    scores = result["test_scores"]
    scores = list(scores.values()) if isinstance(scores, dict) else [scores]
    return result["fit_error"] is not None and not all(map(math.isfinite, scores))
