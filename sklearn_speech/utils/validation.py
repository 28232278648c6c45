"""Check the input of estimators.

Waveforms and spectrograms are either one array, if all clips have the same size, or *ragged*: a
1-D object array with one array per clip. `check_waveforms` and `check_spectrograms` convert the
input to one of these two forms, or raise an error that names the wrong clip.
"""

import numbers
import warnings
from collections.abc import Iterable
from typing import Any, Literal, overload

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import validate_data

from .lazy_clips import LazyClips
from .rates import ClipsWithRate, check_rates
from .values import as_arrays, check_finite, check_values

__all__ = [
    "check_positive_int",
    "check_spectrograms",
    "check_waveforms",
    "is_ragged",
    "make_ragged",
]

#: Dtypes used for computation; other dtypes are converted to the first.
FLOATS = (np.float32, np.float64)

#: How to convert integer samples, as stored in sound files, to amplitudes.
_FULL_SCALE = {
    np.dtype(np.int16): "divide them by 32768",
    np.dtype(np.int8): "divide them by 128",
    np.dtype(np.uint8): "subtract 128 and divide them by 128",
}

#: Peak above which waveforms cause a warning, because they must be samples of 16 bits or more.
MAX_AMPLITUDE = 1000.0

#: Width above which a 2-D array of spectrograms causes a warning.
MAX_PLAUSIBLE_BANDS = 1024


def make_ragged(clips: Iterable[Any]) -> npt.NDArray[Any]:
    """Collect arrays in a 1-D object array, even if all have the same shape.

    Parameters
    ----------
    clips : iterable of ndarray
        One array per clip, of any shape.

    Returns
    -------
    ragged : ndarray of shape (n_clips,), dtype object

    Examples
    --------
    >>> import numpy as np
    >>> make_ragged([np.zeros(3), np.zeros(3)]).shape
    (2,)
    """
    clips = list(clips)
    ragged = np.empty(len(clips), dtype=object)
    for i, clip in enumerate(clips):
        ragged[i] = clip
    return ragged


def is_ragged(X: Any) -> bool:
    """Whether X is a collection of arrays, one per clip, rather than one array of numbers.

    A list of arrays of the same shape is *not* ragged: it is treated as one array, as in
    scikit-learn. A 1-D object array is always ragged.

    Parameters
    ----------
    X : object
        Any input of an estimator.

    Returns
    -------
    ragged : bool
    """
    if isinstance(X, LazyClips):
        return X.ragged
    if isinstance(X, np.ndarray):
        return X.dtype == object and X.ndim == 1 and any(map(_is_array, X))
    if hasattr(X, "iloc") and getattr(X, "ndim", 0) == 1:  # a pandas Series of arrays
        return any(map(_is_array, X))
    if isinstance(X, (list, tuple)) and any(map(_is_array, X)):
        if any(not _is_array(clip) for clip in X):
            return True  # the wrong clip is reported later
        return len({np.shape(clip) for clip in X}) > 1 if _rectangular(X) else True
    return False


def _is_array(clip):
    return isinstance(clip, (np.ndarray, list, tuple)) or hasattr(clip, "__array__")


def _rectangular(clips):
    try:
        for clip in clips:
            np.shape(clip)
    except ValueError:
        return False
    return True


def _refuse_strings(X, role):
    first = X
    while isinstance(first, (list, tuple)) or (isinstance(first, np.ndarray) and first.ndim):
        if not len(first):
            break
        first = first[0]
    if isinstance(first, (str, bytes)) or hasattr(first, "__fspath__"):
        raise ValueError(
            f"X holds strings ({str(first)!r} first) where {role} are expected. "
            "If they are paths of sound files, put AudioReader before this step."
        )


def _check_clip(clip, index, ndim, role, min_samples):
    """Return one clip of a ragged X as a float array, or raise an error that names the clip."""
    try:
        clip = np.asarray(as_arrays(clip))
        if clip.dtype not in FLOATS:
            if clip.dtype.kind not in "fiu":
                raise TypeError(f"dtype {clip.dtype}")
            clip = _single(clip)
    except (TypeError, ValueError) as error:
        raise ValueError(f"clip {index} of X is not an array of numbers: {error}") from error
    if clip.ndim != ndim:
        raise ValueError(
            f"clip {index} of X has shape {clip.shape}; {role} are {ndim}-D arrays, "
            + ("(n_times,)" if ndim == 1 else "(n_bands, n_frames)")
        )
    if clip.shape[-1] < min_samples or clip.size == 0:
        raise ValueError(
            f"clip {index} of X has shape {clip.shape}: at least {max(min_samples, 1)} "
            + ("sample" if ndim == 1 else "frame")
            + " is needed"
        )
    if not np.isfinite(clip).all():
        kind = "NaN" if np.isnan(clip).any() else "infinity"
        raise ValueError(f"clip {index} of X contains {kind}")
    return clip


def _check_ragged(X, ndim, role):
    clips = [_check_clip(clip, i, ndim, role, 1) for i, clip in enumerate(X)]
    # all clips get the same dtype: float64 only if all of them have it
    wide = [clip.dtype == np.float64 for clip in clips]
    if any(wide) and not all(wide):
        clips = [_single(clip) for clip in clips]
        check_finite(clips, "the value in float32", "its largest number is 3.4e38")
    return make_ragged(clips)


def _single(clip):
    with np.errstate(over="ignore"):  # infinity is refused where the clip has a name
        return clip.astype(np.float32, copy=False)


@overload
def check_waveforms(
    estimator: Any, X: Any, *, reset: bool, lazy: Literal[False] = False
) -> npt.NDArray[Any]: ...


@overload
def check_waveforms(estimator: Any, X: Any, *, reset: bool, lazy: Literal[True]) -> Any: ...


def check_waveforms(estimator: Any, X: Any, *, reset: bool, lazy: bool = False) -> Any:
    """Convert waveforms to one of the two forms that estimators use.

    Parameters
    ----------
    estimator : estimator instance
        If X is 2-D and `reset` is true, its ``n_features_in_`` is set to the width in samples;
        ragged clips may have any lengths.
    X : array-like of shape (n_clips, n_times), or 1-D object array or list of 1-D arrays
        Waveforms, amplitude in [-1, 1].
    reset : bool
        True in ``fit``. Otherwise False: a 2-D X must then have the fitted width.
    lazy : bool, default=False
        Whether clips that are too large for the memory may stay in the store.

    Returns
    -------
    X : ndarray of shape (n_clips, n_times), or object ndarray of shape (n_clips,), or LazyClips
        In float32, or float64 where that came in.

    Raises
    ------
    ValueError
        If a clip contains anything but real numbers (NaN, infinity, masked values, bool,
        dates, complex numbers, strings), is empty, or has the wrong number of dimensions; for
        ragged clips, the message names the clip. Also if clips contain integer samples of 8 or
        16 bits, or come from AudioReader with another sample rate than that of the estimator.

    Warns
    -----
    UserWarning
        When amplitudes are so large that they must have another scale.
    """
    if isinstance(X, LazyClips):
        if lazy and not X.fill().fits:
            check_waveforms(estimator, X.load(slice(0, 1)), reset=reset)
            return X
        X = X.in_memory(type(estimator).__name__)
    check_rates(estimator, X, reset=reset)
    if not reset and (_fits_as_it_is(estimator, X, (2,), MAX_AMPLITUDE) or _all_waveforms(X)):
        return np.asarray(X)
    X = as_arrays(X)
    if is_ragged(X):
        _refuse_strings(X[0] if not hasattr(X, "iloc") else X.iloc[0], "waveforms")
        check_values(X)
        _refuse_whole_samples(X)
        X = _check_ragged(X, 1, "waveforms")
        if reset and hasattr(estimator, "n_features_in_"):
            del estimator.n_features_in_
        _warn_of_scale(max(np.abs(clip).max() for clip in X))
        return X
    if not hasattr(X, "iloc"):
        _refuse_strings(X, "waveforms")
    check_values(X)
    _refuse_whole_samples(X)
    X = validate_data(estimator, X, dtype=list(FLOATS), reset=reset)
    _warn_of_scale(max(X.max(), -X.min()))
    return X


def _fits_as_it_is(estimator, X, dims, peak=np.inf):
    """Whether all checks would return X unchanged; they take longer than a short clip does."""
    if not (
        type(X) in (np.ndarray, ClipsWithRate)
        and X.dtype in FLOATS
        and X.ndim in dims
        and X.size > 0
        and X.shape[1] == getattr(estimator, "n_features_in_", None)
        and not hasattr(estimator, "feature_names_in_")
    ):
        return False
    return _within(X, peak)


def _within(X, peak):
    """Whether all values are finite and none is above the peak."""
    low, high = X.min(), X.max()  # NaN if any value is
    return bool(-peak <= low and high <= peak and np.isfinite(low) and np.isfinite(high))


def _all_waveforms(X):
    """Whether X is ragged, and all checks would leave its waveforms unchanged."""
    if not (type(X) in (np.ndarray, ClipsWithRate) and X.dtype == object and X.ndim == 1):
        return False
    dtype = getattr(X[0], "dtype", None) if len(X) else None
    return dtype in FLOATS and all(
        type(clip) is np.ndarray
        and clip.dtype == dtype
        and clip.ndim == 1
        and clip.size > 0
        and _within(clip, MAX_AMPLITUDE)
        for clip in X
    )


def _refuse_whole_samples(X):
    if hasattr(X, "iloc") and X.ndim == 2:
        dtypes = {f"column {name!r} of X": dtype for name, dtype in X.dtypes.items()}
    elif is_ragged(X) or isinstance(X, (list, tuple)):
        dtypes = {f"clip {i} of X": getattr(clip, "dtype", None) for i, clip in enumerate(X)}
    else:
        dtypes = {"X": getattr(X, "dtype", None)}
    for name, dtype in dtypes.items():
        if (native := _native(dtype)) in _FULL_SCALE:
            raise ValueError(
                f"{name} holds samples of dtype {dtype}, as sound files do; waveforms are "
                f"amplitudes in [-1, 1]: {_FULL_SCALE[native]}"
            )


def _native(dtype):
    """Return the dtype in native byte order."""
    return dtype.newbyteorder("=") if isinstance(dtype, np.dtype) else dtype


def _warn_of_scale(peak):
    if peak > MAX_AMPLITUDE:
        warnings.warn(
            f"X has amplitudes up to {peak:g}; waveforms are expected in [-1, 1]: divide samples "
            "of 16 bits by 32768, of 32 bits by 2147483648",
            UserWarning,
            stacklevel=4,
        )


@overload
def check_spectrograms(
    estimator: Any, X: Any, *, reset: bool, lazy: Literal[False] = False
) -> npt.NDArray[Any]: ...


@overload
def check_spectrograms(estimator: Any, X: Any, *, reset: bool, lazy: Literal[True]) -> Any: ...


def check_spectrograms(estimator: Any, X: Any, *, reset: bool, lazy: bool = False) -> Any:
    """Convert spectrograms to one of the two forms that estimators use.

    Parameters
    ----------
    estimator : estimator instance
        If `reset` is true, its ``n_features_in_`` is set to the number of bands.
    X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
            or 1-D object array or list of (n_bands, n_frames) arrays
        Spectrograms. A 2-D array is treated as clips of one frame.
    reset : bool
        True in ``fit``. Otherwise False: the number of bands must then be the fitted one. Clips
        may have any number of frames.
    lazy : bool, default=False
        Whether clips that are too large for the memory may stay in the store.

    Returns
    -------
    X : ndarray of shape (n_clips, n_bands, n_frames), or object ndarray of shape (n_clips,), \
            or LazyClips
        In float32, or float64 where that came in.

    Raises
    ------
    ValueError
        If a clip contains anything but real numbers (NaN, infinity, masked values, bool,
        dates, complex numbers, strings), has no frames, or has another number of bands than in
        ``fit``; the message names the clip. Also if clips come from AudioReader with another
        sample rate than that of the estimator.

    Warns
    -----
    UserWarning
        When a 2-D X is wider than 1,024, because it probably contains waveforms.
    """
    if isinstance(X, LazyClips):
        if lazy and X.ndim != 2 and not X.fill().fits:
            check_spectrograms(estimator, X.load(slice(0, 1)), reset=reset)
            return X
        X = X.in_memory(type(estimator).__name__)
    check_rates(estimator, X, reset=reset)
    if not reset and _fits_as_it_is(estimator, X, (2, 3)):
        X = np.asarray(X)
        return X[:, :, np.newaxis] if X.ndim == 2 else X
    X = as_arrays(X)
    if is_ragged(X):
        check_values(X)
        X = _check_ragged(X, 2, "spectrograms")
        bands = {len(clip) for clip in X}
        expected = len(X[0]) if reset else getattr(estimator, "n_features_in_", len(X[0]))
        for i, clip in enumerate(X):
            if len(clip) != expected:
                raise ValueError(
                    f"clip {i} of X has {len(clip)} bands, but {type(estimator).__name__} "
                    f"{'got' if reset else 'was fitted with'} {expected} "
                    f"(numbers of bands in X: {sorted(bands)})"
                )
        if reset:
            estimator.n_features_in_ = expected
        return X
    if not hasattr(X, "iloc"):
        _refuse_strings(X, "spectrograms")
    check_values(X)
    X = validate_data(estimator, X, dtype=list(FLOATS), allow_nd=True, reset=reset)
    if X.ndim > 3:
        raise ValueError(
            f"Found array with dim {X.ndim}: spectrograms are (n_clips, n_bands, n_frames)"
        )
    if X.ndim == 2:
        if reset and X.shape[1] > MAX_PLAUSIBLE_BANDS:
            warnings.warn(
                f"X has {X.shape[1]} columns, read as the frequency bands of one frame per clip; "
                "if these are waveforms, put MelSpectrogram before this step or set frontend=",
                UserWarning,
                stacklevel=3,
            )
        X = X[:, :, np.newaxis]
    if X.shape[1] == 0:
        raise ValueError(f"X has shape {X.shape}: at least 1 band is needed")
    if X.shape[2] == 0:
        raise ValueError(f"X has shape {X.shape}: at least 1 frame is needed")
    return X


def check_positive_int(name: str, value: Any) -> int:
    """Return an int; raise ValueError unless the parameter is a whole number of at least 1."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 1:
        raise ValueError(f"{name}={value!r}: expected a whole number of at least 1")
    return int(value)
