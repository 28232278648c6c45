"""Axes, colours and markers shared by all displays; functions import matplotlib themselves."""

from typing import Any

import numpy as np

#: Okabe and Ito's colours, which are distinguishable with every common kind of colour
#: blindness, without yellow, which is too light on white paper.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

#: One marker per series, so that series differ in black-and-white prints.
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

#: Colour of reference lines, connecting lines and boundaries behind the data.
GREY = "#7F7F7F"


def require_matplotlib(caller: str) -> None:
    """Raise an error that says what to install if matplotlib is missing.

    Parameters
    ----------
    caller : str
        Name of the method that draws.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{caller} needs matplotlib; install it with `pip install sklearn-speech[plot]`"
        ) from error


def single_axes(display: Any, ax: Any, figsize: tuple[float, float]) -> Any:
    """Return the axes to draw on: the given ones, or those of a new figure.

    Parameters
    ----------
    display : object
        The display that draws; the error for missing matplotlib names its class.
    ax : matplotlib Axes or None
        Axes given by the user.
    figsize : tuple of (float, float)
        Width and height in inches of a new figure.

    Returns
    -------
    ax : matplotlib Axes

    Raises
    ------
    TypeError
        When `ax` is no Axes.
    """
    require_matplotlib(f"{type(display).__name__}.plot")
    if ax is not None:
        _check_axes([ax])
        return ax
    import matplotlib.pyplot as plt

    _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax


def _check_axes(panels: list[Any]) -> None:
    for panel in panels:
        if not hasattr(panel, "plot"):
            raise TypeError(f"ax is or holds {panel!r:.80}: expected a matplotlib Axes or None")


def panel_axes(
    display: Any, ax: Any, shape: tuple[int, int], figsize: tuple[float, float], **subplots_kw: Any
) -> Any:
    """Return a grid of panels: in a new figure, in place of one axes, or as given.

    Parameters
    ----------
    display : object
        The display that draws.
    ax : matplotlib Axes, array-like of matplotlib Axes, or None
        A single axes is divided into the panels; an array contains the panels.
    shape : tuple of (int, int)
        Rows and columns of panels.
    figsize : tuple of (float, float)
        Width and height in inches of a new figure.
    **subplots_kw : dict
        ``sharex``, ``sharey``.

    Returns
    -------
    axes : ndarray of shape (n_rows, n_columns), dtype object

    Raises
    ------
    TypeError
        When something is no Axes.
    ValueError
        If an array has the wrong size, or axes to be divided are not on a grid.
    """
    name = type(display).__name__
    require_matplotlib(f"{name}.plot")
    if ax is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(
            *shape, figsize=figsize, layout="constrained", squeeze=False, **subplots_kw
        )
        return axes
    n_panels = shape[0] * shape[1]
    panels = np.asarray(ax, dtype=object)
    _check_axes(panels.ravel().tolist())
    if panels.ndim > 0:
        if panels.size != n_panels:
            raise ValueError(
                f"ax holds {panels.size} axes, but {name} draws {n_panels} panels "
                f"({shape[0]} x {shape[1]})"
            )
        return panels.reshape(shape)
    if n_panels == 1:
        return panels.reshape(1, 1)
    spec = ax.get_subplotspec()
    if spec is None:
        raise ValueError(
            f"ax is not on a grid, so {name} cannot divide it into {n_panels} panels; "
            "pass axes made by plt.subplots, or an array with one axes per panel"
        )
    ax.set_axis_off()
    return spec.subgridspec(*shape).subplots(squeeze=False, **subplots_kw)


def open_frame(ax: Any) -> None:
    """Remove the top and right spines of a line plot, which carry no ticks."""
    ax.spines[["top", "right"]].set_visible(False)


def color_of(index: int) -> str:
    """Return the colour of a series; colours repeat."""
    return PALETTE[index % len(PALETTE)]


def marker_of(index: int) -> str:
    """Return the marker of a series; markers repeat."""
    return MARKERS[index % len(MARKERS)]
