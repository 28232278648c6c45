"""Whose trial is whose: ownership, signs of life, and trials that go back into the queue."""

import os
import socket
import threading
import time
import uuid
from datetime import datetime, timedelta

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState

from ._study import OUT_OF_REACH, patiently, undisturbed

#: Seconds between two signs of life of a running trial.
BEAT = 10.0

#: A trial without a sign of life for this long (seconds) is taken for dead.
GRACE = 90.0

#: How often the parameters of a trial are tried, when the process dies each time.
MAX_TRIES = 3

#: Owners whose search runs in this process now.
_active: set[str] = set()

#: User attributes of trials.
OWNER, LIFE, INTERRUPTED, TRIES, GRID, MEANING = (
    f"sklearn_speech:{name}"
    for name in ("owner", "life", "interrupted", "tries", "grid", "meaning")
)

#: Beginning of the user attributes that hold what a fold gave.
FOLD = "fold_"

#: What GridSampler remembers by, and does not find again in a trial that is queued.
_OF_GRID_SAMPLER = ("grid_id", "search_space")


class Crew:
    """The trials of one running search among all that a study holds.

    Another process may work on the same study, and any process may be killed.
    Each running trial therefore names its owner and shows a sign of life every
    few seconds. A trial whose owner is dead, seen at once on the same machine
    and by missing signs of life on others, is marked failed, and its
    parameters are tried again by whoever notices.

    Parameters
    ----------
    study : optuna.Study
    n_trials : int
        How many trials the study shall hold in the end, whoever runs them.
    """

    def __init__(self, study, n_trials):
        self.study = study
        self.n_trials = n_trials
        self.owner = [_machine(), os.getpid(), _start_of(os.getpid()), uuid.uuid4().hex]
        self.shared = not isinstance(study._storage, InMemoryStorage)
        self._running = {}
        self._seen = {}
        self.timed_out = False
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self):
        _active.add(self.owner[3])
        if self.shared:
            self._thread.start()
        return self

    def __exit__(self, kind, error, trace):
        _active.discard(self.owner[3])
        self._over.set()
        if self.shared:
            self._thread.join()
        for trial in list(self._running.values()):  # only when the search was broken off
            try:
                self._give_back(trial._trial_id, call=_at_once)
            except OUT_OF_REACH:
                return  # they are found dead later

    def _beat(self):
        storage, count = self.study._storage, 0
        # so that Optuna's own workers on this study do not take the trial for dead
        hearts = getattr(storage, "get_heartbeat_interval", lambda: None)() is not None
        while not self._over.wait(BEAT):
            count += 1
            with self._lock:
                running = list(self._running)
            for trial_id in running:
                try:
                    storage.set_trial_user_attr(trial_id, LIFE, count)
                    if hearts:
                        storage.record_heartbeat(trial_id)
                except (UpdateFinishedTrialError, *OUT_OF_REACH):
                    continue

    def ask(self):
        """A new running trial of this search, or None when others took the last ones."""
        trial = patiently(self.study.ask)
        patiently(trial.set_user_attr, OWNER, self.owner)
        before = [other for other in self._trials() if other.number < trial.number]
        if sum(_counts(other) or _just_begun(other) for other in before) >= self.n_trials:
            self._give_back(trial._trial_id, tried=False)
            return None
        for name, value in trial.user_attrs.get(GRID, {}).items():
            patiently(self.study._storage.set_trial_system_attr, trial._trial_id, name, value)
        with self._lock:
            self._running[trial._trial_id] = trial
        return trial

    def tell(self, trial, *, value=None, state=None):
        """Finish a trial of this search, and return it as it is stored."""
        with self._lock:
            self._running.pop(trial._trial_id)
        return patiently(self.study.tell, trial, value, state=state, skip_if_finished=True)

    def give_back(self, trial):
        """Mark a running trial failed, and let its parameters be tried again."""
        with self._lock:
            self._running.pop(trial._trial_id)
        self._give_back(trial._trial_id)

    def forget(self, trial):
        """Leave a trial to the process that has taken it over."""
        with self._lock:
            self._running.pop(trial._trial_id)

    def reclaim(self):
        """Give back the trials of owners that are dead."""
        for trial in self._trials():
            if trial.state != TrialState.RUNNING or OWNER not in trial.user_attrs:
                continue
            if trial._trial_id not in self._running and self._is_dead(trial):
                self._give_back(trial._trial_id)

    def begun(self):
        """Whether the study holds trials that were begun, by whomever."""
        return any(trial.state != TrialState.WAITING for trial in self._trials())

    def n_left(self):
        """How many trials are still to be begun."""
        return self.n_trials - sum(_counts(trial) for trial in self._trials())

    def others_run(self):
        """Whether trials of other owners are running."""
        return any(
            trial.state == TrialState.RUNNING
            and OWNER in trial.user_attrs
            and trial._trial_id not in self._running
            for trial in self._trials()
        )

    def finished(self):
        """The finished trials of this search, whoever ran them, by number."""
        return [t for t in self._trials() if _counts(t) and t.state.is_finished()]

    def _trials(self):
        return patiently(self.study.get_trials, deepcopy=False)

    def _is_dead(self, trial):
        machine, process, start, name = trial.user_attrs[OWNER]
        if machine == _machine():
            if _start_of(process) != start or (process == os.getpid() and name not in _active):
                return True
        now, life = time.monotonic(), trial.user_attrs.get(LIFE)
        seen, since = self._seen.setdefault(trial._trial_id, (life, now))
        if seen != life:
            self._seen[trial._trial_id] = (life, now)
            return False
        return now - since > GRACE

    def _give_back(self, trial_id, *, tried=True, call=patiently):
        storage = self.study._storage
        trial = call(storage.get_trial, trial_id)
        tries = trial.user_attrs.get(TRIES, 1)
        again = not tried or tries < MAX_TRIES
        try:
            call(storage.set_trial_user_attr, trial_id, INTERRUPTED, again)
            with undisturbed(self.study):
                call(self.study.tell, trial.number, state=TrialState.FAIL)
        except (UpdateFinishedTrialError, ValueError):
            return  # another process was faster
        params = trial.params if tried else trial.system_attrs.get("fixed_params")
        if not again or not params:
            return
        kept = {name: v for name, v in trial.user_attrs.items() if name.startswith(FOLD)}
        kept[TRIES] = tries + bool(tried)
        kept[GRID] = {n: v for n, v in trial.system_attrs.items() if n in _OF_GRID_SAMPLER}
        call(self.study.enqueue_trial, params, user_attrs=kept)


def _at_once(function, *args, **kwargs):
    return function(*args, **kwargs)


def _counts(trial):
    """Whether a trial is one of n_trials: begun by such a search, and not given back."""
    return (
        trial.state != TrialState.WAITING
        and OWNER in trial.user_attrs
        and not (trial.state == TrialState.FAIL and trial.user_attrs.get(INTERRUPTED, False))
    )


def _just_begun(trial):
    """Whether a trial may not have got round to naming its owner."""
    return (
        trial.state == TrialState.RUNNING
        and OWNER not in trial.user_attrs
        and trial.datetime_start > datetime.now() - timedelta(seconds=10)
    )


def _machine():
    """This machine, or this container of it: where a process number means one process."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}"


def _start_of(process):
    """When a process of this machine started, None where it is dead."""
    try:
        with open(f"/proc/{process}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return None if fields[0] == "Z" else int(fields[19])
    except FileNotFoundError:
        if os.path.exists("/proc/self/stat"):
            return None
    if os.name != "posix":
        return 0  # only the signs of life tell
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return None
    except OSError:
        pass
    return 0
