"""Checks of values: clips hold real numbers, and what is computed from them is finite."""

import numbers
from collections.abc import Iterator, Set, ValuesView
from typing import Any

import numpy as np
import numpy.typing as npt

#: Samples of the longest clip or window: 1 GiB in float32.
MAX_SAMPLES = 2**28

#: What to do where results are not finite.
TOO_LARGE = "look for extreme values in X"
TOO_LOUD = f"{TOO_LARGE}; waveforms are expected in [-1, 1]"

#: Weights above this are scaled: their sum could be infinite.
_LARGE = 1e100

#: Larger ints are no floats.
_MAX_INT = int(np.finfo(np.float64).max)

#: Types that float() takes, or numpy converts, although they are no amplitudes.
_NO_AMPLITUDES = (bool, np.bool_, str, bytes, complex, np.complexfloating, np.datetime64)


def as_arrays(X: Any) -> Any:
    """Tensors of torch, alone or in a list, as arrays; anything else as it is.

    Parameters
    ----------
    X : object

    Returns
    -------
    X : object
        Tensors are detached from their gradients and moved to the CPU.

    Examples
    --------
    >>> import torch
    >>> as_arrays([torch.ones(2, requires_grad=True), 3])
    [array([1., 1.], dtype=float32), 3]
    """
    if isinstance(X, list) and any(map(_is_tensor, X)):
        return [as_arrays(clip) for clip in X]
    if not _is_tensor(X):
        return X
    try:
        X = X.detach().cpu()
        # numpy has no floats of 8 bits, nor bfloat16
        return (X.float() if X.is_floating_point() and X.element_size() < 4 else X).numpy()
    except (RuntimeError, TypeError) as error:  # sparse, nested, quantised, or without data
        raise TypeError(f"expected a dense tensor: {error}") from error


def _is_tensor(X: Any) -> bool:
    return type(X).__module__.partition(".")[0] == "torch" and hasattr(X, "detach")


def check_values(X: Any, name: str = "X") -> None:
    """Refuse values that numpy would turn into numbers although they are none.

    Parameters
    ----------
    X : array-like
        Clips in any container.
    name : str, default="X"
        What an error calls them.

    Raises
    ------
    ValueError
        When values are masked, bool, dates, complex numbers, records or strings.

    Examples
    --------
    >>> check_values([np.zeros(3), np.zeros(3, dtype=bool)])
    Traceback (most recent call last):
    ValueError: clip 1 of X has dtype bool: expected real numbers
    """
    check_container(X, name)
    check_mask(X, name)
    if hasattr(X, "iloc") and X.ndim == 2:
        for j, (column, dtype) in enumerate(X.dtypes.items()):
            _check_dtype(dtype, lambda j=j: X.iloc[:, j].tolist(), f"column {column!r} of {name}")
    elif isinstance(X, (list, tuple)) or (_is_object(_dtype(X)) and X.ndim == 1):
        _check_clips(X, name)
    elif _dtype(X) is not None:
        _check_dtype(X.dtype, lambda: np.asarray(X).ravel().tolist(), name)


def check_container(values: Any, name: str) -> None:
    """Refuse what has no order, can be read only once, or is a single value.

    Parameters
    ----------
    values : object
        One entry per clip.
    name : str
        What an error calls them.

    Raises
    ------
    TypeError
        For iterators, sets, dicts and their views, a single string, and single objects.

    Examples
    --------
    >>> check_container((clip for clip in [1, 2]), "X")
    Traceback (most recent call last):
    TypeError: X is of type generator: expected a list or an array with one entry per clip
    """
    if isinstance(values, (Iterator, Set, ValuesView, str, bytes)) or type(values) is dict:
        raise TypeError(
            f"{name} is of type {type(values).__name__}: expected a list or an array with one "
            "entry per clip"
        )


def _check_clips(X: Any, name: str) -> None:
    plain = all(isinstance(clip, (list, numbers.Real)) for clip in X)
    if plain and isinstance(X, list):  # as one array: much faster, and errors need no clip
        try:
            X = np.asarray(X)
        except ValueError:  # of unequal lengths
            plain = False
        else:
            _check_dtype(X.dtype, lambda: X.ravel().tolist(), name)
            return
    for i, clip in enumerate(X):
        if isinstance(clip, (list, tuple)):
            try:
                clip = np.asarray(clip)
            except ValueError:  # no array: reported where shapes are checked
                continue
        if _dtype(clip) is None:
            continue
        check_mask(clip, f"clip {i} of {name}", within=True)
        dtype = as_arrays(clip).dtype
        _check_dtype(
            dtype, lambda clip=clip: np.asarray(clip).ravel().tolist(), f"clip {i} of {name}"
        )
        if getattr(dtype, "kind", "") in ("U", "S", "T"):
            raise ValueError(f"clip {i} of {name} is not an array of numbers: dtype {dtype}")


def _dtype(X: Any) -> Any:
    return getattr(X, "dtype", None)


def _is_object(dtype: Any) -> bool:
    return getattr(dtype, "kind", "") == "O"


def check_mask(X: Any, name: str, within: bool = False) -> None:
    """Refuse an array with masked values; `within` tells that X is one clip."""
    if not np.ma.isMaskedArray(X) or not np.ma.is_masked(X):
        return
    mask = np.ma.getmaskarray(X)
    where = "" if within else f", the first in clip {np.argwhere(mask)[0, 0]}"
    raise ValueError(
        f"{name} is masked at {mask.sum()} of {mask.size} values{where}: fill them, or leave the "
        "clip out"
    )


def _check_dtype(dtype: Any, values: Any, name: str) -> None:
    kind = getattr(dtype, "kind", "")
    if kind == "c":
        raise ValueError(f"Complex data not supported: {name} has dtype {dtype}")
    if kind in ("b", "m", "M", "V"):
        raise ValueError(f"{name} has dtype {dtype}: expected real numbers")
    if kind == "O":
        entries = values()
        largest = max((abs(v) for v in entries if isinstance(v, int)), default=0)
        if largest > _MAX_INT:
            raise ValueError(f"{name} holds an int of {largest.bit_length()} bits: too large")
        for found in set(map(type, entries)):
            if issubclass(found, _NO_AMPLITUDES) or issubclass(found, np.timedelta64):
                raise ValueError(f"{name} holds {found.__name__}: expected real numbers")


def check_finite(clips: Any, what: str, advice: str, n_before: int = 0) -> None:
    """Refuse results that are NaN or infinite.

    Parameters
    ----------
    clips : ndarray of shape (n_clips, ...), or list or object ndarray of arrays
        Results, one per clip.
    what : str
        Begins the error, such as "the output of the network".
    advice : str
        Ends it.
    n_before : int, default=0
        Clips of X before the first one here.

    Raises
    ------
    ValueError
        Names the first clip whose result is not finite, and counts the others.

    Examples
    --------
    >>> check_finite([[1.0], [np.nan]], "the mean", "look for extreme values")
    Traceback (most recent call last):
    ValueError: the mean is NaN for clip 1 of X: look for extreme values
    """
    if getattr(_dtype(clips), "kind", "O") != "O" and np.isfinite(clips).all():
        return
    bad = [i for i, clip in enumerate(clips) if not np.isfinite(clip).all()]
    if bad:
        kind = "NaN" if np.isnan(clips[bad[0]]).any() else "infinite"
        more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
        raise ValueError(f"{what} is {kind} for clip {n_before + bad[0]} of X{more}: {advice}")


def check_weights(sample_weight: Any, n_clips: int) -> npt.NDArray[np.float64]:
    """Weights of clips, one per clip.

    Parameters
    ----------
    sample_weight : float or array-like of shape (n_clips,)
    n_clips : int

    Returns
    -------
    weight : ndarray of float64 of shape (n_clips,)
        As given, or in proportion to that where their sum would be infinite.

    Raises
    ------
    ValueError
        When a weight is negative or not finite, when all are 0, or when one is so much
        smaller than the others that it would be 0 in float32.

    Examples
    --------
    >>> check_weights([1e308, 5e307], 2)
    array([1. , 0.5])
    """
    check_container(sample_weight, "sample_weight")
    check_mask(sample_weight, "sample_weight")
    weight = np.asarray(sample_weight)
    if weight.dtype.kind not in "biufO":
        raise ValueError(f"sample_weight has dtype {weight.dtype}: expected real numbers")
    weight = weight.astype(np.float64)
    if weight.ndim == 0:
        weight = np.full(n_clips, float(weight))
    if weight.shape != (n_clips,):
        raise ValueError(
            f"sample_weight has shape {weight.shape}; expected ({n_clips},), one weight per clip"
        )
    if not (np.isfinite(weight) & (weight >= 0)).all():
        i = int(np.argmin(np.isfinite(weight) & (weight >= 0)))
        raise ValueError(
            f"sample_weight has negative values, NaN or infinity, the first at position {i}: "
            f"{weight[i]}"
        )
    largest = weight.max(initial=0)
    if largest == 0:
        raise ValueError("all values of sample_weight are zero: there is nothing to learn from")
    smallest = weight[weight > 0].min()
    if smallest / largest < np.finfo(np.float32).tiny:
        raise ValueError(
            f"sample_weight ranges from {smallest:g} to {largest:g}: float32 cannot represent "
            "both; expected weights that differ less"
        )
    return weight / largest if largest > _LARGE else weight


def samples_of(duration: float, sample_rate: float) -> int:
    """Return the number of samples of a clip or window, at least one.

    Parameters
    ----------
    duration : float
        In seconds.
    sample_rate : float
        In Hz.

    Raises
    ------
    ValueError
        When there would be more than :data:`MAX_SAMPLES`.

    Examples
    --------
    >>> samples_of(0.5, 16000)
    8000
    """
    if duration * sample_rate > MAX_SAMPLES:
        raise ValueError(
            f"duration={duration:g} s has {duration * sample_rate:.3g} samples at "
            f"{sample_rate:g} Hz: expected at most {MAX_SAMPLES / sample_rate:.0f} s, which fill "
            "1 GiB in float32"
        )
    return max(1, round(duration * sample_rate))
