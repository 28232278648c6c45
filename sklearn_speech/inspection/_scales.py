"""Cell edges, mel axes and decibels."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..filters import hz_to_mel, mel_to_hz

#: Lowest level in dB relative to full scale; lower levels, such as silence, become this level.
FLOOR_DB = -120.0

#: Ticks of a mel axis in Hz; ticks beyond the axis are left out.
MEL_TICKS = (0, 250, 500, 1000, 2000, 4000, 8000, 16000, 22050)


def centers_to_edges(
    centers: npt.ArrayLike,
    *,
    width: float | None = None,
    low: float = -np.inf,
    high: float = np.inf,
) -> npt.NDArray[Any]:
    """Return the edges of cells, half-way between neighbouring centres.

    Parameters
    ----------
    centers : ndarray of shape (n_cells,)
        Ascending.
    width : float, default=None
        Width of the outermost cells; None makes them symmetric around their centres.
    low, high : float
        Limits to which edges are clipped.

    Returns
    -------
    edges : ndarray of shape (n_cells + 1,)

    Examples
    --------
    >>> import numpy as np
    >>> centers_to_edges(np.array([0.0, 1.0, 3.0]), low=0.0)
    array([0. , 0.5, 2. , 4. ])
    """
    centers = np.asarray(centers, dtype=float)
    middles = (centers[1:] + centers[:-1]) / 2
    if width is not None or len(centers) == 1:
        first = last = (1.0 if width is None else width) / 2
    else:
        first, last = middles[0] - centers[0], centers[-1] - middles[-1]
    edges = np.concatenate([[centers[0] - first], middles, [centers[-1] + last]])
    return np.clip(edges, low, high)


def mel_axis(ax: Any) -> None:
    """Scale a y axis in Hz by the mel scale 2595 log10(1 + f / 700)."""
    # matplotlib may add a margin below 0 Hz, where the mel scale is undefined
    ax.set_yscale(
        "function",
        functions=(
            lambda frequency: hz_to_mel(np.maximum(frequency, 0), "htk"),
            lambda mel: mel_to_hz(mel, "htk"),
        ),
    )
    ax.set_yticks(MEL_TICKS, labels=[str(tick) for tick in MEL_TICKS])
    ax.minorticks_off()


def power_to_decibels(power: npt.ArrayLike) -> npt.NDArray[Any]:
    """Convert power to decibels, with a floor for silence.

    Examples
    --------
    >>> import numpy as np
    >>> power_to_decibels(np.array([0.0, 0.01, 1.0]))
    array([-120.,  -20.,    0.])
    """
    return 10 * np.log10(np.maximum(power, 10 ** (FLOOR_DB / 10)))
