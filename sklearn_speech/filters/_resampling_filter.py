"""The low-pass filter of a change of sampling rate."""

import numpy as np
import scipy.signal


def resampling_filter(up: int, down: int) -> np.ndarray:
    """Low-pass filter that changes the sampling rate by ``up / down``.

    A sinc under a Kaiser window. Frequencies up to 92 % of the lower Nyquist frequency
    pass; aliases and images are 90 dB down.

    Parameters
    ----------
    up, down : int
        Whole numbers without a common factor.

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
