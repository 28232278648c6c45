"""Convert a `cv` parameter to positions of clips."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

Positions = npt.NDArray[np.intp]


def list_splits(
    cv: Any, X: Any, y: Any, names: npt.NDArray[Any], codes: Positions
) -> list[tuple[Positions, Positions]]:
    """Return the splits of `cv` as valid positions of training and test clips.

    Parameters
    ----------
    cv : int, splitter, iterable or None
        None leaves one speaker out; an int is the number of folds of ``GroupKFold``; an
        iterable yields pairs of positions or masks.
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
        If `cv` has another type or yields no split, if a split is not a pair of positions or
        masks of these clips, or if there is only one speaker.
    """
    if cv is None:
        if len(names) < 2:
            raise ValueError(
                f"speakers holds only one speaker ({str(names[0])!r}): cv=None holds out one "
                "speaker at a time, which needs at least two"
            )
        cv = LeaveOneGroupOut()
    elif isinstance(cv, (int, np.integer)) and not isinstance(cv, bool):
        if not 2 <= cv <= len(names):
            raise ValueError(
                f"cv={cv}: expected a number of folds from 2 to {len(names)}, the number of "
                "speakers"
            )
        cv = GroupKFold(n_splits=int(cv))
    if hasattr(cv, "split") and not isinstance(cv, (str, bytes)):
        with warnings.catch_warnings():
            # callers check the splits of a splitter that ignores groups
            warnings.filterwarnings("ignore", message="The groups parameter is ignored")
            splits = list(cv.split(X, y, groups=names[codes]))
    elif isinstance(cv, (str, bytes, bool)) or not hasattr(cv, "__iter__"):
        raise ValueError(
            f"cv={cv!r}: expected a group splitter, a number of folds or an iterable of "
            "(train, test) positions"
        )
    else:
        splits = list(cv)
    if not splits:
        raise ValueError(
            f"{cv_title(cv)} yields no split: expected at least one pair of training and test clips"
        )
    checked = []
    for i, split in enumerate(splits):
        if not isinstance(split, (tuple, list)) or len(split) != 2:
            raise ValueError(f"split {i} of cv is {split!r:.80}: expected (train, test) positions")
        train, test = (_positions(part, len(codes), i) for part in split)
        checked.append((train, test))
    return checked


def cv_title(cv: Any) -> str:
    """Name `cv` in an error message; the repr of a list of arrays would be too long."""
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
