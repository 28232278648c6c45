"""The two common mel scales, and frequencies equally spaced on them."""

import math
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

#: The two common definitions of mel.
MelScale = Literal["htk", "slaney"]

# Slaney's Auditory Toolbox: linear below 1 kHz, above it 27 logarithmic steps per factor of 6.4.
_LINEAR_STEP = 200.0 / 3
_LOG_START = 1000.0
_LOG_STEP = math.log(6.4) / 27


def hz_to_mel(frequencies: ArrayLike, mel_scale: MelScale = "slaney") -> np.ndarray:
    """Convert frequencies to mel.

    Parameters
    ----------
    frequencies : float or array-like
        In Hz, not negative.
    mel_scale : {"slaney", "htk"}, default="slaney"
        "htk" is 2595 log10(1 + f / 700); "slaney" is linear below 1 kHz
        (3 mel every 200 Hz) and logarithmic above, as in the Auditory Toolbox.

    Returns
    -------
    mels : ndarray of float64
        Same shape as `frequencies`.

    Examples
    --------
    >>> round(float(hz_to_mel(1000.0)), 6)
    15.0
    >>> round(float(hz_to_mel(1000.0, "htk")), 2)
    999.99
    """
    hz = np.asarray(frequencies, dtype=np.float64)
    if _is_htk(mel_scale):
        return 2595.0 * np.log10(1.0 + hz / 700.0)
    start = _LOG_START / _LINEAR_STEP
    above = start + np.log(np.maximum(hz, _LOG_START) / _LOG_START) / _LOG_STEP
    return np.where(hz >= _LOG_START, above, hz / _LINEAR_STEP)


def mel_to_hz(mels: ArrayLike, mel_scale: MelScale = "slaney") -> np.ndarray:
    """Convert mel to frequencies, the inverse of :func:`hz_to_mel`.

    Parameters
    ----------
    mels : float or array-like
        In mel.
    mel_scale : {"slaney", "htk"}, default="slaney"
        See :func:`hz_to_mel`.

    Returns
    -------
    frequencies : ndarray of float64
        In Hz, same shape as `mels`.

    Examples
    --------
    >>> round(float(mel_to_hz(15.0)), 6)
    1000.0
    """
    mel = np.asarray(mels, dtype=np.float64)
    if _is_htk(mel_scale):
        return 700.0 * (10.0 ** (mel / 2595.0) - 1.0)
    start = _LOG_START / _LINEAR_STEP
    above = _LOG_START * np.exp(_LOG_STEP * (np.maximum(mel, start) - start))
    return np.where(mel >= start, above, mel * _LINEAR_STEP)


def mel_frequencies(
    n_points: int, fmin: float, fmax: float, mel_scale: MelScale = "slaney"
) -> np.ndarray:
    """Frequencies equally spaced in mel, both ends included.

    Parameters
    ----------
    n_points : int
        Number of frequencies; a bank of `n_mels` triangles needs ``n_mels + 2``.
    fmin, fmax : float
        First and last frequency, in Hz.
    mel_scale : {"slaney", "htk"}, default="slaney"
        See :func:`hz_to_mel`.

    Returns
    -------
    frequencies : ndarray of shape (n_points,)
        In Hz.

    Examples
    --------
    >>> mel_frequencies(3, 0.0, 1000.0).round(3).tolist()
    [0.0, 500.0, 1000.0]
    """
    ends = hz_to_mel([fmin, fmax], mel_scale)
    return mel_to_hz(np.linspace(ends[0], ends[1], n_points), mel_scale)


def _is_htk(mel_scale: str) -> bool:
    if mel_scale not in ("slaney", "htk"):
        raise ValueError(f"mel_scale={mel_scale!r}: expected 'slaney' or 'htk'")
    return mel_scale == "htk"
