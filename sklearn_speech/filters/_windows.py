"""Analysis windows, and the sizes of a spectral analysis."""

import numpy as np
import scipy.signal
from numpy.typing import ArrayLike

#: Default analysis window and hop for speech, in seconds.
_WINDOW_SECONDS, _HOP_SECONDS = 0.025, 0.010


def frame_sizes(
    sample_rate: float,
    n_fft: int | None = None,
    win_length: int | None = None,
    hop_length: int | None = None,
) -> tuple[int, int, int]:
    """Fill in the sizes of a spectral analysis that are None.

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
            f"window={window!r}: not a window that scipy.signal.get_window accepts ({error})"
        ) from error
