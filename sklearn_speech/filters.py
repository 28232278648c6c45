"""Mel scales, mel filter banks, windows and cosine transforms, as NumPy arrays in float64.

The torch front ends of :mod:`sklearn_speech.modules` compute these arrays once and use them as
constants. This file does not import torch.
"""

import math
import warnings
from typing import Literal

import numpy as np
import scipy.fft
import scipy.signal
from numpy.typing import ArrayLike

__all__ = [
    "dct_matrix",
    "delta_kernel",
    "frame_sizes",
    "hz_to_mel",
    "lifter_weights",
    "mel_filterbank",
    "mel_frequencies",
    "mel_to_hz",
    "resampling_filter",
    "window_function",
]

#: The two common definitions of mel.
MelScale = Literal["htk", "slaney"]

# Slaney's Auditory Toolbox: linear below 1 kHz, above it 27 logarithmic steps per factor of 6.4.
_LINEAR_STEP = 200.0 / 3
_LOG_START = 1000.0
_LOG_STEP = math.log(6.4) / 27

#: Default analysis window and hop for speech, in seconds.
_WINDOW_SECONDS, _HOP_SECONDS = 0.025, 0.010


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


def _is_htk(mel_scale: str) -> bool:
    if mel_scale not in ("slaney", "htk"):
        raise ValueError(f"mel_scale={mel_scale!r}: expected 'slaney' or 'htk'")
    return mel_scale == "htk"


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


def mel_filterbank(
    sample_rate: float,
    n_fft: int,
    n_mels: int = 40,
    *,
    fmin: float = 0.0,
    fmax: float | None = None,
    mel_scale: MelScale = "slaney",
    norm: Literal["slaney"] | None = "slaney",
) -> np.ndarray:
    """Triangular mel filters over the bins of a real FFT.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    n_fft : int
        Length of the FFT, in samples.
    n_mels : int, default=40
        Number of bands.
    fmin : float, default=0.0
        Lower edge of the first band, in Hz.
    fmax : float, default=None
        Upper edge of the last band, in Hz; None is the Nyquist frequency.
    mel_scale : {"slaney", "htk"}, default="slaney"
        See :func:`hz_to_mel`.
    norm : {"slaney", None}, default="slaney"
        "slaney" gives every triangle the same area (its peak is 2 divided by its
        width in Hz); None gives every triangle the peak 1.

    Returns
    -------
    bank : ndarray of shape (n_mels, n_fft // 2 + 1)
        In float64.

    Raises
    ------
    ValueError
        Unless 0 <= `fmin` < `fmax` <= the Nyquist frequency.

    Warns
    -----
    UserWarning
        When bands are so narrow that they contain no FFT bin; these bands are always 0.

    Examples
    --------
    >>> mel_filterbank(8000, 256, n_mels=40).shape
    (40, 129)
    """
    top = check_band(sample_rate, fmin, fmax)
    if norm not in (None, "slaney"):
        raise ValueError(f"norm={norm!r}: expected None or 'slaney'")
    bank = _triangles(sample_rate, n_fft, n_mels, fmin, top, mel_scale)
    empty = np.flatnonzero(~bank.any(axis=1))
    if len(empty):
        warnings.warn(
            _explain_empty(empty, sample_rate, n_fft, n_mels, fmin, top, mel_scale),
            UserWarning,
            stacklevel=2,
        )
    if norm == "slaney":
        points = mel_frequencies(n_mels + 2, fmin, top, mel_scale)
        bank *= (2.0 / (points[2:] - points[:-2]))[:, np.newaxis]
    return bank


def check_band(sample_rate: float, fmin: float, fmax: float | None) -> float:
    """The upper edge of a band, or an error unless 0 <= fmin < fmax <= the Nyquist frequency."""
    nyquist = sample_rate / 2
    top = nyquist if fmax is None else fmax
    if top > nyquist:
        raise ValueError(
            f"fmax={fmax} Hz is above the Nyquist frequency {nyquist:g} Hz of "
            f"sample_rate={sample_rate}; use fmax <= {nyquist:g} or fmax=None"
        )
    if not 0 <= fmin < top:
        raise ValueError(f"fmin={fmin} Hz: expected at least 0 and less than fmax={top:g} Hz")
    return float(top)


def _triangles(
    sample_rate: float, n_fft: int, n_mels: int, fmin: float, fmax: float, mel_scale: MelScale
) -> np.ndarray:
    points = mel_frequencies(n_mels + 2, fmin, fmax, mel_scale)
    bins = np.fft.rfftfreq(n_fft, 1.0 / sample_rate)
    slopes = points[:, np.newaxis] - bins
    widths = np.diff(points)[:, np.newaxis]
    rising, falling = -slopes[:-2] / widths[:-1], slopes[2:] / widths[1:]
    return np.maximum(0.0, np.minimum(rising, falling))


def _explain_empty(
    empty: np.ndarray,
    sample_rate: float,
    n_fft: int,
    n_mels: int,
    fmin: float,
    fmax: float,
    mel_scale: MelScale,
) -> str:
    points = mel_frequencies(n_mels + 2, fmin, fmax, mel_scale)

    def filled(n_mels: int, n_fft: int) -> bool:
        bank = _triangles(sample_rate, n_fft, n_mels, fmin, fmax, mel_scale)
        return bool(bank.any(axis=1).all())

    fewer = next((n for n in range(n_mels - 1, 0, -1) if filled(n, n_fft)), None)
    longer = next((2**k for k in range(4, 17) if 2**k > n_fft and filled(n_mels, 2**k)), None)
    advice = [f"n_mels <= {fewer}" if fewer else "", f"n_fft >= {longer}" if longer else ""]
    return (
        f"n_mels={n_mels} leaves {len(empty)} band{'s' if len(empty) > 1 else ''} (number "
        f"{', '.join(str(i) for i in empty[:8])}{', ...' if len(empty) > 8 else ''}) without a "
        f"single FFT bin below {points[empty[-1] + 2]:.0f} Hz; use "
        + " or ".join(filter(None, advice))
    )


def window_function(
    window: str | float | tuple | ArrayLike, win_length: int, *, periodic: bool = True
) -> np.ndarray:
    """A window by any name that SciPy knows.

    Parameters
    ----------
    window : str, float, tuple or array-like of shape (win_length,)
        What :func:`scipy.signal.get_window` takes, such as "hann" or
        ("tukey", 0.25); or the samples of the window themselves.
    win_length : int
        In samples.
    periodic : bool, default=True
        True gives one period of a periodic function, as spectral analysis needs;
        False gives a symmetric window, as numpy.hamming does.

    Returns
    -------
    samples : ndarray of shape (win_length,)

    Raises
    ------
    ValueError
        When the window is unknown, or an array has another length.

    Examples
    --------
    >>> window_function("hann", 4).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    if isinstance(window, (list, np.ndarray)):
        samples = np.asarray(window, dtype=np.float64)
        if samples.shape != (win_length,):
            raise ValueError(
                f"window has shape {samples.shape}: expected ({win_length},), the win_length"
            )
        return samples
    try:
        return scipy.signal.get_window(window, win_length, fftbins=periodic)
    except ValueError as error:
        raise ValueError(
            f"window={window!r}: scipy.signal.get_window does not know it ({error})"
        ) from error


def dct_matrix(n_coefficients: int, n_inputs: int, dct_type: Literal[1, 2, 3] = 2) -> np.ndarray:
    """The orthonormal discrete cosine transform as a matrix.

    Parameters
    ----------
    n_coefficients : int
        Number of coefficients to keep, from the lowest on.
    n_inputs : int
        Length of the input of the transform.
    dct_type : {1, 2, 3}, default=2
        Type, as in :func:`scipy.fft.dct`.

    Returns
    -------
    matrix : ndarray of shape (n_coefficients, n_inputs)

    Raises
    ------
    ValueError
        When `n_coefficients` exceeds `n_inputs`.

    Examples
    --------
    >>> matrix = dct_matrix(3, 3)
    >>> bool(np.allclose(matrix @ matrix.T, np.eye(3)))
    True
    """
    if n_coefficients > n_inputs:
        raise ValueError(
            f"{n_coefficients} cepstral coefficients of {n_inputs} bands: expected at most "
            f"{n_inputs}"
        )
    full = scipy.fft.dct(np.eye(n_inputs), type=dct_type, axis=0, norm="ortho")
    return full[:n_coefficients]


def lifter_weights(n_coefficients: int, lifter: float) -> np.ndarray:
    """Sine weights that lift the higher cepstral coefficients.

    Parameters
    ----------
    n_coefficients : int
        Number of cepstral coefficients.
    lifter : float
        L in ``1 + L / 2 * sin(pi * n / L)``, with n from 1; 0 means no lifting.

    Returns
    -------
    weights : ndarray of shape (n_coefficients,)

    Examples
    --------
    >>> lifter_weights(2, 0).tolist()
    [1.0, 1.0]
    """
    if lifter == 0:
        return np.ones(n_coefficients)
    n = np.arange(1, n_coefficients + 1)
    return 1 + (lifter / 2) * np.sin(np.pi * n / lifter)


def delta_kernel(width: int, order: int) -> np.ndarray:
    """Taps whose correlation with a track estimates its derivative (Savitzky-Golay).

    Parameters
    ----------
    width : int
        Number of frames in the estimate, odd and at least 3.
    order : int
        1 for the first derivative, 2 for the second.

    Returns
    -------
    taps : ndarray of shape (width,)

    Examples
    --------
    >>> (delta_kernel(3, 1).round(6) + 0.0).tolist()
    [-0.5, 0.0, 0.5]
    """
    return scipy.signal.savgol_coeffs(width, polyorder=order, deriv=order, use="dot")


def frame_sizes(
    sample_rate: float,
    n_fft: int | None = None,
    win_length: int | None = None,
    hop_length: int | None = None,
) -> tuple[int, int, int]:
    """Choose the sizes of a spectral analysis that are None.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    n_fft : int, default=None
        Length of the FFT in samples. None is the smallest power of two that is not
        shorter than the window.
    win_length : int, default=None
        Length of the window in samples. None is `n_fft`, or 25 ms when that is None
        too.
    hop_length : int, default=None
        Step from one frame to the next, in samples. None is 10 ms.

    Returns
    -------
    n_fft, win_length, hop_length : int
        In samples.

    Raises
    ------
    ValueError
        When the window is longer than the FFT.

    Examples
    --------
    >>> frame_sizes(16000)
    (512, 400, 160)
    >>> frame_sizes(16000, n_fft=480)
    (480, 480, 160)
    """
    if win_length is None:
        win_length = n_fft or max(2, round(_WINDOW_SECONDS * sample_rate))
    if n_fft is None:
        n_fft = 1 << (int(win_length) - 1).bit_length()
    if win_length > n_fft:
        raise ValueError(f"win_length={win_length} is longer than n_fft={n_fft}")
    if hop_length is None:
        hop_length = max(1, round(_HOP_SECONDS * sample_rate))
    return int(n_fft), int(win_length), int(hop_length)


def resampling_filter(up, down):
    """Low-pass filter that changes the sampling rate by ``up / down``.

    A sinc under a Kaiser window. Frequencies up to 92 % of the lower Nyquist
    frequency pass; what would be folded or mirrored is 90 dB down.

    Parameters
    ----------
    up, down : int
        Without a common factor.

    Returns
    -------
    taps : ndarray of shape (2 * n + 1,)
        Symmetric, at `up` times the first rate; its sum is `up`. The window argument of
        :func:`scipy.signal.resample_poly`, times `up`. ``[1.0]`` where the rates are equal.

    Examples
    --------
    >>> float(resampling_filter(2, 1).sum().round(6))
    2.0
    """
    if up == down:
        return np.ones(1)
    slower = max(up, down)
    n_taps, beta = scipy.signal.kaiserord(90.0, 0.08 / slower)
    half = -(-n_taps // 2)
    taps = scipy.signal.firwin(2 * half + 1, 0.96 / slower, window=("kaiser", beta))
    return taps * up
