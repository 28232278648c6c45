"""What the stored trials of a study say about a search.

A search has slots 0, 1, 2 and so on; ``n_trials`` of them in the end. A trial that a search
begins is stored in one write, with its parameters, its slot and its owner. Where its process
ends too early, a later trial takes the same slot, the same parameters and the finished folds.
"""

import math
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import FrozenTrial, Trial, TrialState

#: User attribute of a trial of a search: ``owner``, ``slot``, ``params`` (a digest of the
#: parameters; None while they are drawn), ``enqueued`` (whether a user had enqueued these
#: parameters) and ``claimed`` (whether the trial itself was waiting in the study before).
RECORD = "sklearn_speech:trial"

#: User attribute: a number that changes while the owner of the trial runs.
HEARTBEAT = "sklearn_speech:heartbeat"

#: User attribute of a failed trial that does not count: why, one of the words below.
INTERRUPTED = "sklearn_speech:interrupted"

#: Its process ended; another search had the slot already; its search was stopped.
DIED, WITHDRAWN, RELEASED = "died", "withdrawn", "released"

#: Beginning of the user attributes that hold the result of a fold.
FOLD = "fold_"


@dataclass
class BegunTrial:
    """A running trial of this search."""

    trial: Trial
    params: dict[str, Any]
    folds: dict[int, dict[str, Any]] = field(default_factory=dict)  # finished before


@dataclass
class Results:
    """Results that are not stored yet."""

    folds: dict[int, dict[str, Any]] = field(default_factory=dict)
    reports: dict[int, float] = field(default_factory=dict)  # mean so far by step


@dataclass
class Progress:
    """How far all searches on a study are."""

    n_left: int  # trials to be begun
    others_run: bool
    begun: bool  # whether the study holds any trial that was begun, by whomever


def record_of(trial: FrozenTrial) -> dict[str, Any] | None:
    """What a search wrote about its trial; None where no search began it."""
    return trial.user_attrs.get(RECORD)


def slot_of(trial: FrozenTrial) -> int | None:
    """The slot of a trial; None where no search began it."""
    record = record_of(trial)
    return None if record is None else record["slot"]


def is_interrupted(trial: FrozenTrial) -> bool:
    """Whether a trial failed only because its search ended before it."""
    return trial.state == TrialState.FAIL and INTERRUPTED in trial.user_attrs


def is_hidden(trial: FrozenTrial) -> bool:
    """Whether samplers and pruners do not see a trial: waiting, interrupted or about to be."""
    if trial.state == TrialState.WAITING:
        return True
    unfinished = trial.state in (TrialState.RUNNING, TrialState.FAIL)
    return unfinished and INTERRUPTED in trial.user_attrs


def has_all_params(trial: FrozenTrial) -> bool:
    """Whether all parameters of a trial were drawn."""
    record = record_of(trial)
    return record is not None and record["params"] is not None


def is_enqueued(trial: FrozenTrial) -> bool:
    """Whether a user had enqueued the parameters of a trial of a search."""
    record = record_of(trial)
    return record is not None and record["enqueued"]


def takes_slot(trial: FrozenTrial) -> bool:
    """Whether a trial is one of the `n_trials` of a search: running, or finished for good."""
    if record_of(trial) is None:
        return False
    if trial.state == TrialState.RUNNING:
        return True
    return trial.state.is_finished() and has_all_params(trial) and not is_interrupted(trial)


def folds_of(trial: FrozenTrial) -> dict[int, dict[str, Any]]:
    """Results of the folds of a trial, by number of the fold."""
    found = {
        int(name.removeprefix(FOLD)): result
        for name, result in trial.user_attrs.items()
        if name.startswith(FOLD)
    }
    return dict(sorted(found.items()))


def cannot_score(result: dict[str, Any]) -> bool:
    """Whether a fold failed without a finite score, so that the mean over folds has none."""
    scores = result["test_scores"]
    scores = list(scores.values()) if isinstance(scores, dict) else [scores]
    return result["fit_error"] is not None and not all(map(math.isfinite, scores))
