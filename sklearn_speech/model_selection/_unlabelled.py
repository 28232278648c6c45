"""Clips without a label, which train a pretrainer but are never scored."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.labels import is_unlabelled


def unlabelled_clips(estimator: Any, y: Any, searched: Iterable[str] = ()) -> npt.NDArray[np.bool_]:
    """Return which clips are unlabelled: those with -1, if there is a pretrainer.

    Parameters
    ----------
    estimator : estimator instance
    y : array-like of shape (n_clips,)
    searched : iterable of str, default=()
        Names of searched parameters; if one of them is a pretrainer, there is one.

    Returns
    -------
    unlabelled : ndarray of bool of shape (n_clips,)
    """
    parameters = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    names = {name for name, value in parameters.items() if value is not None}
    if any(name.split("__")[-1] == "pretrainer" for name in names.union(searched)):
        return is_unlabelled(y)
    return np.zeros(len(y), dtype=bool)


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
    labelled = [
        (train, test[~unlabelled[test]], train[~unlabelled[train]])
        for train, test in splits
        if not unlabelled[test].all()
    ]
    if not labelled:
        raise ValueError("no held-out speaker has a labelled clip (y = -1 means unlabelled here)")
    return labelled
