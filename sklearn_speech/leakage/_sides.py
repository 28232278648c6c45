"""Find out which clips, speakers and texts are on which side of each split."""

from collections import defaultdict
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.cv import list_splits

TRAIN, TEST = 1, 2


def list_sides(
    cv: Any, X: Any, y: Any, names: npt.NDArray[Any], codes: npt.NDArray[Any]
) -> list[npt.NDArray[Any]]:
    """Return the side of each clip in each split.

    Parameters
    ----------
    cv : int, splitter, iterable or None
    X, y : array-likes of shape (n_clips, ...)
    names : ndarray of shape (n_speakers,)
    codes : ndarray of int of shape (n_clips,)
        ``names[codes]`` are the speakers.

    Returns
    -------
    sides : list of ndarray of shape (n_clips,), uint8
        0 (not used), 1 (training), 2 (test) or 3 (both).
    """
    sides = []
    for train, test in list_splits(cv, X, y, names, codes):
        side = np.zeros(len(codes), np.uint8)
        side[train] |= TRAIN
        side[test] |= TEST
        sides.append(side)
    return sides


def on_both_sides(
    codes: npt.NDArray[Any], sides: list[npt.NDArray[Any]]
) -> list[tuple[int, int, tuple[int, ...]]]:
    """Find speakers or texts with training and test clips in one split.

    Parameters
    ----------
    codes : ndarray of int of shape (n_clips,)
        Speakers or texts as numbers; negative ones are left out.
    sides : list of ndarray of shape (n_clips,)

    Returns
    -------
    found : list of (int, int, tuple of int)
        For each speaker or text found: one training clip and one test clip of the first such
        split, and the numbers of all such splits.
    """
    codes = np.asarray(codes)
    folds: dict[int, list[int]] = defaultdict(list)
    clips: dict[int, tuple[int, int]] = {}
    n_labels = codes.max(initial=-1) + 1
    for k, side in enumerate(sides):
        firsts = []
        for part in (TRAIN, TEST):
            index = np.flatnonzero((side & part > 0) & (codes >= 0))[::-1]
            first = np.full(n_labels, -1)
            first[codes[index]] = index  # the first clip is written last
            firsts.append(first)
        for label in np.flatnonzero((firsts[0] >= 0) & (firsts[1] >= 0)).tolist():
            folds[label].append(k)
            clips.setdefault(label, (int(firsts[0][label]), int(firsts[1][label])))
    return [(*clips[label], tuple(folds[label])) for label in sorted(folds)]


def separated_pairs(
    pairs: npt.NDArray[Any], sides: list[npt.NDArray[Any]]
) -> dict[int, tuple[int, ...]]:
    """Find the splits that put one clip of a pair into training and the other into test.

    Parameters
    ----------
    pairs : ndarray of int of shape (n_pairs, 2)
    sides : list of ndarray of shape (n_clips,)

    Returns
    -------
    folds : dict of int to tuple of int
        Splits by position of the pair; contains only pairs that some split separates.
    """
    folds = defaultdict(list)
    for k, side in enumerate(sides):
        i, j = side[pairs[:, 0]], side[pairs[:, 1]]
        parted = ((i & TRAIN > 0) & (j & TEST > 0)) | ((i & TEST > 0) & (j & TRAIN > 0))
        for pair in np.flatnonzero(parted).tolist():
            folds[pair].append(k)
    return {pair: tuple(found) for pair, found in folds.items()}
