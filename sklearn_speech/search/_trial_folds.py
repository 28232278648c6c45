"""Run the folds of one trial, and convert their results for storage."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone

from ..model_selection._folds import torch_threads
from ..utils.interrupts import stop_run_on_interrupt
from ..utils.sklearn_private import fit_and_score
from ._stored_trials import cannot_score

#: The pruner is consulted after each of this many equal parts of the epochs of a fold.
CHECKS_PER_FOLD = 4


class StopFold(BaseException):
    """Ends a fit. It is not an Exception, because an Exception counts as a failure of the fold."""


#: The results of a fold that are stored.
_STORED = ("test_scores", "train_scores", "n_test_samples", "fit_time", "score_time", "fit_error")


def run_folds(
    model: Any,
    X: Any,
    y: Any,
    folds: list[tuple[int, tuple[np.ndarray, np.ndarray]]],
    options: dict[str, Any],
    n_threads: int | None = None,
    watch: Callable[[Any, int, np.ndarray], None] | None = None,
) -> list[tuple[int, dict[str, Any]]]:
    """Fit and score one parameter setting on some folds in sequence.

    Parameters
    ----------
    model : estimator instance
        Unfitted estimator with the parameters of the setting.
    X, y : array-likes of shape (n_clips, ...)
    folds : list of (int, (ndarray of int, ndarray of int))
        Fold numbers, and positions of the training and test clips.
    options : dict
        Options of scikit-learn's ``_fit_and_score``.
    n_threads : int or None, default=None
        Number of torch threads.
    watch : callable, default=None
        Called before each fit with the model, the fold number and the test clips, to add checks
        during training.

    Returns
    -------
    results : list of (int, dict)
        Fold numbers and results. Folds after one that fails are left out, unless `error_score`
        is a finite number.

    Raises
    ------
    KeyboardInterrupt
        If a fold was interrupted, even if its estimator caught the interrupt: skorch then ends
        the training early, and a partly trained fold must have no result.
    """
    results = []
    with torch_threads(n_threads):
        for number, (train, test) in folds:
            fitted = clone(model)
            if watch is not None:
                watch(fitted, number, test)
            try:
                with stop_run_on_interrupt():
                    result = fit_and_score(
                        fitted,
                        X,
                        y,
                        train=train,
                        test=test,
                        parameters=None,
                        return_n_test_samples=True,
                        return_times=True,
                        verbose=0,
                        **options,
                    )
            except StopFold:
                break
            results.append((number, to_builtin_types(result)))
            if cannot_score(results[-1][1]):
                break
    return results


def to_builtin_types(result: dict[str, Any]) -> dict[str, Any]:
    """Convert the result of a fold to built-in types, which any storage takes."""
    return {name: _to_builtin_types(result[name]) for name in _STORED if name in result}


def _to_builtin_types(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _to_builtin_types(one) for name, one in value.items()}
    if isinstance(value, (np.generic, np.ndarray)):
        return value.item()
    return value


def failed_result(error: float, message: str) -> dict[str, Any]:
    """Return the result of a fold whose process died."""
    return {
        "test_scores": float(error),
        "train_scores": float(error),
        "n_test_samples": 0,
        "fit_time": math.nan,
        "score_time": math.nan,
        "fit_error": message,
    }


def objective_score(result: dict[str, Any], metric: str | None) -> float:
    """Return the score of a fold that the search maximises; see :func:`metric_of`."""
    return metric_of(result["test_scores"], metric)


def metric_of(scores: float | dict[str, float], metric: str | None) -> float:
    """Return the score that a search maximises.

    Parameters
    ----------
    scores : float or dict of str to float
    metric : str or None
        Which of several metrics; None means the first.

    Returns
    -------
    score : float
    """
    if not isinstance(scores, dict):
        return float(scores)
    return float(scores[metric if metric in scores else next(iter(scores))])
