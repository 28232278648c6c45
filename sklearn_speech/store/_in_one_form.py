"""Clips of which every block has the form of all."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..audio._given_paths import absolute_entries
from ..audio._reading import check_entries
from ..audio._recording import is_recording
from ..utils.rates import rate_of, with_rate
from ..utils.validation import FLOATS, is_ragged, make_ragged
from ..utils.values import as_arrays


def in_one_form(X: Any) -> Any:
    """Clips of which every block gives the features that it would give among all clips.

    Transformers decide by all clips that they are given whether these are one array or ragged,
    and in which dtype they are. A block of a list may happen to have clips of one length, or of
    another dtype.

    Parameters
    ----------
    X : array-like of shape (n_clips, ...)
        Paths, recordings, waveforms or spectrograms, in any container.

    Returns
    -------
    X : array-like of shape (n_clips, ...)
        An object array of arrays of one dtype where `X` is ragged. One array where a data frame,
        a tensor or a list of lists holds clips of one length. Otherwise `X` itself: clips that
        are no arrays of numbers are left as they are, for the first step to read or to refuse.

    Examples
    --------
    >>> import numpy as np
    >>> in_one_form([np.zeros(3), np.zeros(3), np.zeros(5, np.float32)])[:2]
    array([array([0., 0., 0.], dtype=float32),
           array([0., 0., 0.], dtype=float32)], dtype=object)
    """
    if not is_ragged(X):
        return _one_array(X)
    if any(map(is_recording, X)):
        return X
    clips = [_as_array(clip) for clip in X]
    is_double = [getattr(clip, "dtype", None) == np.float64 for clip in clips]
    if any(is_double) and not all(is_double):
        with np.errstate(over="ignore"):  # infinity is refused by the first step
            clips = [c.astype(np.float32) if d else c for c, d in zip(clips, is_double)]
    return with_rate(make_ragged(clips), rate_of(X))


def _one_array(X: Any) -> Any:
    """Clips of one length in one array, if they are numbers and no arrays already."""
    is_list = isinstance(X, (list, tuple))
    if is_list and not (len(X) and all(isinstance(clip, (list, tuple)) for clip in X)):
        return X
    clips = X if is_list else as_arrays(X)
    if not is_list and not hasattr(clips, "iloc"):
        return clips
    try:
        array = np.asarray(clips)
    except (TypeError, ValueError):
        return X
    if array.ndim < 2 or array.dtype.kind not in "iuf":
        return X
    if is_list:  # it has no dtype: transformers compute with the first one
        with np.errstate(over="ignore"):  # infinity is refused by the first step
            array = array.astype(FLOATS[0], copy=False)
    return with_rate(array, rate_of(X))


def with_absolute_paths(X: Any) -> Any:
    """Clips that are the same in another process, and after a change of the working directory.

    Parameters
    ----------
    X : array-like of shape (n_clips, ...)
        Paths, recordings, waveforms or spectrograms, in any container.

    Returns
    -------
    X : array-like of shape (n_clips, ...)
        A list or an object array of absolute paths if there are relative ones, otherwise `X`.
    """
    if getattr(getattr(X, "dtype", None), "kind", "O") in "biufc":
        return X
    try:
        entries = check_entries(X)
    except (TypeError, ValueError):
        return X
    absolute = absolute_entries(entries)
    if all(new is old for new, old in zip(absolute, entries)):
        return X
    return absolute if isinstance(X, (list, tuple)) else make_ragged(absolute).reshape(np.shape(X))


def _as_array(clip: Any) -> npt.NDArray[Any] | Any:
    if isinstance(clip, np.ndarray):
        return clip
    try:
        return np.asarray(as_arrays(clip))
    except (TypeError, ValueError):
        return clip
