"""Draw phones or words along a time axis: boundaries as lines, labels above the axes."""

import numbers
from typing import Any

#: Maximum number of rows of labels.
MAX_ROWS = 3


def check_segments(segments: Any) -> list[tuple[float, float, str]]:
    """Convert segments to a list of (start, end, label), or raise an error that names a wrong one.

    Parameters
    ----------
    segments : iterable of (float, float, object) or None
        Start and end in seconds, and a label.

    Returns
    -------
    segments : list of (float, float, str)
        Empty if None was given.

    Raises
    ------
    ValueError
        If an entry has other parts, or ends before it starts.

    Examples
    --------
    >>> check_segments([(0, 0.25, "sh"), (0.25, 0.5, "iy")])
    [(0.0, 0.25, 'sh'), (0.25, 0.5, 'iy')]
    """
    checked = []
    for i, segment in enumerate(() if segments is None else segments):
        try:
            start, end, label = segment
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"segments[{i}]={segment!r}: expected (start, end, label), times in seconds"
            ) from error
        if not all(isinstance(time, numbers.Real) for time in (start, end)) or end < start:
            raise ValueError(
                f"segments[{i}]={segment!r}: expected start <= end, two numbers of seconds"
            )
        checked.append((float(start), float(end), str(label)))
    return checked


def draw_segments(
    ax: Any,
    segments: list[tuple[float, float, str]],
    *,
    color: Any,
    label_fontsize: float | str = "x-small",
) -> tuple[Any, list[Any]]:
    """Draw boundaries on an axes whose x axis is time in seconds, and labels above it.

    The labels belong to a second x axis at the top, so that a title does not overlap them. A
    label that would touch its neighbour moves up one row; if three rows are not enough, it is
    left out.

    Parameters
    ----------
    ax : matplotlib Axes
        Its limits must be final.
    segments : list of (float, float, str)
        Result of :func:`check_segments`.
    color : color
        Colour of the boundaries, which are drawn over the data.
    label_fontsize : float or str, default="x-small"
        Size of the labels.

    Returns
    -------
    boundaries : matplotlib LineCollection or None
        One line per boundary within the axes; None without segments.
    labels : list of matplotlib Text
        The drawn labels, from left to right.
    """
    left, right = sorted(ax.get_xlim())
    shown = sorted(s for s in segments if s[1] > left and s[0] < right)
    if not shown:
        return None, []
    times = sorted({t for start, end, _ in shown for t in (start, end) if left < t < right})
    boundaries = ax.vlines(
        times, 0, 1, transform=ax.get_xaxis_transform(), colors=color, linewidths=0.5, alpha=0.8
    )
    centers, labels = _stack_labels(ax, shown, label_fontsize)
    top = ax.secondary_xaxis("top")
    top.set_xticks(centers, labels=labels, fontsize=label_fontsize)
    top.tick_params(axis="x", length=0, pad=2)
    for spine in top.spines.values():
        spine.set_visible(False)
    return boundaries, top.get_xticklabels()


def _stack_labels(ax, segments, fontsize):
    """Return centres, and labels raised by line breaks so that they do not overlap."""
    engine = ax.figure.get_figure(root=True).get_layout_engine()
    if engine is not None:
        engine.execute(ax.figure.get_figure(root=True))  # widths below are in final pixels
    left, right = sorted(ax.get_xlim())
    row_ends = [float("-inf")] * MAX_ROWS
    centers, labels = [], []
    for start, end, label in segments:
        center = (max(start, left) + min(end, right)) / 2
        text = ax.text(center, 0, label, fontsize=fontsize, ha="center")
        box = text.get_window_extent()
        text.remove()
        gap = 0.2 * box.height
        row = next((r for r, taken in enumerate(row_ends) if box.x0 > taken + gap), None)
        if row is not None:
            row_ends[row] = box.x1
            centers.append(center)
            labels.append(label + "\n" * row)
    return centers, labels
