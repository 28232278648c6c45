"""The owner of running trials: sends heartbeats, and lets others detect that it is dead."""

import threading
import time
from itertools import count
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.trial import FrozenTrial, TrialState

from ..utils.optuna_private import trial_id_of
from ._processes import is_known_dead, new_owner
from ._storage import UNREACHABLE
from ._stored_trials import HEARTBEAT, record_of

#: Seconds between two heartbeats of a running trial.
HEARTBEAT_INTERVAL = 10.0

#: Seconds without a heartbeat after which a trial of another machine counts as dead.
HEARTBEAT_TIMEOUT = 90.0

#: Names of the owners whose search is running in this process.
_active: set[str] = set()


class RunningOwner:
    """The owner of the trials of one running search.

    Parameters
    ----------
    storage : optuna.storages.BaseStorage

    Attributes
    ----------
    name : list
        See :func:`new_owner`.
    """

    def __init__(self, storage: BaseStorage) -> None:
        self.name = new_owner()
        self._storage = storage
        self._trials: set[int] = set()
        self._seen: dict[int, tuple[Any, float]] = {}
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        if not isinstance(storage, InMemoryStorage):  # no other process can read memory
            self._thread = threading.Thread(target=self._send_heartbeats, daemon=True)

    def start(self) -> None:
        """Start sending heartbeats."""
        _active.add(self.name[3])
        if self._thread is not None:
            self._thread.start()

    def stop(self) -> None:
        """Stop sending heartbeats; trials that are still running then count as abandoned."""
        _active.discard(self.name[3])
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def trials(self) -> list[int]:
        """Ids of the running trials."""
        with self._lock:
            return list(self._trials)

    def add(self, trial_id: int) -> None:
        """Record that a trial is running."""
        with self._lock:
            self._trials.add(trial_id)

    def remove(self, trial_id: int) -> None:
        """Record that a trial is no longer running."""
        with self._lock:
            self._trials.discard(trial_id)

    def finds_abandoned(self, trial: FrozenTrial) -> bool:
        """Whether a stored trial is marked as running although its owner is dead."""
        record = record_of(trial)
        if trial.state != TrialState.RUNNING or record is None:
            return False
        if trial_id_of(trial) in self.trials():
            return False
        owner = record["owner"]
        over = owner[:3] == self.name[:3] and owner[3] not in _active
        if is_known_dead(owner) or over or owner == self.name:
            return True
        now, beat = time.monotonic(), trial.user_attrs.get(HEARTBEAT)
        seen, since = self._seen.setdefault(trial_id_of(trial), (beat, now))
        if seen != beat:
            self._seen[trial_id_of(trial)] = (beat, now)
            return False
        return now - since > HEARTBEAT_TIMEOUT

    def _send_heartbeats(self) -> None:
        storage: Any = self._storage
        # without Optuna's own heartbeat, Optuna's workers on this study would fail the trial
        interval = getattr(storage, "get_heartbeat_interval", lambda: None)()
        for beat in count(1):
            if self._over.wait(HEARTBEAT_INTERVAL):
                return
            for trial_id in self.trials():
                try:
                    storage.set_trial_user_attr(trial_id, HEARTBEAT, beat)
                    if interval is not None:
                        storage.record_heartbeat(trial_id)
                except (UpdateFinishedTrialError, *UNREACHABLE):
                    continue
