"""Scikit-learn's table of results from the trials of a study."""

import warnings
from copy import copy

import numpy as np
from optuna.distributions import check_distribution_compatibility

from ..store._digest import digest
from ..utils.sklearn_private import warn_or_raise_about_fit_failures
from ._study import in_words
from ._trials import FOLD, MEANING


def collect(trials, space, n_folds):
    """Parameters and folds of finished trials.

    Parameters
    ----------
    trials : list of optuna.trial.FrozenTrial
    space : callable
        Of a trial; gives its parameters.
    n_folds : int

    Returns
    -------
    params : list of dict
        One a trial.
    folds : list of list of (dict or None)
        What each fold of each trial gave, None for a fold that was not run.

    Raises
    ------
    ValueError
        When the parameters of a stored trial are not those of the space.
    """
    params = []
    for trial in trials:
        try:
            params.append(_parameters(trial, space))
        except ValueError as error:
            raise ValueError(
                f"trial {trial.number} of the study does not fit param_distributions: {error}; "
                "a study goes on only with the space that it began with"
            ) from error
    folds = [[trial.user_attrs.get(f"{FOLD}{k}") for k in range(n_folds)] for trial in trials]
    return params, folds


def meaning(params):
    """What the parameters of a trial are in words, the same on every machine.

    Parameters
    ----------
    params : dict of str to object
        What a space returned.

    Returns
    -------
    digest : str
    """
    # the last digits of a power or a logarithm differ between machines
    words = {k: f"{v:.9g}" if isinstance(v, float) else in_words(v) for k, v in params.items()}
    return digest(words)


def _parameters(trial, space):
    """What a space makes of a stored trial; ValueError where it was made by another one."""
    asked = copy(trial)
    asked.distributions = {}
    params = space(asked)
    if gone := sorted(trial.params.keys() - asked.distributions.keys()):
        raise ValueError(f"it has {', '.join(map(repr, gone))}, which nothing asks for any more")
    for name, now in asked.distributions.items():
        value, before = trial.params[name], trial.distributions[name]
        check_distribution_compatibility(before, now)
        # a value that was put there by hand may lie anywhere
        if _holds(before, value) and not _holds(now, value):
            raise ValueError(f"its {name}={value!r} lies outside of {now}")
    if trial.user_attrs.get(MEANING, meaning(params)) != meaning(params):
        raise ValueError(f"{trial.params} stood for other parameters when it ran")
    return params


def _holds(distribution, value):
    return distribution._contains(distribution.to_internal_repr(value))


def rows(folds, error_score):
    """One dict for every fold of every trial, as scikit-learn's searches have them.

    Parameters
    ----------
    folds : list of list of (dict or None)
        See :func:`collect`.
    error_score : float or "raise"

    Returns
    -------
    rows : list of dict
        With NaN for folds that were not run.

    Raises
    ------
    ValueError
        When every fold that was run failed.

    Warns
    -----
    FitFailedWarning
        When some did.
    """
    run = [dict(fold) for of_trial in folds for fold in of_trial if fold is not None]
    if not run:
        raise ValueError("no fold of any trial was run to its end; give the search more time")
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


def format_results(search, params, folds, pruned):
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
        Scikit-learn's, and ``"n_folds_run"`` and ``"pruned"``. Times are means
        over the folds that were run.
    """
    n_run = np.array([sum(fold is not None for fold in of_trial) for of_trial in folds])
    table = rows(folds, search.error_score)
    more = {"n_folds_run": n_run, "pruned": pruned}
    with warnings.catch_warnings():
        if (n_run < search.n_splits_).any():  # that their means are NaN is as it should be
            warnings.filterwarnings("ignore", message="One or more of the (test|train) scores")
        results = search._format_results(params, search.n_splits_, table, more)
    for name in ("fit_time", "score_time"):
        times = [[fold[name] for fold in of_trial if fold is not None] for of_trial in folds]
        results[f"mean_{name}"] = np.array([np.mean(t) if t else np.nan for t in times])
        results[f"std_{name}"] = np.array([np.std(t) if t else np.nan for t in times])
    return results
