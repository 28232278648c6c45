"""Runs the trials of a search, selects the best one and refits it."""

import time
from typing import Any

from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial
from sklearn.base import clone

from ..store._split_clipwise import split_clipwise
from ..utils.optuna_private import stop_allowed
from ._ledger import TrialLedger
from ._results import collect
from ._run import Search, Task


def run_trials(search: Any, task: Task, sampler: BaseSampler) -> list[FrozenTrial]:
    """Run the trials of a search, and return all of its finished ones.

    Parameters
    ----------
    search : OptunaSearchCV
    task : Task
    sampler : optuna.samplers.BaseSampler

    Returns
    -------
    trials : list of optuna.trial.FrozenTrial

    Raises
    ------
    ValueError
        If no trial was finished, or stored trials do not fit the search space.
    """
    ledger = TrialLedger(search.study_, search.n_trials, sampler)
    with stop_allowed(search.study_, ledger.view), ledger:
        loop = Search(
            task,
            search.study_,
            ledger,
            n_jobs=search.n_jobs,
            timeout=search.timeout,
            callbacks=search.callbacks or (),
            verbose=search.verbose,
        )
        # find out whether the space has changed before any trial runs
        collect(ledger.finished(), task.space, len(task.splits))
        loop.run()
        trials = ledger.finished()
    if not trials:
        raise ValueError(
            f"no trial was finished within timeout={search.timeout} seconds"
            if ledger.timed_out
            else "the study was stopped before a trial was finished"
        )
    return trials


def set_best_trial(search: Any, results: dict[str, Any], refit_metric: str) -> None:
    """Set the attributes of a search that describe its best trial.

    Parameters
    ----------
    search : OptunaSearchCV
    results : dict
        The ``cv_results_`` of the search.
    refit_metric : str

    Raises
    ------
    ValueError
        When the pruner stopped all trials.
    """
    search.multimetric_ = "mean_test_score" not in results
    if callable(search.scoring) and search.multimetric_:
        names = [name[10:] for name in results if name.startswith("mean_test_")]
        search._check_refit_for_multimetric(names)
        refit_metric = search.refit
    if not search.refit and search.multimetric_:
        return
    search.best_index_ = search._select_best_index(search.refit, refit_metric, results)
    if results["pruned"][search.best_index_]:
        raise ValueError(
            f"no trial has a {refit_metric}: the pruner stopped all but failed trials; give "
            "it more start-up trials"
        )
    if not callable(search.refit):
        search.best_score_ = results[f"mean_test_{refit_metric}"][search.best_index_]
    search.best_params_ = results["params"][search.best_index_]


def refit(search: Any, task: Task, fit_params: dict[str, Any]) -> None:
    """Fit an estimator with the best parameters on all clips.

    Parameters
    ----------
    search : OptunaSearchCV
    task : Task
    fit_params : dict
    """
    best = clone(task.estimator).set_params(**clone(search.best_params_, safe=False))
    began = time.time()
    first, rest = split_clipwise(best) if task.features is not None else (None, best)
    X = task.X if first is None else task.features.fit(first.steps)
    if task.y is None:
        rest.fit(X, **fit_params)
    else:
        rest.fit(X, task.y, **fit_params)
    if first is not None:
        best.steps = first.steps + rest.steps
    search.refit_time_ = time.time() - began
    search.best_estimator_ = best
    if hasattr(best, "feature_names_in_"):
        search.feature_names_in_ = best.feature_names_in_
