"""Check the names of speakers."""

import math
import numbers
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from .text import normalize_name


def check_speakers(
    speakers: Any, n_clips: int, name: str = "speakers"
) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
    """Return the names of the speakers, and the speaker of each clip as a number.

    Parameters
    ----------
    speakers : array-like of shape (n_clips,)
        Names or numbers of the speakers.
    n_clips : int
        Number of clips.
    name : str, default="speakers"
        Name of the parameter in error messages.

    Returns
    -------
    names : ndarray of shape (n_speakers,)
        Sorted, in Unicode form NFC. Names that differ only in their Unicode form are the same.
    codes : ndarray of int of shape (n_clips,)
        ``names[codes]`` are the speakers.

    Raises
    ------
    ValueError
        If a speaker is missing (None, NaN, NaT, pandas.NA, masked, an empty string), infinite,
        or neither a string nor a real number; if strings and numbers are mixed; if the number
        of speakers is wrong; or if `speakers` is not one-dimensional.

    Examples
    --------
    >>> check_speakers(["theo", "jackson", "theo"], 3)
    (array(['jackson', 'theo'], dtype='<U7'), array([1, 0, 1]))
    """
    if speakers is None:
        raise ValueError(
            f"The '{name}' parameter should not be None: expected the speaker of each clip"
        )
    values = np.asarray(speakers)
    if values.ndim != 1:
        raise ValueError(f"{name} has shape {values.shape}: expected (n_clips,)")
    if len(values) != n_clips:
        raise ValueError(f"{name} has {len(values)} entries for {n_clips} clips")
    if n_clips == 0:
        raise ValueError(f"{name} is empty: expected the speaker of at least one clip")
    if values.dtype.kind not in "biufUOT":
        raise ValueError(f"{name} has dtype {values.dtype}: expected strings or numbers")
    if isinstance(speakers, (list, tuple)) or values.dtype.kind in "OT":
        # np.asarray turns numbers and NaN beside strings into strings, so check the original
        given = list(speakers) if isinstance(speakers, (list, tuple)) else values.tolist()
        if set(map(type, given)) != {str}:
            _refuse_missing([is_missing(value) for value in given], name)
            _refuse_mixed_kinds(given, name)
        values = np.array(given)
    if np.ma.isMaskedArray(speakers):
        _refuse_missing(np.ma.getmaskarray(speakers), name)
    if values.dtype.kind == "U":
        warn_of_nan_strings(values, name)
        return _sorted_names(values.tolist(), name)
    if values.dtype.kind == "f":
        _refuse_missing(np.isnan(values), name)
        if not np.isfinite(values).all():
            i = int(np.argmin(np.isfinite(values)))
            raise ValueError(f"{name}[{i}] is {values[i]}: expected a name or a finite number")
    names, codes = np.unique(values, return_inverse=True)
    return names, codes


def _sorted_names(values: list[str], name: str) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
    # normalise each spelling once, not each clip
    spellings = {value: normalize_name(value) for value in dict.fromkeys(values)}
    if any(is_missing(value) for value in spellings):
        _refuse_missing([is_missing(value) for value in values], name)
    names = sorted(set(spellings.values()))
    code_of_name = {value: code for code, value in enumerate(names)}
    code_of = {value: code_of_name[spelling] for value, spelling in spellings.items()}
    codes = np.fromiter(map(code_of.__getitem__, values), dtype=np.intp, count=len(values))
    return np.array(names), codes


def _refuse_missing(missing: Any, name: str) -> None:
    missing = np.asarray(missing, dtype=bool)
    if missing.any():
        raise ValueError(
            f"{name} has missing values at {missing.sum()} of {len(missing)} clips (the first at "
            f"position {missing.argmax()}): name each clip's speaker, or leave these clips out"
        )


def warn_of_nan_strings(values: npt.NDArray[Any], name: str) -> None:
    """Warn where numpy seems to have made strings of missing values.

    An array of strings and NaN has the dtype of the longest float, 32 characters, and the
    string "nan" in the place of NaN.
    """
    if values.dtype.str[1:] != "U32" or not len(values):
        return
    missing = values == "nan"
    if missing.any() and np.char.str_len(values).max() < 32:
        warnings.warn(
            f"{name} holds the string 'nan' at {missing.sum()} of {len(values)} clips (the first "
            f"at position {missing.argmax()}), as numpy makes it of NaN among strings; if these "
            "are missing values, leave these clips out",
            UserWarning,
            stacklevel=3,
        )


def is_missing(value: Any) -> bool:
    """Whether a label or the name of a speaker is missing: None, NaN, NaT, NA, an empty string.

    Examples
    --------
    >>> [is_missing(value) for value in (None, float("nan"), " ", "ann", 0)]
    [True, True, True, False, False]
    """
    if isinstance(value, str):
        return not value.strip()
    if value is None or value is np.ma.masked or type(value).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return bool(np.isnat(value))
    return isinstance(value, (float, np.floating)) and math.isnan(value)


def _refuse_mixed_kinds(values: list[Any], name: str) -> None:
    """Raise unless all values are strings or all are real numbers."""
    kinds = {str if issubclass(kind, str) else kind for kind in set(map(type, values))}
    if kinds - {str} and not all(issubclass(kind, numbers.Real) for kind in kinds):
        listed = ", ".join(sorted(kind.__name__ for kind in kinds))
        verb = "mixes" if len(kinds) > 1 else "holds"
        raise ValueError(f"{name} {verb} {listed}: expected only strings or only numbers")
