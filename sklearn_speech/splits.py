"""Splits that keep speakers apart and targets in proportion."""

import math
import numbers
import warnings
from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import BaseShuffleSplit
from sklearn.utils import check_random_state

from .utils.speakers import check_speakers
from .utils.strata import strata_of_groups

#: Up to this number, all sides are enumerated; for more, a local search finds one.
MAX_ENUMERATED = 5000

#: Imbalances below this are ignored: all such sides are equally likely.
TOLERANCE = 0.02

#: A side may have this many times the imbalance of the best one, so that splits differ.
SLACK = 1.5

#: The local search starts from this many random sides and tries this many exchanges per step.
N_STARTS, N_EXCHANGES = 5, 500


def imbalance(
    counts: npt.NDArray[Any],
    sides: npt.NDArray[Any],
    shares: npt.NDArray[Any] | None = None,
    sizes: npt.NDArray[Any] | None = None,
) -> npt.NDArray[Any]:
    """Measure how far the class proportions of the sides of a split are from those of all clips.

    Parameters
    ----------
    counts : ndarray of shape (n_groups, n_classes)
        Clips of each class (or label, or bin of numbers) that each group has.
    sides : ndarray of bool of shape (n_sides, n_groups)
        Which groups are on each side.
    shares : ndarray of shape (n_classes,), default=None
        Share of all clips that each class has; as `counts` say where None.
    sizes : ndarray of shape (n_groups,), default=None
        Clips of each group; the sums of `counts` where None, as a clip has one class.

    Returns
    -------
    imbalance : ndarray of shape (n_sides,)
        Largest absolute difference between a class's share of the side's clips
        and its share of all clips.

    Examples
    --------
    >>> imbalance(np.array([[2, 0], [1, 1], [0, 2]]), np.eye(3, dtype=bool))
    array([0.5, 0. , 0.5])
    """
    sizes = counts.sum(axis=1) if sizes is None else sizes
    shares = counts.sum(axis=0) / sizes.sum() if shares is None else shares
    sides = np.asarray(sides, dtype=float)
    return np.abs(sides @ counts / (sides @ sizes)[:, np.newaxis] - shares).max(axis=1)


class _SideDrawer:
    """Draws the groups of one side of a split, so that class proportions are preserved.

    Parameters
    ----------
    counts : ndarray of shape (n_groups, n_classes)
        Clips of each class that each group has.
    sizes : ndarray of shape (n_groups,)
        Clips of each group.
    n_chosen : int
        Groups on the side.
    shares : ndarray of shape (n_classes,)
        Share of all clips that each class has.
    spare_rest : bool
        Whether the groups that are not chosen must contain every class.
    """

    def __init__(
        self,
        counts: npt.NDArray[Any],
        sizes: npt.NDArray[Any],
        n_chosen: int,
        shares: npt.NDArray[Any],
        spare_rest: bool,
    ) -> None:
        self.counts, self.sizes, self.shares = counts, sizes, shares
        self.n_chosen, self.spare_rest = n_chosen, spare_rest
        self.good_sides = None
        if math.comb(len(counts), n_chosen) <= MAX_ENUMERATED:
            chosen = np.array(list(combinations(range(len(counts)), n_chosen)))
            sides = np.zeros((len(chosen), len(counts)), dtype=bool)
            np.put_along_axis(sides, chosen, True, axis=1)
            missing, imbalances = self.cost(sides)
            imbalances = np.where(missing == missing.min(), imbalances, np.inf)
            self.good_sides = sides[imbalances <= max(TOLERANCE, SLACK * imbalances.min())]

    def cost(self, sides: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return the costs to minimise: first the number of missing classes, then the imbalance.

        A class missing from the rest (the training clips) costs more than all classes missing
        from the side itself.
        """
        on_side = sides.astype(float) @ self.counts
        missing = (on_side == 0).sum(axis=1)
        if self.spare_rest:
            used_up = (on_side == self.counts.sum(axis=0)).sum(axis=1)
            missing = missing + used_up * (self.counts.shape[1] + 1)
        return missing, imbalance(self.counts, sides, self.shares, self.sizes)

    def draw(self, rng: np.random.RandomState) -> npt.NDArray[Any]:
        """A side, as an ndarray of bool of shape (n_groups,)."""
        if self.good_sides is not None:
            return self.good_sides[rng.randint(len(self.good_sides))]
        best, best_key = self._improve(rng)
        for _ in range(N_STARTS - 1):
            if best_key <= (0, TOLERANCE):
                break
            side, key = self._improve(rng)
            if key < best_key:
                best, best_key = side, key
        return best

    def _improve(self, rng):
        """Return a random side, improved by exchanging pairs of groups as long as that helps."""
        side = np.zeros(len(self.counts), dtype=bool)
        side[rng.permutation(len(side))[: self.n_chosen]] = True
        key = tuple(column[0] for column in self.cost(side[np.newaxis]))
        rows = np.arange(N_EXCHANGES)
        while key > (0, TOLERANCE):
            sides = np.repeat(side[np.newaxis], N_EXCHANGES, axis=0)
            sides[rows, rng.choice(np.flatnonzero(side), N_EXCHANGES)] = False
            sides[rows, rng.choice(np.flatnonzero(~side), N_EXCHANGES)] = True
            missing, imbalances = self.cost(sides)
            i = np.lexsort((imbalances, missing))[0]
            if (missing[i], imbalances[i]) >= key:
                break
            side, key = sides[i], (missing[i], imbalances[i])
        return side, key


class StratifiedGroupShuffleSplit(BaseShuffleSplit):
    """Random splits that keep speakers apart and preserve class proportions.

    Whole groups (speakers) go to one side or the other, and among the ways to
    choose them, one is drawn in which the classes have nearly the shares that
    they have in all clips; of an indicator matrix, each label; of numbers, each
    quarter of them. The splitter can be given wherever scikit-learn takes
    a `cv`; it asks for `groups`, also under metadata routing.

    Parameters
    ----------
    n_splits : int, default=10
        Number of splits.

    test_size : float, int or None, default=None
        Groups (not clips) on the test side: a share, rounded up, or a number. None means the
        complement of `train_size`, or 0.1 if that is None too.

    train_size : float, int or None, default=None
        Groups on the training side: a share, rounded down, or a number. None means all others.
        If both sizes are given, some groups may be on neither side.

    n_bins : int or None, default=None
        Largest number of quantile bins that numbers are put into. None means 4 where `y` holds
        numbers: fractions, or several columns of other values than 0 and 1. Give it
        where `y` holds whole numbers, such as ages, which are classes otherwise.

    random_state : int, RandomState instance or None, default=None
        Controls the splits; an int gives the same splits in each call.

    See Also
    --------
    sklearn.model_selection.GroupShuffleSplit : Random splits by group, regardless of classes.
    sklearn.model_selection.StratifiedGroupKFold : Folds by group that preserve class proportions.

    Notes
    -----
    The *imbalance* of a side is the largest difference, over classes, between a
    class's share of the side's clips and its share of all clips. The candidates are the choices
    of groups with the fewest classes missing from the training side, and then from the test
    side. The split is drawn uniformly from the candidates whose imbalance is at most
    ``max(0.02, 1.5 * smallest)``. With at most 5,000 ways to choose the test groups, the
    smallest imbalance is exact; with more, random choices are improved by exchanging single
    groups until the imbalance is at most 0.02 or no tried exchange helps.

    Groups may lack classes; each may even have only one. A class that occurs in only one group
    cannot be on both sides: this group stays on the training side, with a warning.

    Each label of an indicator matrix is kept in proportion by itself, with all labels at once in
    the imbalance. A training side may lack a label, where no split has it.

    Numbers are put into quantile bins, which are treated as classes, several numbers a clip
    column by column. There are fewer bins than `n_bins` where otherwise one of them would belong
    to one group only; then, and where no split has all bins on both sides, nothing is
    raised. Clips without a number (NaN, for a pretrainer) are a bin of their own.

    As with every shuffling splitter, the same split can come twice.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech.splits import StratifiedGroupShuffleSplit
    >>> y = np.array(["no", "yes"] * 6)
    >>> speakers = np.repeat(["ann", "bob", "cem"], 4)
    >>> cv = StratifiedGroupShuffleSplit(n_splits=2, test_size=1, random_state=0)
    >>> for train, test in cv.split(y, y, groups=speakers):
    ...     print(np.unique(speakers[train]), np.unique(speakers[test]), y[test])
    ['bob' 'cem'] ['ann'] ['no' 'yes' 'no' 'yes']
    ['ann' 'cem'] ['bob'] ['no' 'yes' 'no' 'yes']
    """

    # read by scikit-learn's metadata routing: this splitter requests groups
    __metadata_request__split = {"groups": True}

    def __init__(
        self,
        n_splits: int = 10,
        *,
        test_size: float | int | None = None,
        train_size: float | int | None = None,
        n_bins: int | None = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            n_splits=n_splits,
            test_size=test_size,
            train_size=train_size,
            random_state=random_state,
        )
        self.n_bins = n_bins

    def split(
        self, X: Any, y: Any = None, groups: Any = None
    ) -> Iterator[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
        """Draw the splits.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Only its length matters.
        y : array-like of shape (n_clips,) or (n_clips, n_targets)
            Classes, an indicator matrix, or numbers.
        groups : array-like of shape (n_clips,)
            Speaker of each clip.

        Yields
        ------
        train : ndarray of int
            Positions of the training clips, ascending.
        test : ndarray of int
            Positions of the test clips, ascending.

        Raises
        ------
        ValueError
            When there is one group only, the sizes leave a side empty or leave a class
            out of the training side, `y` is missing, or a group's name is missing.

        Warns
        -----
        UserWarning
            When a class or label belongs to one group only: it is never on the test side.
        """
        # scikit-learn's message would not name the parameter
        check_speakers(groups, len(y) if X is None and y is not None else _n_clips(X), "groups")
        yield from super().split(X, y, groups)

    def _iter_indices(self, X, y=None, groups=None):
        n_clips = len(y) if X is None and y is not None else _n_clips(X)
        names, group_of = check_speakers(groups, n_clips, name="groups")
        if self.n_bins is not None and not (_is_whole(self.n_bins) and self.n_bins >= 1):
            raise ValueError(f"n_bins={self.n_bins!r}: expected a whole number of bins, or None")
        counts, strata, needed = strata_of_groups(y, group_of, len(names), self.n_bins)
        n_train, n_test = self._sizes(len(names))
        for k in np.flatnonzero((counts > 0).sum(axis=0) == 1):
            if strata[k] is None:
                continue
            owner = names[np.flatnonzero(counts[:, k])[0]]
            warnings.warn(
                f"{strata[k]} occurs in one group only ({str(owner)!r}): this group stays on the "
                "training side, and no test side has it (for numbers rather than classes, set "
                "n_bins)",
                UserWarning,
                stacklevel=4,
            )
        rng = check_random_state(self.random_state)
        sizes = np.bincount(group_of, minlength=len(names))
        shares = counts.sum(axis=0) / n_clips
        tests = _SideDrawer(counts, sizes, n_test, shares, spare_rest=True)
        for _ in range(self.n_splits):
            test = tests.draw(rng)
            train = ~test
            if n_train + n_test < len(names):
                rest = np.flatnonzero(train)
                trains = _SideDrawer(counts[rest], sizes[rest], n_train, shares, spare_rest=False)
                train = np.zeros(len(names), dtype=bool)
                train[rest[trains.draw(rng)]] = True
            absent = np.flatnonzero(counts[train].sum(axis=0) == 0)
            if needed and len(absent):
                raise ValueError(
                    f"no split found with every class on the training side: {strata[absent[0]]} "
                    f"is not there, with {n_train} training and {n_test} test groups of "
                    f"{len(names)}; choose other sizes, leave out the clips of this class, set "
                    "n_bins where y holds numbers rather than classes, or use GroupShuffleSplit, "
                    "which disregards classes"
                )
            yield np.flatnonzero(train[group_of]), np.flatnonzero(test[group_of])

    def _sizes(self, n_groups):
        """Return the numbers of groups on the two sides."""
        if n_groups < 2:
            raise ValueError(
                "groups contains only one group; splitting by group needs at least two"
            )
        sizes = {"test_size": self.test_size, "train_size": self.train_size}
        for name, size in sizes.items():
            if size is None:
                continue
            if _is_whole(size):
                if 1 <= int(size) < n_groups:
                    continue
            elif isinstance(size, numbers.Real) and not isinstance(size, bool):
                if 0 < float(size) < 1:
                    continue
            raise ValueError(
                f"{name}={size!r}: expected a share of the groups between 0 and 1, or a whole "
                f"number of groups from 1 to {n_groups - 1} (there are {n_groups})"
            )
        test_size, train_size = sizes["test_size"], sizes["train_size"]
        if test_size is None and train_size is None:
            test_size = 0.1
        n_test = _n_of(test_size, n_groups, math.ceil)
        n_train = _n_of(train_size, n_groups, math.floor)
        if n_test is None:
            n_test = n_groups - n_train
        if n_train is None:
            n_train = n_groups - n_test
        if min(n_train, n_test) < 1 or n_train + n_test > n_groups:
            raise ValueError(
                f"test_size={self.test_size!r} and train_size={self.train_size!r} ask for "
                f"{n_test} test and {n_train} training groups; there are {n_groups}, and each side "
                "needs at least one"
            )
        return n_train, n_test


def _is_whole(value):
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _n_of(size, n_groups, rounding):
    if size is None or isinstance(size, numbers.Integral):
        return size
    return rounding(round(size * n_groups, 9))  # 0.1 * 30 is 3.0000000000000004


def _n_clips(X):
    return X.shape[0] if hasattr(X, "shape") else len(X)
