"""Shows samplers and pruners a study as if no process had ever been killed."""

import copy
from collections.abc import Callable, Container, Sequence
from datetime import datetime
from typing import Any

from optuna.distributions import BaseDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from ..utils.optuna_private import location_of, set_trial_id, trial_id_of, write_trial
from ._storage import retry_while_unreachable
from ._stored_trials import RECORD, is_hidden, slot_of

#: Added to the number of a trial that no search began, so that it cannot equal a slot.
FOREIGN = 10**9

#: Id of the draft trial.
DRAFT = -1


class UninterruptedStorage(BaseStorage):
    """Shows the trials of a search by slot, and stores a new trial only when it is complete.

    Interrupted trials are left out, and the number of a trial is its slot, so samplers draw
    what they would have drawn in an uninterrupted search. The parameters of a new trial are
    collected in a draft, which is stored in one write. Calls are repeated while the underlying
    storage is unreachable.

    Parameters
    ----------
    storage : optuna.storages.BaseStorage
        The underlying storage.
    """

    def __init__(self, storage: BaseStorage) -> None:
        self.storage = storage
        self.name = location_of(storage)
        self.draft: FrozenTrial | None = None
        self._just_stored: tuple[int, FrozenTrial] | None = None

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a method of the underlying storage, and repeat the call while it is unreachable."""
        return retry_while_unreachable(self.name, function, *args, **kwargs)

    def begin_draft(self, slot: int, earlier: FrozenTrial | None = None) -> None:
        """Begin a trial that is not stored yet.

        Parameters
        ----------
        slot : int
        earlier : FrozenTrial or None, default=None
            An interrupted trial of the same slot that is to be continued.
        """
        kept = {} if earlier is None else earlier.user_attrs
        self.draft = FrozenTrial(
            number=slot,
            trial_id=DRAFT,
            state=TrialState.RUNNING,
            value=None,
            datetime_start=datetime.now(),
            datetime_complete=None,
            params={} if earlier is None else dict(earlier.params),
            distributions={} if earlier is None else dict(earlier.distributions),
            user_attrs={n: v for n, v in kept.items() if not n.startswith("sklearn_speech:")},
            system_attrs={} if earlier is None else dict(earlier.system_attrs),
            intermediate_values={},
        )

    def store_draft(self, study_id: int, record: dict[str, Any]) -> int:
        """Store the complete draft, and return the id of the trial."""
        draft, self.draft = self.draft, None
        if draft is None:
            raise RuntimeError("no draft was begun")
        draft.user_attrs[RECORD] = record
        trial_id = self.call(self.storage.create_new_trial, study_id, template_trial=draft)
        self._just_stored = trial_id, draft
        return trial_id

    def write_trial(
        self,
        trial_id: int,
        user_attrs: dict[str, Any],
        intermediate_values: dict[int, float],
        state: TrialState | None = None,
        values: list[float] | None = None,
    ) -> None:
        """Write results of a stored trial, in one commit if possible."""
        written = user_attrs, intermediate_values, state, values
        try:
            self.call(write_trial, self.storage, trial_id, *written)
        except UpdateFinishedTrialError:
            stored = self.call(self.storage.get_trial, trial_id)
            # the state is already there: it was written, but the answer was lost
            if state is None or stored.state != state or stored.values != values:
                raise

    def _of_draft(self, trial_id: int) -> FrozenTrial | None:
        return self.draft if trial_id == DRAFT else None

    # --- trials are shown by slot -----------------------------------------------------------

    def get_trial(self, trial_id: int) -> FrozenTrial:
        if (draft := self._of_draft(trial_id)) is not None:
            return copy.deepcopy(draft)
        if self._just_stored is not None and self._just_stored[0] == trial_id:
            return self._take_just_stored()  # saves reading it again
        return _by_slot(self.call(self.storage.get_trial, trial_id))

    def _take_just_stored(self) -> FrozenTrial:
        trial_id, draft = self._just_stored  # type: ignore[misc]
        self._just_stored = None
        draft = copy.deepcopy(draft)
        set_trial_id(draft, trial_id)
        return draft

    def get_all_trials(
        self,
        study_id: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        trials = [
            _by_slot(trial)
            for trial in self.call(self.storage.get_all_trials, study_id, deepcopy=False)
            if not is_hidden(trial)
        ]
        if self.draft is not None:
            trials.append(self.draft)
        trials = [trial for trial in trials if states is None or trial.state in states]
        trials.sort(key=lambda trial: trial.number)
        return copy.deepcopy(trials) if deepcopy else trials

    # --- writes go to the draft or to the storage ---------------------------------------------

    def set_trial_param(
        self,
        trial_id: int,
        param_name: str,
        param_value_internal: float,
        distribution: BaseDistribution,
    ) -> None:
        if (draft := self._of_draft(trial_id)) is not None:
            draft.distributions[param_name] = distribution
            draft.params[param_name] = distribution.to_external_repr(param_value_internal)
            return
        self.call(
            self.storage.set_trial_param, trial_id, param_name, param_value_internal, distribution
        )

    def set_trial_user_attr(self, trial_id: int, key: str, value: Any) -> None:
        if (draft := self._of_draft(trial_id)) is not None:
            draft.user_attrs[key] = value
            return
        self.call(self.storage.set_trial_user_attr, trial_id, key, value)

    def set_trial_system_attr(self, trial_id: int, key: str, value: Any) -> None:
        if (draft := self._of_draft(trial_id)) is not None:
            draft.system_attrs[key] = value
            return
        self.call(self.storage.set_trial_system_attr, trial_id, key, value)

    def set_trial_intermediate_value(
        self, trial_id: int, step: int, intermediate_value: float
    ) -> None:
        if (draft := self._of_draft(trial_id)) is not None:
            draft.intermediate_values[step] = intermediate_value
            return
        self.call(self.storage.set_trial_intermediate_value, trial_id, step, intermediate_value)

    def set_trial_state_values(
        self, trial_id: int, state: TrialState, values: Sequence[float] | None = None
    ) -> bool:
        return self.call(self.storage.set_trial_state_values, trial_id, state, values)

    # --- everything else goes to the storage ----------------------------------------------------

    def create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> int:
        return self.call(self.storage.create_new_trial, study_id, template_trial)

    def get_trial_id_from_study_id_trial_number(self, study_id: int, trial_number: int) -> int:
        for trial in self.call(self.storage.get_all_trials, study_id, deepcopy=False):
            if not is_hidden(trial) and _by_slot(trial).number == trial_number:
                return trial_id_of(trial)
        raise KeyError(f"no trial has number {trial_number} in this view of the study")

    def create_new_study(
        self, directions: Sequence[StudyDirection], study_name: str | None = None
    ) -> int:
        return self.call(self.storage.create_new_study, directions, study_name)

    def delete_study(self, study_id: int) -> None:
        self.call(self.storage.delete_study, study_id)

    def set_study_user_attr(self, study_id: int, key: str, value: Any) -> None:
        self.call(self.storage.set_study_user_attr, study_id, key, value)

    def set_study_system_attr(self, study_id: int, key: str, value: Any) -> None:
        self.call(self.storage.set_study_system_attr, study_id, key, value)

    def get_study_id_from_name(self, study_name: str) -> int:
        return self.call(self.storage.get_study_id_from_name, study_name)

    def get_study_name_from_id(self, study_id: int) -> str:
        return self.call(self.storage.get_study_name_from_id, study_id)

    def get_study_directions(self, study_id: int) -> list[StudyDirection]:
        return self.call(self.storage.get_study_directions, study_id)

    def get_study_user_attrs(self, study_id: int) -> dict[str, Any]:
        return self.call(self.storage.get_study_user_attrs, study_id)

    def get_study_system_attrs(self, study_id: int) -> dict[str, Any]:
        return self.call(self.storage.get_study_system_attrs, study_id)

    def get_all_studies(self) -> list[Any]:
        return self.call(self.storage.get_all_studies)


def _by_slot(trial: FrozenTrial) -> FrozenTrial:
    """Return the trial with its slot as its number."""
    slot = slot_of(trial)
    number = trial.number + FOREIGN if slot is None else slot
    if number == trial.number:
        return trial
    trial = copy.copy(trial)
    trial.number = number
    return trial
