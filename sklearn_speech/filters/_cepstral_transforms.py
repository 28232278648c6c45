"""Cosine transform, lifter and derivatives of cepstral coefficients."""

from typing import Literal

import numpy as np
import scipy.fft
import scipy.signal


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
