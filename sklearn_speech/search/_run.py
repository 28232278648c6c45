"""The main loop of a search: trials run in parallel, the folds of each trial in sequence."""

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
from joblib import delayed
from optuna.exceptions import UpdateFinishedTrialError
from optuna.pruners import NopPruner
from optuna.study import Study
from optuna.trial import Trial, TrialState
from sklearn.base import clone
from tqdm.auto import tqdm

from ..model_selection._folds import threads_per_job
from ..store._split_clipwise import split_clipwise
from ..utils.chain import check_chain
from ..utils.optuna_private import stop_requested
from ..utils.parallel import in_this_folder
from ._fold_pruner import FoldPruner
from ._ledger import TrialLedger
from ._samplers import learns_from_the_first
from ._stored_trials import Progress, Results, cannot_score
from ._trial_folds import CHECKS_PER_FOLD, failed_result, objective_score, run_folds
from ._workers import WorkerDied, WorkerTimedOut, run_jobs

#: Seconds between two checks of the trials of other processes.
POLL_INTERVAL = 0.5

#: How many trials at the start of a study run their first fold before any of them continues.
N_FIRST_TRIALS = 10


class FeaturesFailed(Exception):
    """The features shared by all folds could not be computed for the parameters of a trial."""


@dataclass
class Task:
    """Everything that is the same for all trials."""

    estimator: Any
    space: Callable[[Any], dict[str, Any]]
    X: Any
    y: Any
    splits: list[tuple[np.ndarray, np.ndarray]]
    options: dict[str, Any]  # options of scikit-learn's _fit_and_score
    metric: str | None
    by_epoch: bool = False
    features: Any = None  # None if every step must be fitted in each fold

    def prepare(self, params: dict[str, Any]) -> tuple[Any, Any]:
        """Return the estimator to fit on each fold with these parameters, and its input.

        Raises FeaturesFailed, with the traceback of the error.
        """
        estimator = clone(self.estimator).set_params(**clone(params, safe=False))
        if self.features is None:
            return estimator, self.X
        first, rest = split_clipwise(estimator)
        if first is None:
            return rest, self.X
        try:
            check_chain(estimator)
            return rest, self.features.compute(first.steps)
        except Exception as error:
            raise FeaturesFailed(traceback.format_exc()) from error

    @property
    def memory_is_full(self) -> bool:
        """Whether features of further settings would evict those of running trials."""
        return self.features is not None and self.features.n_bytes > self.features.max_bytes / 2


@dataclass
class Attempt:
    """A running trial with the results of its finished folds."""

    trial: Trial
    model: Any
    X: Any
    results: dict[int, dict[str, Any]] = field(default_factory=dict)  # by fold number
    state: TrialState | None = TrialState.RUNNING
    unstored: Results = field(default_factory=Results)
    watch: Any = None

    def scores(self, metric: str | None) -> list[float]:
        """Return the scores of the finished folds in the metric of the search."""
        return [objective_score(result, metric) for result in self.results.values()]


class Search:
    """Runs trials until there are enough, time runs out, or a callback stops the study.

    Parameters
    ----------
    task : Task
    study : optuna.Study
    ledger : TrialLedger
    n_jobs : int or None
    timeout : float or None
        Seconds.
    callbacks : list of callables
        Called with the study and each finished trial.
    verbose : int
    """

    def __init__(
        self,
        task: Task,
        study: Study,
        ledger: TrialLedger,
        *,
        n_jobs: int | None,
        timeout: float | None,
        callbacks: Sequence[Callable[[Study, Any], None]],
        verbose: int,
    ) -> None:
        self.task = task
        self.study = study
        self.ledger = ledger
        self.n_jobs = n_jobs
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self.callbacks = callbacks
        self.width = joblib.effective_n_jobs(n_jobs)
        self._bar = tqdm(total=ledger.n_trials, unit="trial", disable=not verbose)
        self._sent: dict[int, Any] = {}

    def run(self) -> None:
        """Run the search."""
        with self._bar:
            self._show()
            while not self._is_over():
                progress = self.ledger.update()
                if progress.n_left > 0:
                    n = max(self.width, self._n_first_trials(progress))
                    self._run_batch(min(n, progress.n_left))
                elif progress.others_run:
                    time.sleep(POLL_INTERVAL)
                else:
                    break

    def _n_first_trials(self, progress: Progress) -> int:
        """Return how many trials run each fold before any of them runs the next one.

        The pruner then compares all of them at once, so the first trial does not continue
        merely because it came first. This applies to the first trials of a study, when no
        sampler has results to learn from. It does not apply with a timeout, because all of
        these trials might remain unfinished.
        """
        together = (
            self.deadline is None
            and isinstance(self.study.pruner, FoldPruner)
            and not learns_from_the_first(self.study.sampler)
            and not progress.begun
        )
        return min(N_FIRST_TRIALS, progress.n_left // 2) if together else 1

    def _is_over(self) -> bool:
        if stop_requested(self.study) or stop_requested(self.ledger.view):
            return True
        late = self.deadline is not None and time.monotonic() > self.deadline
        # a search runs at least one trial, unless that trial did not end in time
        return late and bool(self.ledger.finished() or self.ledger.timed_out)

    def _show(self) -> None:
        if self._bar.disable:
            return
        finished = self.ledger.finished()
        scores = [t.values[0] for t in finished if t.state == TrialState.COMPLETE and t.values]
        self._bar.n = len(finished)
        self._bar.set_postfix_str(f"best score {max(scores):.4g}" if scores else "")

    def _run_batch(self, n: int) -> None:
        batch: list[Attempt] = []
        for i in range(n):
            if i >= self.width and self.task.memory_is_full:
                break
            attempt = self._begin()
            if attempt is None:
                break
            batch.append(attempt)
        if not batch:
            time.sleep(POLL_INTERVAL)  # another process is running the last trials
            return
        self._prune(batch)
        n_threads = threads_per_job(self.n_jobs, len(batch))
        # without a pruner, workers can run all folds of a trial without waiting for each other
        one_fold = len(batch) == 1 or not isinstance(self.study.pruner, NopPruner)
        running = self._finish(batch)
        while running:
            for first in range(0, len(running), self.width):
                some = running[first : first + self.width]
                jobs = [self._job(attempt, one_fold, n_threads) for attempt in some]
                left = None if self.deadline is None else self.deadline - time.monotonic()
                for attempt, outcome in zip(some, run_jobs(jobs, self.n_jobs, left, self._sent)):
                    self._store_outcome(attempt, outcome)
            running = self._finish(running)
            self._prune(running)
            running = self._finish(running)

    def _begin(self) -> Attempt | None:
        begun = self.ledger.begin(self.task.space)
        if begun is None:
            return None
        attempt = Attempt(begun.trial, None, None)
        try:
            for fold, result in begun.folds.items():  # results of a process that was killed
                self._record(attempt, fold, result, stored=True)
            if attempt.state == TrialState.RUNNING:
                attempt.model, attempt.X = self.task.prepare(begun.params)
        except FeaturesFailed as failed:
            error_score = self.task.options["error_score"]
            if error_score == "raise":
                raise failed.__cause__ from None  # type: ignore[misc]
            folds = [fold for fold in range(len(self.task.splits)) if fold not in attempt.results]
            self._store_outcome(
                attempt, [(fold, failed_result(error_score, str(failed))) for fold in folds]
            )
        return attempt

    def _job(self, attempt: Attempt, one_fold: bool, n_threads: int | None) -> Any:
        task = self.task
        folds = [f for f in enumerate(task.splits) if f[0] not in attempt.results]
        if task.by_epoch:
            from ._epoch_pruning import EpochPruning  # loads torch

            scores = attempt.scores(task.metric)
            attempt.watch = EpochPruning(
                attempt.trial, attempt.X, task.y, scores, task.options, task.metric
            )
        return delayed(in_this_folder(run_folds))(
            attempt.model,
            attempt.X,
            task.y,
            folds[:1] if one_fold else folds,
            task.options,
            n_threads,
            attempt.watch,
        )

    def _store_outcome(self, attempt: Attempt, outcome: Any) -> None:
        """Store the result of a job."""
        if isinstance(outcome, WorkerTimedOut):
            self.ledger.timed_out = True
            self.ledger.release(attempt.trial)
            attempt.state = None
            return
        if attempt.watch is not None and attempt.watch.pruned:
            attempt.state = TrialState.PRUNED
            return
        if isinstance(outcome, WorkerDied):
            if self.task.options["error_score"] == "raise":
                raise outcome
            fold = min(set(range(len(self.task.splits))) - set(attempt.results))
            outcome = [(fold, failed_result(np.nan, str(outcome)))]
        try:
            for fold, result in outcome:
                self._record(attempt, fold, result)
        except UpdateFinishedTrialError:
            # another process declared this trial dead and runs its parameters itself
            self.ledger.forget(attempt.trial)
            attempt.state = None

    def _record(
        self, attempt: Attempt, fold: int, result: dict[str, Any], stored: bool = False
    ) -> None:
        n_folds = len(self.task.splits)
        attempt.results[fold] = result
        scores = attempt.scores(self.task.metric)
        mean = float(np.mean(scores))
        if not stored:
            attempt.unstored.folds[fold] = result
        if np.isfinite(mean):
            step = (CHECKS_PER_FOLD if self.task.by_epoch else 1) * (fold + 1)
            attempt.unstored.reports[step] = mean
            if len(scores) == n_folds:
                attempt.state = TrialState.COMPLETE
        elif cannot_score(result) or len(scores) == n_folds:
            attempt.state = TrialState.FAIL
        if attempt.state == TrialState.RUNNING:  # otherwise they are stored together with the state
            self.ledger.record(attempt.trial, attempt.unstored)
            attempt.unstored = Results()

    def _prune(self, attempts: list[Attempt]) -> None:
        """Stop trials that the pruner rejects, once all of them have reported."""
        for attempt in attempts:
            if attempt.state == TrialState.RUNNING and attempt.results:
                if attempt.trial.should_prune():
                    attempt.state = TrialState.PRUNED

    def _finish(self, attempts: list[Attempt]) -> list[Attempt]:
        """Store the state of the trials that have ended, and return the others."""
        for attempt in attempts:
            if attempt.state is None or attempt.state == TrialState.RUNNING:
                continue
            complete = attempt.state == TrialState.COMPLETE
            value = float(np.mean(attempt.scores(self.task.metric))) if complete else None
            self.ledger.tell(attempt.trial, attempt.state, value, attempt.unstored)
            for callback in self.callbacks:
                callback(self.study, self.ledger.stored(attempt.trial))
            self._show()
        return [attempt for attempt in attempts if attempt.state == TrialState.RUNNING]
