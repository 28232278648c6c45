"""Build scikit-learn's ``cv_results_`` from the trials of a study."""

import warnings
from typing import Any

import numpy as np
from optuna.trial import FrozenTrial

from ..utils.sklearn_private import warn_or_raise_about_fit_failures
from ._params import Space, params_of
from ._stored_trials import folds_of

#: Result of each fold of each trial; None for a fold that was not run.
Folds = list[list[dict[str, Any] | None]]


def collect(
    trials: list[FrozenTrial], space: Space, n_folds: int
) -> tuple[list[dict[str, Any]], Folds]:
    """Return the parameters and the fold results of finished trials.

    Parameters
    ----------
    trials : list of optuna.trial.FrozenTrial
    space : callable
        Takes a trial and returns its parameters.
    n_folds : int

    Returns
    -------
    params : list of dict
        One dict per trial.
    folds : list of list of (dict or None)
        Result of each fold of each trial, None for a fold that was not run.

    Raises
    ------
    ValueError
        If the space does not contain the parameters of a stored trial.
    """
    params = []
    for trial in trials:
        try:
            params.append(params_of(trial, space))
        except ValueError as error:
            raise ValueError(
                f"trial {trial.number} of the study does not fit param_distributions: {error}; "
                "a study can only be resumed with its original space"
            ) from error
    results = [folds_of(trial) for trial in trials]
    return params, [[result.get(k) for k in range(n_folds)] for result in results]


def rows(folds: Folds, error_score: float | str) -> list[dict[str, Any]]:
    """Return one dict for every fold of every trial, in the format of scikit-learn's searches.

    Parameters
    ----------
    folds : list of list of (dict or None)
        See :func:`collect`.
    error_score : float or "raise"

    Returns
    -------
    rows : list of dict
        Folds that were not run have NaN.

    Raises
    ------
    ValueError
        If every fold that ran failed.

    Warns
    -----
    FitFailedWarning
        If some folds failed.
    """
    run = [dict(fold) for of_trial in folds for fold in of_trial if fold is not None]
    if not run:
        raise ValueError("no trial finished a fold; give the search more time")
    warn_or_raise_about_fit_failures(run, error_score)
    shapes = {
        kind: next((f[kind] for f in run if isinstance(f.get(kind), dict)), None)
        for kind in ("test_scores", "train_scores")
    }
    missing = dict.fromkeys(run[0], np.nan) | {"fit_error": None, "n_test_samples": 0}
    table = []
    for of_trial in folds:
        for fold in of_trial:
            row = dict(missing if fold is None else fold)
            for kind, shape in shapes.items():
                if shape is not None and not isinstance(row.get(kind), dict):
                    row[kind] = dict.fromkeys(shape, row.get(kind, np.nan))
            table.append(row)
    return table


def format_results(
    search: Any, params: list[dict[str, Any]], folds: Folds, pruned: list[bool]
) -> dict[str, Any]:
    """``cv_results_`` of a search.

    Parameters
    ----------
    search : BaseSearchCV
    params : list of dict
    folds : list of list of (dict or None)
    pruned : list of bool
        Which trials the pruner stopped.

    Returns
    -------
    results : dict of str to ndarray or list
        Scikit-learn's, and ``"n_folds_run"``, ``"pruned"`` and, for each metric,
        ``"partial_mean_test_<metric>"``. Times and partial means are over the folds that
        were run.
    """
    n_run = np.array([sum(fold is not None for fold in of_trial) for of_trial in folds])
    table = rows(folds, search.error_score)
    more = {"n_folds_run": n_run, "pruned": pruned}
    with warnings.catch_warnings():
        if (n_run < search.n_splits_).any():  # their means are NaN on purpose
            warnings.filterwarnings("ignore", message="One or more of the (test|train) scores")
        results = search._format_results(params, search.n_splits_, table, more)
    for name in ("fit_time", "score_time"):
        times = [[fold[name] for fold in of_trial if fold is not None] for of_trial in folds]
        results[f"mean_{name}"] = np.array([np.mean(t) if t else np.nan for t in times])
        results[f"std_{name}"] = np.array([np.std(t) if t else np.nan for t in times])
    for name in [name for name in results if name.startswith("mean_test_")]:
        metric = name.removeprefix("mean_test_")
        scores = np.array([results[f"split{k}_test_{metric}"] for k in range(search.n_splits_)])
        results[f"partial_{name}"] = _means_over_run(scores.T, folds)
    return results


def _means_over_run(scores: np.ndarray, folds: Folds) -> np.ndarray:
    means = []
    for of_trial, values in zip(folds, scores):
        run = [value for fold, value in zip(of_trial, values) if fold is not None]
        means.append(np.mean(run) if run else np.nan)
    return np.array(means)
