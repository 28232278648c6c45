"""The splits of a `cv` parameter as positions of clips."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

Positions = npt.NDArray[np.intp]


def list_splits(
    cv: Any, X: Any, y: Any, names: npt.NDArray[Any], codes: Positions
) -> list[tuple[Positions, Positions]]:
    """The splits of `cv` as positions of training and test clips, all in range.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        None leaves one speaker out; an int is the number of folds of ``GroupKFold``;
        parts of an iterable are positions or masks.
    X, y : array-likes of shape (n_clips, ...)
    names : ndarray of shape (n_speakers,)
    codes : ndarray of int of shape (n_clips,)
        ``names[codes]`` are the speakers.

    Returns
    -------
    splits : list of (ndarray of int, ndarray of int)

    Raises
    ------
    ValueError
        When `cv` is of another kind or yields no split, when a split is no pair of
        positions or masks of these clips, or when there is no second speaker to hold out.
    """
    if cv is None:
        if len(names) < 2:
            raise ValueError(
                f"speakers holds one speaker only ({str(names[0])!r}): cv=None holds out one "
                "speaker after the other, which needs at least two"
            )
        cv = LeaveOneGroupOut()
    elif isinstance(cv, (int, np.integer)) and not isinstance(cv, bool):
        cv = GroupKFold(n_splits=int(cv))
    if hasattr(cv, "split") and not isinstance(cv, (str, bytes)):
        with warnings.catch_warnings():
            # callers check what a splitter that ignores groups yields
            warnings.filterwarnings("ignore", message="The groups parameter is ignored")
            splits = list(cv.split(X, y, groups=names[codes]))
    elif isinstance(cv, (str, bytes, bool)) or not hasattr(cv, "__iter__"):
        raise ValueError(
            f"cv={cv!r}: expected a splitter by group, a number of folds or an iterable of "
            "(train, test) positions"
        )
    else:
        splits = list(cv)
    if not splits:
        raise ValueError(f"{cv_title(cv)} yields no split")
    checked = []
    for i, split in enumerate(splits):
        if not isinstance(split, (tuple, list)) or len(split) != 2:
            raise ValueError(f"split {i} of cv is {split!r:.80}: expected (train, test) positions")
        train, test = (_positions(part, len(codes), i) for part in split)
        checked.append((train, test))
    return checked


def cv_title(cv: Any) -> str:
    """What an error calls `cv`; a list of arrays would fill the screen."""
    return "cv" if hasattr(cv, "__iter__") and not isinstance(cv, str) else f"cv={cv!r}"


def _positions(part: Any, n_clips: int, i: int) -> Positions:
    part = np.asarray(part)
    if part.dtype == bool and part.shape == (n_clips,):
        return np.flatnonzero(part)
    if part.ndim != 1 or (len(part) and part.dtype.kind not in "iu"):
        raise ValueError(
            f"split {i} of cv holds {part.dtype} of shape {part.shape}: expected positions of clips"
        )
    if len(part) and (part.min() < 0 or part.max() >= n_clips):
        raise ValueError(f"split {i} of cv has positions outside 0 to {n_clips - 1}")
    return part.astype(np.intp)
