"""Clips without a label, which train a pretrainer but are never scored."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.labels import is_unlabelled


def unlabelled_clips(estimator: Any, y: Any, searched: Iterable[str] = ()) -> npt.NDArray[np.bool_]:
    """Which clips are for a pretrainer only, where there is one.

    Parameters
    ----------
    estimator : estimator instance
    y : array-like of shape (n_clips,) or (n_clips, n_targets)
        A classifier's -1 and a regressor's NaN mark a clip as unlabelled.
    searched : iterable of str, default=()
        Names of searched parameters; if one of them is a pretrainer, there is one.

    Returns
    -------
    unlabelled : ndarray of bool of shape (n_clips,)
    """
    mark = mark_of_unlabelled(estimator, searched)
    return np.zeros(len(y), dtype=bool) if mark is None else mark(y)


def mark_of_unlabelled(
    estimator: Any, searched: Iterable[str] = ()
) -> Callable[[Any], npt.NDArray[np.bool_]] | None:
    """What tells which clips are unlabelled to an estimator; None where all need a label.

    Parameters
    ----------
    estimator : estimator instance
    searched : iterable of str, default=()
        Parameters that are tried.

    Returns
    -------
    mark : callable or None
        Takes `y`, returns an ndarray of bool of shape (n_clips,).
    """
    parameters = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    names = {name for name, value in parameters.items() if value is not None}
    for name in sorted(names.union(searched)):
        *path, last = name.split("__")
        if last == "pretrainer":
            owner = parameters.get("__".join(path), estimator)
            return getattr(owner, "_is_unlabelled", is_unlabelled)
    return None


def with_labels(
    splits: list[tuple[npt.NDArray[Any], npt.NDArray[Any]]], unlabelled: npt.NDArray[np.bool_]
) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]]:
    """Remove unlabelled clips from the test parts of splits.

    Parameters
    ----------
    splits : list of (ndarray of int, ndarray of int)
    unlabelled : ndarray of bool of shape (n_clips,)

    Returns
    -------
    splits : list of (ndarray, ndarray, ndarray)
        Training clips, test clips, and labelled training clips.

    Raises
    ------
    ValueError
        If no test part contains a labelled clip.
    """
    parts = ((_positions(train), _positions(test)) for train, test in splits)
    labelled = [
        (train, test[~unlabelled[test]], train[~unlabelled[train]])
        for train, test in parts
        if not unlabelled[test].all()
    ]
    if not labelled:
        raise ValueError(
            "no held-out speaker has a labelled clip (y = -1, of regressors NaN, means unlabelled "
            "where a pretrainer is set)"
        )
    return labelled


def _positions(part: npt.ArrayLike) -> npt.NDArray[Any]:
    """Positions of the clips of one part of a split, which may be a list, a range or a mask."""
    part = np.asarray(part)
    return np.flatnonzero(part) if part.dtype == bool else part
