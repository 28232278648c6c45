"""Features and samples with fewer bits, for files."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.validation import is_ragged, make_ragged

#: Samples of 16 bits at full scale.
_FULL_SCALE = 32768


def packed(clips: npt.NDArray[Any], dtype: str | None) -> npt.NDArray[Any]:
    """Convert clips to the dtype in which they are stored.

    Parameters
    ----------
    clips : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,)
    dtype : {"float16", "int16"} or None
        None keeps the clips as they are.

    Returns
    -------
    clips : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,)

    Raises
    ------
    ValueError
        When a value is too large for the dtype.

    Warns
    -----
    UserWarning
        When most values are too small for the dtype.

    Examples
    --------
    >>> packed(np.array([[-1.0, 0.5, 1.0]]), "int16")
    array([[-32768,  16384,  32767]], dtype=int16)
    """
    if dtype is None:
        return clips
    convert = {"float16": _half, "int16": _samples}[dtype]
    return make_ragged(map(convert, clips)) if is_ragged(clips) else convert(clips)


def _half(clips):
    with np.errstate(over="ignore"):  # refused below
        half = clips.astype(np.float16)
    if not np.isfinite(half).all():
        raise ValueError(
            f"dtype='float16' stores numbers up to 65504, but the features reach "
            f"{np.abs(clips).max():g}: use dtype=None"
        )
    small = np.count_nonzero(np.abs(clips) < np.finfo(np.float16).tiny) - np.sum(clips == 0)
    if 2 * small > np.count_nonzero(clips):
        warnings.warn(
            "most features are smaller than 6.1e-05, where dtype='float16' keeps fewer than 3 "
            "digits, or none: use dtype=None, or features on a logarithmic scale",
            UserWarning,
            stacklevel=2,
        )
    return half


def _samples(clips):
    peak = np.abs(clips).max(initial=0)
    if not peak <= 1:
        raise ValueError(
            f"dtype='int16' stores waveforms, with amplitudes in [-1, 1], but the clips reach "
            f"{peak:g}: use dtype=None or 'float16'"
        )
    return np.clip(np.rint(clips * _FULL_SCALE), -_FULL_SCALE, _FULL_SCALE - 1).astype(np.int16)


def unpacked(clips: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Convert clips of one length, or one clip, back to floats.

    Parameters
    ----------
    clips : ndarray
        Any other dtype than float16 and int16 is left as it is.

    Examples
    --------
    >>> unpacked(packed(np.array([[-1.0, 0.5]]), "int16"))
    array([[-1. ,  0.5]], dtype=float32)
    """
    if clips.dtype == np.int16:
        return clips.astype(np.float32) / np.float32(_FULL_SCALE)
    return clips.astype(np.float32) if clips.dtype == np.float16 else clips
