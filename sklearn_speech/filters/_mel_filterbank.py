"""Triangular mel filters over the bins of a real FFT."""

import warnings
from typing import Literal

import numpy as np

from ._mel_scale import MelScale, mel_frequencies


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
