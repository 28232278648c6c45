"""Checks of single parameters of a detector."""

from numbers import Integral, Real
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

#: Windows whose times are given at once.
_MAX_WINDOWS = 2**27


def labels_of_others(other: Any) -> list[Any]:
    """The classes that are no words, given as one label or several.

    Examples
    --------
    >>> labels_of_others("other"), labels_of_others((0, 1))
    (['other'], [0, 1])
    """
    several = isinstance(other, (tuple, list, set, frozenset, np.ndarray))
    others = list(other) if several else [other]
    for label in others:
        if not isinstance(label, (str, Real)):
            raise TypeError(
                f"other={other!r:.100}: expected a label, which is a string or a number, "
                "or several; () where all classes are words"
            )
    return others


def check_n_windows(n_windows: Any) -> None:
    """Raise ValueError for what is no number of windows, or too large a one."""
    is_whole = isinstance(n_windows, Integral) and not isinstance(n_windows, bool)
    if not is_whole or int(n_windows) < 0:
        raise ValueError(f"n_windows={n_windows!r}: expected a whole number of at least 0")
    if n_windows > _MAX_WINDOWS:
        raise ValueError(
            f"n_windows={n_windows}: expected at most {_MAX_WINDOWS}, whose times fill 1 GiB"
        )


def is_fitted(estimator: Any) -> bool:
    """Whether an estimator can be used without ``fit``."""
    try:
        check_is_fitted(estimator)
    except NotFittedError:
        return False
    return True
