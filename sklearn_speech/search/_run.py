"""The search itself: trials side by side, the folds of each in sequence."""

import time
import traceback
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
from joblib import delayed
from optuna.exceptions import UpdateFinishedTrialError
from optuna.pruners import NopPruner
from optuna.trial import TrialState
from sklearn.base import clone
from tqdm.auto import tqdm

from ..model_selection._folds import threads_per_job
from ..store._clipwise import split_clipwise
from ._fold_pruner import FoldPruner
from ._results import meaning
from ._space import learns_from_the_first, n_settings_left
from ._study import patiently, stopped
from ._trial_folds import LOOKS, failure, hopeless, objective_score, run_folds
from ._trials import FOLD, MEANING
from ._workers import WorkerDied, WorkerTimedOut, run_jobs

#: Seconds between two looks at what other processes do.
POLL = 0.5

#: How many trials run a fold before any of them runs the next one, at the start of a study.
N_ABREAST = 10


class FeaturesFailed(Exception):
    """The steps that all folds share could not be computed for the parameters of a trial."""


@dataclass
class Task:
    """What stays the same from trial to trial."""

    estimator: Any
    space: Any
    X: Any
    y: Any
    splits: list
    options: dict  # of scikit-learn's _fit_and_score
    metric: Any
    by_epoch: bool = False
    features: Any = None  # None where the whole pipeline belongs into each fold

    def prepare(self, params):
        """The estimator to fit on each fold for some parameters, and its clips.

        Raises FeaturesFailed, with the traceback of what went wrong.
        """
        estimator = clone(self.estimator).set_params(**clone(params, safe=False))
        if self.features is None:
            return estimator, self.X
        first, rest = split_clipwise(estimator)
        if first is None:
            return rest, self.X
        try:
            return rest, self.features.compute(first.steps)
        except Exception as error:
            raise FeaturesFailed(traceback.format_exc()) from error

    @property
    def memory_is_full(self):
        """Whether features of further settings would displace those of running trials."""
        return self.features is not None and self.features.n_bytes > self.features.max_bytes / 2


@dataclass
class Attempt:
    """A running trial, and the folds that it has been through."""

    trial: Any
    model: Any
    X: Any
    results: dict = field(default_factory=dict)  # number of the fold -> what it gave
    state: Any = TrialState.RUNNING
    watch: Any = None

    def scores(self, metric):
        """Scores of the folds that were run, by the metric of the search."""
        return [objective_score(result, metric) for result in self.results.values()]


class Search:
    """Runs trials until there are enough, time is over, or somebody stops the study.

    Parameters
    ----------
    task : Task
    study : optuna.Study
    crew : Crew
    n_jobs : int or None
    timeout : float or None
        Seconds.
    callbacks : list of callables
        Called with the study and each finished trial.
    verbose : int
    """

    def __init__(self, task, study, crew, *, n_jobs, timeout, callbacks, verbose):
        self.task = task
        self.study = study
        self.crew = crew
        self.n_jobs = n_jobs
        self.deadline = None if timeout is None else time.monotonic() + timeout
        self.callbacks = callbacks
        self.width = joblib.effective_n_jobs(n_jobs)
        self._bar = tqdm(total=crew.n_trials, unit="trial", disable=not verbose)
        self._sent = {}

    def run(self):
        """Run it."""
        with self._bar:
            self._show()
            while not self._over():
                self.crew.reclaim()
                # a grid begins anew when all of it is running
                n_left = min(
                    self.crew.n_left(),
                    patiently(n_settings_left, self.study.sampler, self.study),
                )
                if n_left > 0:
                    self._run_batch(min(max(self.width, self._n_abreast(n_left)), n_left))
                elif self.crew.others_run():
                    time.sleep(POLL)
                else:
                    break

    def _n_abreast(self, n_left):
        """How many trials may run each fold before any of them runs the next one.

        Judged together, none goes on only because it was the first one, and none is held
        up by worse ones. That is for the first trials of a study, for which no sampler has
        anything to learn from; time that runs out could leave all of them unfinished.
        """
        study = self.study
        together = (
            self.deadline is None
            and isinstance(study.pruner, FoldPruner)
            and not learns_from_the_first(study.sampler)
            and not self.crew.begun()
        )
        return min(N_ABREAST, n_left // 2) if together else 1

    def _over(self):
        if stopped(self.study):
            return True
        late = self.deadline is not None and time.monotonic() > self.deadline
        # something must come out of it
        return late and bool(self.crew.finished() or self.crew.timed_out)

    def _show(self):
        if self._bar.disable:
            return
        finished = self.crew.finished()
        best = max((t.value for t in finished if t.state == TrialState.COMPLETE), default=None)
        self._bar.n = len(finished)
        self._bar.set_postfix_str("" if best is None else f"best score {best:.4g}")

    def _run_batch(self, n):
        batch = []
        for i in range(n):
            if i >= self.width and self.task.memory_is_full:
                break
            batch.append(self._begin())
        batch = [attempt for attempt in batch if attempt is not None]
        if not batch:
            time.sleep(POLL)  # another process has the last trials
            return
        self._judge(batch)
        n_threads = threads_per_job(self.n_jobs, len(batch))
        # without a pruner nobody asks between folds, so that workers need not wait for each other
        one_fold = len(batch) == 1 or not isinstance(self.study.pruner, NopPruner)
        live = self._unfinished(batch)
        while live:
            for first in range(0, len(live), self.width):
                some = live[first : first + self.width]
                jobs = [self._job(attempt, one_fold, n_threads) for attempt in some]
                left = None if self.deadline is None else self.deadline - time.monotonic()
                for attempt, outcome in zip(some, run_jobs(jobs, self.n_jobs, left, self._sent)):
                    self._take(attempt, outcome)
            self._judge(live)
            live = self._unfinished(live)

    def _begin(self):
        trial = self.crew.ask()
        if trial is None:
            return None
        params = patiently(self.task.space, trial)
        patiently(trial.set_user_attr, MEANING, meaning(params))
        try:
            attempt = Attempt(trial, *self.task.prepare(params))
        except FeaturesFailed as failed:
            error_score = self.task.options["error_score"]
            if error_score == "raise":
                raise failed.__cause__ from None
            attempt, folds = Attempt(trial, None, None), range(len(self.task.splits))
            self._take(attempt, [(fold, failure(error_score, str(failed))) for fold in folds])
            return attempt
        kept = {
            int(name.removeprefix(FOLD)): result
            for name, result in trial.user_attrs.items()
            if name.startswith(FOLD)
        }
        self._take(attempt, sorted(kept.items()))  # of a process that was killed
        return attempt

    def _job(self, attempt, one_fold, n_threads):
        task = self.task
        folds = [f for f in enumerate(task.splits) if f[0] not in attempt.results]
        if task.by_epoch:
            from ._epochs import EpochWatch  # loads torch

            scores = attempt.scores(task.metric)
            attempt.watch = EpochWatch(
                attempt.trial, attempt.X, task.y, scores, task.options, task.metric
            )
        return delayed(run_folds)(
            attempt.model,
            attempt.X,
            task.y,
            folds[:1] if one_fold else folds,
            task.options,
            n_threads,
            attempt.watch,
        )

    def _take(self, attempt, outcome):
        """Record what folds gave."""
        if isinstance(outcome, WorkerTimedOut):
            self.crew.timed_out = True
            self.crew.give_back(attempt.trial)
            attempt.state = None
            return
        if attempt.watch is not None and attempt.watch.pruned:
            attempt.state = TrialState.PRUNED
            return
        if isinstance(outcome, WorkerDied):
            if self.task.options["error_score"] == "raise":
                raise outcome
            fold = min(set(range(len(self.task.splits))) - set(attempt.results))
            outcome = [(fold, failure(np.nan, str(outcome)))]
        try:
            for fold, result in outcome:
                self._record(attempt, fold, result)
        except UpdateFinishedTrialError:
            # another process took this one for dead, and tries its parameters itself
            self.crew.forget(attempt.trial)
            attempt.state = None

    def _record(self, attempt, fold, result):
        trial, n_folds = attempt.trial, len(self.task.splits)
        attempt.results[fold] = result
        patiently(trial.set_user_attr, f"{FOLD}{fold}", result)
        scores = attempt.scores(self.task.metric)
        mean = float(np.mean(scores))
        if not np.isfinite(mean):
            if hopeless(result) or len(scores) == n_folds:
                attempt.state = TrialState.FAIL
            return
        patiently(trial.report, mean, (LOOKS if self.task.by_epoch else 1) * (fold + 1))
        if len(scores) == n_folds:
            attempt.state = TrialState.COMPLETE

    def _judge(self, attempts):
        """Stop the trials that the pruner holds for hopeless, when all have reported."""
        for attempt in attempts:
            if attempt.state == TrialState.RUNNING and attempt.results:
                if patiently(attempt.trial.should_prune):
                    attempt.state = TrialState.PRUNED

    def _unfinished(self, attempts):
        """Finish the trials that are through, and return the others."""
        for attempt in attempts:
            if attempt.state in (None, TrialState.RUNNING):
                continue
            complete = attempt.state == TrialState.COMPLETE
            value = float(np.mean(attempt.scores(self.task.metric))) if complete else None
            told = self.crew.tell(attempt.trial, value=value, state=attempt.state)
            for callback in self.callbacks:
                callback(self.study, told)
            self._show()
        return [attempt for attempt in attempts if attempt.state == TrialState.RUNNING]
