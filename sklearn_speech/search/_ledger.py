"""Assigns trials to searches by slots and owners, and handles trials whose process ended."""

import random
import time
from collections.abc import Callable
from copy import copy
from itertools import count
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

from ..utils.optuna_private import (
    after_trial,
    forget_cached_trials,
    remember_report,
    storage_of,
    study_id_of,
    trial_id_of,
    with_storage,
)
from ._owner import RunningOwner
from ._params import digest_of_params, params_of
from ._samplers import OrderedGridSampler
from ._storage import UNREACHABLE
from ._storage_view import DRAFT, UninterruptedStorage
from ._stored_trials import (
    DIED,
    FOLD,
    INTERRUPTED,
    RECORD,
    RELEASED,
    WITHDRAWN,
    BegunTrial,
    Progress,
    Results,
    cannot_score,
    folds_of,
    has_all_params,
    is_enqueued,
    is_interrupted,
    record_of,
    slot_of,
    takes_slot,
)
from ._trial_folds import failed_result

#: How often a fold is tried if the process ends each time.
MAX_TRIES = 3


class TrialLedger:
    """Keeps track of the trials of one running search in a study.

    Several processes may work on the same study, and each may be killed at any moment.
    Each of the `n_trials` trials has a slot. A new trial takes the first free slot; if two
    processes take the same slot at the same time, the later trial is withdrawn. A running trial
    stores its owner and a heartbeat. If the owner is dead (known at once on the same machine,
    detected by missing heartbeats on others), the first process that notices marks the trial as
    failed and interrupted. This frees the slot for a trial with the same parameters.

    Parameters
    ----------
    study : optuna.Study
    n_trials : int
        How many trials the study will hold in the end, including those of other processes.
    sampler : optuna sampler or None, default=None
        Draws the parameters; None uses the sampler of the study.

    Attributes
    ----------
    view : optuna.Study
        The study as shown to its sampler and its pruner.
    """

    def __init__(self, study: Study, n_trials: int, sampler: BaseSampler | None = None) -> None:
        self.study = study
        self.n_trials = n_trials
        self.owner = RunningOwner(storage_of(study))
        self.timed_out = False
        self._storage = UninterruptedStorage(storage_of(study))
        self.view = with_storage(study, self._storage, sampler or study.sampler)
        self._shared = not isinstance(storage_of(study), InMemoryStorage)
        self._known: list[FrozenTrial] | None = None

    def __enter__(self) -> "TrialLedger":
        self.owner.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.owner.stop()
        for trial_id in self.owner.trials():  # non-empty only if the search ended too early
            try:
                self._release(storage_of(self.study).get_trial(trial_id), RELEASED, retry=False)
            except UNREACHABLE:
                return  # the next search will find that their owner is dead

    # --- progress of the study ------------------------------------------------------------------

    def update(self) -> Progress:
        """Mark the trials of dead owners as interrupted, and return the progress of the study."""
        rows = self._rows()
        abandoned = [trial for trial in rows if self.owner.finds_abandoned(trial)]
        for trial in abandoned:
            self._release(trial, DIED)
        if abandoned:
            rows = self._rows()
        slots = {slot_of(trial) for trial in rows if takes_slot(trial)}
        self._known = rows
        return Progress(
            n_left=self._n_slots(rows) - len(slots),
            others_run=any(
                trial.state == TrialState.RUNNING
                and record_of(trial) is not None
                and trial_id_of(trial) not in self.owner.trials()
                for trial in rows
            ),
            begun=any(trial.state != TrialState.WAITING for trial in rows),
        )

    def finished(self) -> list[FrozenTrial]:
        """The finished trials of all processes of this search, sorted by slot."""
        found: dict[int, FrozenTrial] = {}
        for trial in self._rows():
            slot = slot_of(trial)
            if slot is not None and takes_slot(trial) and trial.state.is_finished():
                found.setdefault(slot, trial)
        return [found[slot] for slot in sorted(found)]

    def _rows(self) -> list[FrozenTrial]:
        return self._storage.call(self.study.get_trials, deepcopy=False)

    def _n_slots(self, rows: list[FrozenTrial]) -> int:
        """`n_trials`, or fewer for a grid, which contains each setting once."""
        sampler = self.view.sampler
        if not isinstance(sampler, OrderedGridSampler):
            return self.n_trials
        n_enqueued = sum(
            trial.state == TrialState.WAITING or (takes_slot(trial) and is_enqueued(trial))
            for trial in rows
        )
        return min(self.n_trials, len(sampler.settings(rows)) + n_enqueued)

    # --- start of trials ------------------------------------------------------------------------

    def begin(self, space: Callable[[Any], dict[str, Any]]) -> BegunTrial | None:
        """Begin a trial in the first free slot.

        Parameters
        ----------
        space : callable
            See :func:`as_space`.

        Returns
        -------
        begun : BegunTrial or None
            None when no slot is free.
        """
        while True:
            # these rows may be outdated; the check below is what counts
            rows, self._known = self._known or self._rows(), None
            taken = {slot_of(trial) for trial in rows if takes_slot(trial)}
            slot = next(number for number in count() if number not in taken)
            if len(taken) >= self._n_slots(rows):
                return None
            earlier = _interrupted(rows, slot)
            waiting = [trial for trial in rows if trial.state == TrialState.WAITING]
            begun = None
            if earlier:
                begun = self._continue(earlier[-1], slot, space)
            if begun is None and waiting:
                begun = self._claim(waiting[0], slot, space)
            elif begun is None:
                begun = self._draw(slot, space)
            if begun is not None and self._keeps_slot(begun.trial, slot):
                return begun

    def _record(self, slot: int, params: dict[str, Any] | None, **origin: bool) -> dict[str, Any]:
        digest = None if params is None else digest_of_params(params)
        known = {"owner": self.owner.name, "slot": slot, "params": digest}
        return known | {"enqueued": False, "claimed": False} | origin

    def _draw(self, slot: int, space: Callable[[Any], dict[str, Any]]) -> BegunTrial:
        self._storage.begin_draft(slot)
        forget_cached_trials(self.view)
        params = space(Trial(self.view, DRAFT))
        return self._store_draft(self._record(slot, params), params)

    def _continue(
        self, earlier: FrozenTrial, slot: int, space: Callable[[Any], dict[str, Any]]
    ) -> BegunTrial | None:
        try:
            params = params_of(earlier, space)
        except ValueError:
            return None  # drawn from another space; nothing depends on this trial
        self._storage.begin_draft(slot, earlier)
        record = self._record(slot, params, enqueued=is_enqueued(earlier))
        return self._store_draft(record, params, folds_of(earlier))

    def _store_draft(
        self,
        record: dict[str, Any],
        params: dict[str, Any],
        folds: dict[int, dict[str, Any]] | None = None,
    ) -> BegunTrial:
        trial_id = self._storage.store_draft(study_id_of(self.study), record)
        return self._begun(trial_id, params, folds or {})

    def _begun(self, trial_id: int, params: Any, folds: Any) -> BegunTrial:
        trial = Trial(self.view, trial_id)
        self.owner.add(trial_id)
        return BegunTrial(trial, params, folds)

    def _claim(
        self, waiting: FrozenTrial, slot: int, space: Callable[[Any], dict[str, Any]]
    ) -> BegunTrial | None:
        """Begin a trial that the user enqueued, unless another process was faster."""
        trial_id, origin = trial_id_of(waiting), {"enqueued": True, "claimed": True}
        try:
            # store the owner first: nothing would ever end a running trial without one
            self._storage.set_trial_user_attr(trial_id, RECORD, self._record(slot, None, **origin))
            if not self._storage.set_trial_state_values(trial_id, TrialState.RUNNING):
                return None
        except UpdateFinishedTrialError:
            return None
        forget_cached_trials(self.view)
        begun = self._begun(trial_id, {}, {})
        begun.params = space(begun.trial)
        begun.trial.set_user_attr(RECORD, self._record(slot, begun.params, **origin))
        return begun

    def _keeps_slot(self, trial: Trial, slot: int) -> bool:
        """Whether a new trial is alone in its slot; otherwise move or withdraw it."""
        if not self._shared:
            return True
        while True:
            rows = {trial_id_of(row): row for row in self._rows()}
            own = rows[trial_id_of(trial)]
            taken = [row for row in rows.values() if takes_slot(row) and row is not own]
            claimed = own.user_attrs[RECORD]["claimed"]
            if not any(
                slot_of(row) == slot
                and (claimed or row.user_attrs[RECORD]["claimed"] or row.number < own.number)
                for row in taken
            ):
                return True
            if not claimed:
                self.forget(trial)
                self._release(own, WITHDRAWN)
                return False
            time.sleep(random.random() / 10)  # another process may move too
            used = {slot_of(row) for row in taken}
            slot = next(number for number in count() if number not in used)
            record = own.user_attrs[RECORD] | {"slot": slot}
            self._storage.set_trial_user_attr(trial_id_of(trial), RECORD, record)

    # --- end of trials --------------------------------------------------------------------------

    def record(self, trial: Trial, results: Results) -> None:
        """Store the results of folds, and report the mean so far for the pruner."""
        if results.folds or results.reports:
            attrs = {f"{FOLD}{fold}": result for fold, result in results.folds.items()}
            self._storage.write_trial(trial_id_of(trial), attrs, results.reports)
            remember_report(trial, results.reports)

    def tell(
        self,
        trial: Trial,
        state: TrialState,
        value: float | None = None,
        results: Results | None = None,
    ) -> None:
        """Finish a trial of this search, with its last results."""
        results = results or Results()
        trial_id = trial_id_of(trial)
        ended = copy(self._storage.get_trial(trial_id))
        ended.intermediate_values = ended.intermediate_values | results.reports
        if state == TrialState.PRUNED and ended.last_step is not None:
            value = ended.intermediate_values[ended.last_step]
        values = None if value is None else [value]
        attrs = {f"{FOLD}{fold}": result for fold, result in results.folds.items()}
        try:
            if not ended.state.is_finished():
                after_trial(self.view, ended, state, values)
                self._storage.write_trial(trial_id, attrs, results.reports, state, values)
        except UpdateFinishedTrialError:
            pass  # another process declared this trial dead and ended it
        self.forget(trial)

    def release(self, trial: Trial) -> None:
        """Give up a trial that takes too long, so that the next search can run it."""
        self.forget(trial)
        self._release(
            self._storage.call(storage_of(self.study).get_trial, trial_id_of(trial)), DIED
        )

    def forget(self, trial: Trial) -> None:
        """Stop tracking a trial that another process has taken over."""
        self.owner.remove(trial_id_of(trial))

    def stored(self, trial: Trial) -> FrozenTrial:
        """Return a trial as it is stored."""
        return self._storage.call(storage_of(self.study).get_trial, trial_id_of(trial))

    def _release(self, trial: FrozenTrial, reason: str, *, retry: bool = True) -> None:
        """Free the slot of a running trial, or fail the trial permanently after too many tries."""
        storage: Any = self._storage if retry else storage_of(self.study)
        trial_id = trial_id_of(trial)
        try:
            if not has_all_params(trial):
                # enqueued by a user with incomplete parameters: put it back into the queue
                storage.set_trial_state_values(trial_id, TrialState.WAITING)
                return
            folds = folds_of(trial)
            if not any(map(cannot_score, folds.values())):
                if reason == DIED and self._n_tries(trial) >= MAX_TRIES:
                    fold = next(number for number in count() if number not in folds)
                    message = f"the process ended {MAX_TRIES} times while this fold ran"
                    result = failed_result(float("nan"), message)
                    storage.set_trial_user_attr(trial_id, f"{FOLD}{fold}", result)
                else:
                    storage.set_trial_user_attr(trial_id, INTERRUPTED, reason)
            storage.set_trial_state_values(trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:
            return  # another process was faster

    def _n_tries(self, trial: FrozenTrial) -> int:
        """How often the process ended in the same fold of the same slot, including this time."""
        earlier = _interrupted(self._rows(), slot_of(trial))
        tries = [row for row in earlier if row.user_attrs[INTERRUPTED] == DIED]
        return 1 + sum(folds_of(row).keys() == folds_of(trial).keys() for row in tries)


def _interrupted(rows: list[FrozenTrial], slot: int | None) -> list[FrozenTrial]:
    """The interrupted trials of a slot whose parameters will be tried again."""
    return [
        row
        for row in rows
        if is_interrupted(row)
        and slot_of(row) == slot
        and has_all_params(row)
        and row.user_attrs[INTERRUPTED] != WITHDRAWN
    ]
