"""Who and what stands on which side of each split."""

import warnings
from collections import defaultdict

import numpy as np
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from ..utils.text import normalize_name

TRAIN, TEST = 1, 2


def check_codes(labels, name, n_clips):
    """Labels as numbers, after a check that none is missing.

    Parameters
    ----------
    labels : array-like of shape (n_clips,)
    name : str
        What errors call it.
    n_clips : int

    Returns
    -------
    names : ndarray of shape (n_names,), dtype object
        In the order of their first clips.
    codes : ndarray of shape (n_clips,), int
        ``names[codes]`` are the labels.
    """
    labels = [normalize_name(label) for label in labels]
    if len(labels) != n_clips:
        raise ValueError(f"{name} has {len(labels)} entries, but X has {n_clips} clips")
    missing = [i for i, label in enumerate(labels) if _is_missing(label)]
    if missing:
        raise ValueError(
            f"{name}[{missing[0]}] is {labels[missing[0]]!r}: {len(missing)} of {n_clips} clips "
            "have no speaker; leave them out, or name them"
        )
    numbers_of = {}
    codes = np.array([numbers_of.setdefault(label, len(numbers_of)) for label in labels])
    names = np.empty(len(numbers_of), dtype=object)
    names[:] = [label.item() if isinstance(label, np.generic) else label for label in numbers_of]
    return names, codes


def _is_missing(label):
    if label is None or (isinstance(label, str) and not label.strip()):
        return True
    try:
        return bool(label != label)  # NaN
    except TypeError:  # pandas.NA has no truth value
        return True


def check_sides(cv, X, y, names, codes):
    """For each split, the side of each clip.

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
    if cv is None:
        if len(names) < 2:
            raise ValueError(
                f"speakers holds one speaker only ({names[0]!r}): cv=None leaves one speaker out, "
                "which takes two"
            )
        cv = LeaveOneGroupOut()
    elif isinstance(cv, (int, np.integer)) and not isinstance(cv, bool):
        cv = GroupKFold(int(cv))
    if hasattr(cv, "split") and not isinstance(cv, str):
        with warnings.catch_warnings():
            # splitters that know no groups are what this check is for
            warnings.filterwarnings("ignore", message="The groups parameter is ignored")
            cv = list(cv.split(X, y, names[codes]))
    elif isinstance(cv, (str, bytes, bool)) or not hasattr(cv, "__iter__"):
        raise ValueError(
            f"cv={cv!r}: expected a splitter, a number of folds, an iterable of splits or None"
        )
    sides = [_sides(*split, len(codes), k) for k, split in _numbered(cv)]
    if not sides:
        raise ValueError(f"cv={cv!r} yields no split")
    return sides


def _numbered(splits):
    for k, split in enumerate(splits):
        if not isinstance(split, (tuple, list)) or len(split) != 2:
            raise ValueError(f"split {k} of cv is {split!r:.80}: expected (train, test) positions")
        yield k, split


def _sides(train, test, n_clips, k):
    sides = np.zeros(n_clips, np.uint8)
    for part, side in ((train, TRAIN), (test, TEST)):
        part = np.asarray(part)
        if part.dtype == bool and part.shape == (n_clips,):
            part = np.flatnonzero(part)
        if part.ndim != 1 or (len(part) and part.dtype.kind not in "iu"):
            raise ValueError(
                f"split {k} of cv holds {part.dtype} of shape {part.shape}: expected positions"
            )
        if len(part) and (part.min() < 0 or part.max() >= n_clips):
            raise ValueError(f"split {k} of cv has positions outside 0 to {n_clips - 1}")
        sides[part.astype(np.intp)] |= side
    return sides


def on_both_sides(codes, sides):
    """Labels with training and test clips in one split.

    Parameters
    ----------
    codes : ndarray of int of shape (n_clips,)
        Speakers or texts as numbers; negative ones are left out.
    sides : list of ndarray of shape (n_clips,)

    Returns
    -------
    found : list of (int, int, tuple of int)
        One entry a label: a clip of it on the training and one on the test
        side of the first split in question, and all splits in question.
    """
    codes = np.asarray(codes)
    folds, clips = defaultdict(list), {}
    n_labels = codes.max(initial=-1) + 1
    for k, side in enumerate(sides):
        firsts = []
        for part in (TRAIN, TEST):
            index = np.flatnonzero((side & part > 0) & (codes >= 0))[::-1]
            first = np.full(n_labels, -1)
            first[codes[index]] = index  # the last one written is the first clip
            firsts.append(first)
        for label in np.flatnonzero((firsts[0] >= 0) & (firsts[1] >= 0)).tolist():
            folds[label].append(k)
            clips.setdefault(label, (int(firsts[0][label]), int(firsts[1][label])))
    return [(*clips[label], tuple(folds[label])) for label in sorted(folds)]


def parted_pairs(pairs, sides):
    """The splits that put one clip of a pair into training and the other into test.

    Parameters
    ----------
    pairs : ndarray of int of shape (n_pairs, 2)
    sides : list of ndarray of shape (n_clips,)

    Returns
    -------
    folds : dict of int to tuple of int
        For those pairs that are parted at all.
    """
    folds = defaultdict(list)
    for k, side in enumerate(sides):
        i, j = side[pairs[:, 0]], side[pairs[:, 1]]
        parted = ((i & TRAIN > 0) & (j & TEST > 0)) | ((i & TEST > 0) & (j & TRAIN > 0))
        for pair in np.flatnonzero(parted).tolist():
            folds[pair].append(k)
    return {pair: tuple(found) for pair, found in folds.items()}
