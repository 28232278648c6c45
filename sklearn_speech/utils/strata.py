"""What a split keeps in proportion: classes, labels, or numbers in bins."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import column_or_1d

from .labels import check_targets, is_without_number

#: Numbers are put into this many bins, where the groups allow as many.
N_BINS = 4


class Strata(NamedTuple):
    """How many clips of each class, label or bin each group has.

    A clip of several labels or numbers is counted once for each of them.
    """

    #: ndarray of int of shape (n_groups, n_strata)
    counts: npt.NDArray[np.int64]
    #: What messages call each stratum; None for one that a side may lack.
    names: list[str | None]
    #: Whether the training side must have all that have a name.
    needed: bool


def strata_of_groups(
    y: Any, group_of: npt.NDArray[np.intp], n_groups: int, n_bins: int | None = None
) -> Strata:
    """Count the clips of each group by their targets.

    Parameters
    ----------
    y : array-like of shape (n_clips,) or (n_clips, n_targets)
        Classes; an indicator matrix; or numbers, where a clip without any has NaN.
    group_of : ndarray of int of shape (n_clips,)
        Group of each clip.
    n_groups : int
    n_bins : int or None, default=None
        Largest number of bins; where it is given, y holds numbers.

    Returns
    -------
    strata : Strata

    Raises
    ------
    ValueError
        When `y` is missing, has another number of clips than `group_of`, or holds no numbers
        where numbers are expected.

    Examples
    --------
    >>> group_of = np.array([0, 0, 1, 1])
    >>> strata_of_groups(["no", "yes", "no", "no"], group_of, 2).counts
    array([[1, 1],
           [2, 0]])
    >>> strata_of_groups([101.5, 230.5, 99.0, 250.0], group_of, 2).counts
    array([[1, 1],
           [1, 1]])
    """
    if y is None:
        raise ValueError("The 'y' parameter should not be None: classes are kept in proportion")
    y = check_targets(y, gaps=is_without_number)
    if len(y) != len(group_of):
        raise ValueError(f"y has {len(y)} entries for {len(group_of)} clips")
    if n_bins is not None or _holds_numbers(y):
        columns = _as_numbers(y).reshape(len(y), -1).T
        binned = [quantile_bins(column, group_of, n_bins or N_BINS) for column in columns]
        counts = np.hstack([_count(bins, group_of, n_groups) for bins in binned])
        return Strata(counts, [None] * counts.shape[1], needed=False)
    if y.ndim == 2 and y.shape[1] > 1:
        of_labels = [_count(label, group_of, n_groups, 2) for label in y.astype(int).T]
        absent, present = np.stack(of_labels, axis=1).transpose(2, 0, 1)
        names = [f"label {j}" for j in range(y.shape[1])] + [None] * y.shape[1]
        counts = np.hstack([present, absent])
        found = np.flatnonzero(counts.sum(axis=0))
        return Strata(counts[:, found], [names[j] for j in found.tolist()], needed=False)
    classes, codes = _encoded(column_or_1d(y))
    names = [f"class {label!r}" for label in classes]
    return Strata(_count(codes, group_of, n_groups), names, needed=True)


def _count(
    codes: npt.NDArray[Any], group_of: npt.NDArray[np.intp], n_groups: int, n_codes: int = 0
) -> npt.NDArray[np.int64]:
    counts = np.zeros((n_groups, max(n_codes, int(codes.max()) + 1)), dtype=np.int64)
    np.add.at(counts, (group_of, codes), 1)
    return counts


def quantile_bins(
    numbers: npt.NDArray[np.float64], group_of: npt.NDArray[np.intp], n_bins: int
) -> npt.NDArray[np.intp]:
    """Bins of numbers, with about as many clips each.

    Parameters
    ----------
    numbers : ndarray of shape (n_clips,)
        NaN where a clip has none.
    group_of : ndarray of int of shape (n_clips,)
        Group of each clip.
    n_bins : int
        Largest number of bins. There are fewer where a bin would otherwise belong to one
        group only, so that it could not be on both sides of a split.

    Returns
    -------
    bins : ndarray of int of shape (n_clips,)
        Clips without a number come after the last bin.

    Examples
    --------
    >>> quantile_bins(np.array([100.0, 110.0, 200.0, 210.0]), np.array([0, 1, 2, 3]), 4)
    array([0, 0, 1, 1])
    """
    known = np.isfinite(numbers)
    bins = np.zeros(len(numbers), dtype=np.intp)
    for n in range(n_bins if known.any() else 0, 1, -1):
        edges = np.quantile(numbers[known], np.arange(1, n) / n)
        found, bins[known] = np.unique(np.searchsorted(edges, numbers[known]), return_inverse=True)
        if all(len(set(group_of[known & (bins == k)])) > 1 for k in range(len(found))):
            break
    else:
        bins[known] = 0
    bins[~known] = bins.max() + 1
    return bins


def _holds_numbers(y: npt.NDArray[Any]) -> bool:
    """Whether y holds numbers rather than classes or an indicator matrix."""
    if y.dtype.kind == "f" and (np.isnan(y).any() or (y % 1 != 0).any()):
        return True
    return y.ndim == 2 and y.shape[1] > 1 and not np.isin(y, (0, 1)).all()


def _as_numbers(y: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    try:
        return y.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"y has dtype {y.dtype}, but n_bins, or a y with several columns, requires "
            f"numbers: {error}"
        ) from error


def _encoded(y: npt.NDArray[Any]) -> tuple[list[Any], npt.NDArray[np.intp]]:
    if y.dtype == object:  # strings, perhaps with the integer -1 for unlabelled clips
        classes = sorted(set(y.tolist()), key=lambda label: (type(label).__name__, label))
        code = {label: i for i, label in enumerate(classes)}
        return classes, np.array([code[label] for label in y.tolist()])
    found, codes = np.unique(y, return_inverse=True)
    return found.tolist(), codes
