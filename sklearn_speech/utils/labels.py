"""Check targets, and find unlabelled clips."""

import enum
import numbers
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from .speakers import is_missing, warn_of_nan_strings
from .text import normalize_name
from .validation import make_ragged
from .values import check_container, check_mask


def is_unlabelled(y: Any) -> npt.NDArray[np.bool_]:
    """Return which clips have the label -1.

    Parameters
    ----------
    y : array-like of shape (n_clips,)
        Labels. Strings may be mixed with the integer -1.

    Returns
    -------
    unlabelled : ndarray of bool of shape (n_clips,)

    Examples
    --------
    >>> import numpy as np
    >>> is_unlabelled(["no", -1, "yes"]).tolist(), is_unlabelled(np.array([0, -1])).tolist()
    ([False, True, False], [False, True])
    """
    if hasattr(y, "dtype"):
        y = np.asarray(y)
        if y.dtype.kind in "iuf":
            return np.asarray(y == -1).reshape(len(y), -1).all(axis=1).astype(bool)
        if y.dtype != object:
            return np.zeros(len(y), dtype=bool)
    return np.array([_is_minus_one(label) for label in y], dtype=bool)


def _is_minus_one(label: Any) -> bool:
    return isinstance(label, numbers.Real) and bool(label == -1)


def is_without_number(y: Any) -> npt.NDArray[np.bool_]:
    """Which clips have NaN for a number to predict, in each column where there are several.

    Parameters
    ----------
    y : array-like of shape (n_clips,) or (n_clips, n_outputs)

    Returns
    -------
    unlabelled : ndarray of bool of shape (n_clips,)

    Examples
    --------
    >>> is_without_number([[0.5, float("nan")], [float("nan"), float("nan")]]).tolist()
    [False, True]
    """
    y = as_targets(y)
    if y.dtype.kind not in "fO":
        return np.zeros(len(y), dtype=bool)
    if y.dtype == object and y.ndim == 1:
        return np.array([is_missing(number) and number is not None for number in y], dtype=bool)
    return np.asarray(y != y).reshape(len(y), -1).all(axis=1).astype(bool)


def as_targets(y: Any) -> npt.NDArray[Any]:
    """Convert targets or predictions to an array, of dtype object if they are sequences or mixed.

    Rows of as many numbers, and sparse matrices, become a matrix.

    Examples
    --------
    >>> as_targets(["no", -1, "yes"])
    array(['no', -1, 'yes'], dtype=object)
    >>> as_targets([[0, 1], [1, 1]]).shape, as_targets([["n", "ow"], ["g", "ow"]]).shape
    ((2, 2), (2,))
    """
    if issparse(y):
        return y.toarray()
    if isinstance(y, (list, tuple)) and len(y):
        y = unwrap_scalars(y)
        if isinstance(y[0], (list, tuple, np.ndarray)):
            return np.array(y) if _are_rows_of_numbers(y) else make_ragged(y)
        if len({isinstance(label, str) for label in y}) > 1:
            return make_ragged(y)  # numpy would convert the numbers to strings
    y = np.asarray(y)
    return y.astype(object) if y.dtype.kind == "T" else y


def unwrap_scalars(y: Any) -> Any:
    """Replace arrays and tensors without dimensions in a list, as loops over tensors give them.

    Examples
    --------
    >>> import numpy as np
    >>> unwrap_scalars([np.array(3), "no"])
    [3, 'no']
    """
    if not isinstance(y, (list, tuple)) or not any(map(_is_wrapped, y)):
        return y
    return [target.item() if _is_wrapped(target) else target for target in y]


def _is_wrapped(target: Any) -> bool:
    return getattr(target, "ndim", None) == 0 and not isinstance(target, np.generic)


def _are_rows_of_numbers(y: Sequence[Any]) -> bool:
    widths = {np.shape(row)[0] if isinstance(row, np.ndarray) and row.ndim == 1 else
              len(row) if isinstance(row, (list, tuple)) else 0 for row in y}  # fmt: skip
    if len(widths) != 1 or widths == {0}:
        return False
    return all(
        row.dtype.kind in "biuf"
        if isinstance(row, np.ndarray)
        else all(isinstance(number, (numbers.Real, np.bool_)) for number in row)
        for row in y
    )


def check_targets(
    y: Any, *, gaps: Callable[[Any], npt.NDArray[np.bool_]] | None = None
) -> npt.NDArray[Any]:
    """Convert targets to an array, of dtype object if they are sequences or of several kinds.

    Parameters
    ----------
    y : array-like of shape (n_clips,) or (n_clips, n_targets)
        Classes as strings or numbers, numbers to predict, an indicator matrix, or sequences
        such as lists of phones. Strings may be mixed with the integer -1, which means
        unlabelled where a pretrainer is set.
    gaps : callable, default=None
        Which clips may be without a target: takes `y`, returns an ndarray of bool.

    Returns
    -------
    y : ndarray of shape (n_clips, ...)

    Raises
    ------
    ValueError
        When targets are missing (None, NaN, masked), dates, complex numbers or objects of
        another class, such as members of an enumeration; when strings are mixed with numbers
        other than -1; or when two labels differ only in their Unicode form.

    Warns
    -----
    UserWarning
        When numpy seems to have made the string "nan" of missing labels.
    """
    if y is None:
        raise ValueError("y=None: expected one target per clip")
    check_container(y, "y")
    check_mask(y, "y")
    y = as_targets(y)
    if y.ndim == 0:
        raise ValueError(f"y is {y.item()!r:.80}: expected one target per clip")
    if y.dtype.kind in "mMcVS":
        known = "Complex data not supported: " if y.dtype.kind == "c" else ""
        raise ValueError(f"{known}y has dtype {y.dtype}: expected strings or numbers")
    missing = gaps(y) if gaps is not None else np.zeros(len(y), dtype=bool)
    if y.ndim == 1 and y.dtype.kind in "fO":
        _check_labels(y.tolist(), missing)
    elif y.ndim == 2 and y.dtype.kind == "f":
        holes = np.flatnonzero(np.isnan(y).any(axis=1) & ~missing)
        if len(holes):
            raise ValueError(
                f"y[{holes[0]}] is {y[holes[0]].tolist()!r:.80}: expected targets without NaN, or "
                "leave this clip out"
            )
    if y.ndim == 1 and y.dtype.kind in "UO":
        warn_of_nan_strings(y, "y")
        labels = y.tolist()
        if y.dtype == object:
            labels = [label for label in labels if isinstance(label, str)]
        _refuse_twins(labels)
    return _numbers_out_of_objects(y)


def _numbers_out_of_objects(y: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Numbers that stand in an array of objects, as tables of mixed columns give them."""
    if y.dtype != object or y.ndim != 1 or not len(y):
        return y
    labels = y.tolist()
    if not all(isinstance(label, (numbers.Real, np.bool_)) for label in labels):
        return y
    found = np.array(labels)
    if found.dtype == object:  # fractions, or numbers beyond 64 bits
        raise ValueError(
            f"y[0] is {labels[0]!r:.80}, of type {type(labels[0]).__name__}: expected strings or "
            "numbers of at most 64 bits, such as [float(number) for number in y]"
        )
    return found


def _refuse_twins(labels: list[str]) -> None:
    """Refuse two labels that look alike: they would be two classes."""
    seen: dict[str, str] = {}
    for label in dict.fromkeys(labels):
        twin = seen.setdefault(normalize_name(label), label)
        if twin != label:
            raise ValueError(
                f"y holds {twin!a} and {label!a}, which are {label!r} in two Unicode "
                "forms: bring all labels to one, such as unicodedata.normalize('NFC', label)"
            )


def spelled_as(y: npt.NDArray[Any], classes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Labels in the Unicode form that they have among the classes.

    Parameters
    ----------
    y, classes : ndarray of shape (n_clips,) and (n_classes,)

    Returns
    -------
    y : ndarray of shape (n_clips,)
        Labels that are not among the classes stay as they are.

    Examples
    --------
    >>> spelled_as(np.array(["Zoe\u0308"]), np.array(["Zo\u00eb"])).tolist()
    ['Zoë']
    """
    if y.dtype.kind not in "UO" or classes.dtype.kind not in "UO":
        return y
    spelling = {normalize_name(label): label for label in classes.tolist()}
    return as_targets([spelling.get(normalize_name(label), label) for label in y.tolist()])


#: What a target may be: a label, a number, or a sequence of them.
_TARGETS = (str, numbers.Real, np.bool_, list, tuple, np.ndarray)


def _advice(label: Any) -> str:
    if isinstance(label, enum.Enum):
        return "such as [label.name for label in y]"
    if isinstance(label, bytes):
        return "such as [label.decode() for label in y]"
    if isinstance(label, numbers.Number):
        return "such as [float(number) for number in y]"
    return "such as [str(label) for label in y]"


def _check_labels(labels: list[Any], missing: npt.NDArray[np.bool_]) -> None:
    for i, label in enumerate(labels):
        # an empty string is a sequence of phones or characters without any
        if is_missing(label) and not isinstance(label, str) and not missing[i]:
            raise ValueError(f"y[{i}] is {label!r}: expected a target, or leave this clip out")
        if not isinstance(label, _TARGETS):
            raise ValueError(
                f"y[{i}] is {label!r:.80}, of type {type(label).__name__}: expected strings or "
                f"numbers, {_advice(label)}"
            )
    strings = sum(isinstance(label, str) for label in labels)
    others = [
        (i, label)
        for i, label in enumerate(labels)
        if not isinstance(label, str) and not _is_minus_one(label)
    ]
    if strings and others:
        i, label = others[0]
        raise ValueError(
            f"y mixes strings with {type(label).__name__} (y[{i}] is {label!r:.80}): expected only "
            "strings or only numbers. Beside strings, the integer -1 marks a clip as unlabelled "
            "where a pretrainer is set"
        )
