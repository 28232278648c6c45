"""The folds of one trial: what a worker runs, and which results are stored."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.base import clone

from ..model_selection._folds import torch_threads
from ..utils.interrupts import stop_run_on_interrupt
from ..utils.sklearn_private import fit_and_score
from ._stored_trials import cannot_score

#: How often the pruner is asked within a fold: after each quarter of the epochs.
CHECKS_PER_FOLD = 4


class StopFold(BaseException):
    """Ends a fit. It is not an Exception, because those count as failures of the fold."""


#: What is stored of a fold that was run.
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
    """Fit and score one setting of the parameters on some folds, one after the other.

    Parameters
    ----------
    model : estimator instance
        Unfitted, with the parameters of the setting.
    X, y : array-likes of shape (n_clips, ...)
    folds : list of (int, (ndarray of int, ndarray of int))
        Numbers and positions of the folds.
    options : dict
        For scikit-learn's ``_fit_and_score``.
    n_threads : int or None, default=None
        Threads for torch.
    watch : callable, default=None
        Called before each fit with the model, the number of the fold and its test clips,
        to follow the training.

    Returns
    -------
    results : list of (int, dict)
        By number of the fold. The folds after one that fails are left out,
        unless `error_score` is a finite number.

    Raises
    ------
    KeyboardInterrupt
        When a fold was interrupted, even where its estimator went on: skorch ends the
        training then, and a fold that was trained in part has no result.
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
            results.append((number, plain(result)))
            if cannot_score(results[-1][1]):
                break
    return results


def plain(result: dict[str, Any]) -> dict[str, Any]:
    """The result of a fold as built-in types, which any storage takes."""
    return {name: _plain(result[name]) for name in _STORED if name in result}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (np.generic, np.ndarray)):
        return value.item()
    return value


def failure(error: float, message: str) -> dict[str, Any]:
    """The result of a fold whose process died."""
    return {
        "test_scores": float(error),
        "train_scores": float(error),
        "n_test_samples": 0,
        "fit_time": math.nan,
        "score_time": math.nan,
        "fit_error": message,
    }


def objective_score(result: dict[str, Any], metric: str | None) -> float:
    """The score of a fold by which the search judges; see :func:`metric_of`."""
    return metric_of(result["test_scores"], metric)


def metric_of(scores: float | dict[str, float], metric: str | None) -> float:
    """The score by which a search judges.

    Parameters
    ----------
    scores : float or dict of str to float
    metric : str or None
        Where there are several metrics, which one; None is the first.

    Returns
    -------
    score : float
    """
    if not isinstance(scores, dict):
        return float(scores)
    return float(scores[metric if metric in scores else next(iter(scores))])
