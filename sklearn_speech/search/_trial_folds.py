"""One setting on some folds: what a worker does, and what the search keeps of it."""

import math

import numpy as np
from sklearn.base import clone

from ..model_selection._folds import torch_threads
from ..utils.sklearn_private import fit_and_score

#: How often the pruner is asked in a fold that is watched: after each quarter of the epochs.
LOOKS = 4


class StopFold(BaseException):
    """Ends a fit; no Exception, as a search takes those for failures of the fold."""


#: What is kept of a fold that was run.
_KEPT = ("test_scores", "train_scores", "n_test_samples", "fit_time", "score_time", "fit_error")


def run_folds(model, X, y, folds, options, n_threads=None, watch=None):
    """Fit and score one setting on some folds, one after the other.

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
        Called with the model, and the fold's number, test clips and targets
        before each fit, to follow the fold from within.

    Returns
    -------
    results : list of (int, dict)
        By number of the fold; the folds behind one that fails are left out,
        unless failing has a finite score.
    """
    results = []
    with torch_threads(n_threads):
        for number, (train, test) in folds:
            fitted = clone(model)
            if watch is not None:
                watch(fitted, number, test)
            try:
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
            if hopeless(results[-1][1]):
                break
    return results


def plain(result):
    """What a fold gave as built-in types, which any storage takes."""
    return {name: _plain(result[name]) for name in _KEPT if name in result}


def _plain(value):
    if isinstance(value, dict):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (np.generic, np.ndarray)):
        return value.item()
    return value


def hopeless(result):
    """Whether a fold failed without a finite score, so that the mean will never be one."""
    scores = result["test_scores"]
    scores = list(scores.values()) if isinstance(scores, dict) else [scores]
    return result["fit_error"] is not None and not all(map(math.isfinite, scores))


def failure(error, message):
    """What to keep of a fold whose process died."""
    return {
        "test_scores": float(error),
        "train_scores": float(error),
        "n_test_samples": 0,
        "fit_time": math.nan,
        "score_time": math.nan,
        "fit_error": message,
    }


def objective_score(result, metric):
    """The score of a fold that the search is about; see :func:`metric_of`."""
    return metric_of(result["test_scores"], metric)


def metric_of(scores, metric):
    """The score that a search is about.

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
