"""Misses against false alarms an hour."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ._axes import color_of, open_frame, single_axes

#: Where no false alarm was made, a curve begins at this share of the rate of a single one.
_BEFORE_FIRST = 0.5


class DetCurveByRateDisplay:
    """Detection error tradeoff with rates by time: misses against false alarms an hour.

    Both axes are logarithmic, so that a detector that is better by a factor lies lower by a
    distance. Where the curve knows its speakers, the band is the confidence interval of the
    mean miss rate over speakers at each threshold. All parameters are stored as attributes.

    Parameters
    ----------
    curves : Bunch or dict of str to Bunch
        What :func:`sklearn_speech.metrics.detection_curve` returned, for one detector or for
        several by name.
    confidence : float, default=0.95
        Level of the intervals.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One a curve.
    bands_ : list of matplotlib PolyCollection or None
        Intervals over speakers; None for a curve with fewer than two of them.
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that holds them.

    See Also
    --------
    sklearn.metrics.DetCurveDisplay : For classifiers of clips, where false alarms are a share.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_speech.inspection import DetCurveByRateDisplay
    >>> from sklearn_speech.metrics import detection_curve
    >>> true = [(0, "yes", 1.0, 1.5), (0, "no", 3.0, 3.4)]
    >>> found = [(0, "yes", 1.0, 1.5, 0.9), (0, "yes", 7.0, 7.5, 0.8), (0, "no", 3.0, 3.4, 0.7)]
    >>> display = DetCurveByRateDisplay(detection_curve(true, found, [1800.0])).plot()
    >>> len(display.lines_)
    1
    >>> plt.close(display.figure_)
    """

    def __init__(self, curves: Any, *, confidence: float = 0.95) -> None:
        self.curves = curves
        self.confidence = confidence

    def plot(
        self,
        ax: Any = None,
        *,
        rates: tuple[float, ...] = (1.0,),
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        rates : tuple of float, default=(1.0,)
            False alarms an hour at which a line is drawn, and whose misses the legend names.
        line_kw : dict, default=None
            Further keywords for :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : DetCurveByRateDisplay
            This display.

        Raises
        ------
        ValueError
            When there is no curve.
        """
        from ..metrics import miss_rate_at
        from ..metrics._detection_curve import check_curve

        curves = self.curves
        if not isinstance(curves, Mapping) or hasattr(curves, "miss_rate"):
            curves = {"": curves}
        if not curves:
            raise ValueError("curves is empty: expected what detection_curve returned")
        for curve in curves.values():
            check_curve(curve)
        ax = single_axes(self, ax, figsize=(5.6, 4.4))
        self.lines_, self.bands_ = [], []
        for i, (name, curve) in enumerate(curves.items()):
            least = _BEFORE_FIRST / curve.hours
            x = np.maximum(curve.false_alarms_per_hour, least)
            floor = _BEFORE_FIRST / curve.n_true
            misses = np.maximum(curve.miss_rate, floor)
            said = [
                f"{float(miss_rate_at(curve, rate)[0]):.1%} missed {_at(rate, curve.hours)}"
                for rate in rates
            ]
            drawing = {
                "color": color_of(i),
                "label": ": ".join(filter(None, [name, ", ".join(said)])),
                "drawstyle": "steps-post",
            }
            self.lines_ += ax.plot(x, misses, **(drawing | (line_kw or {})))
            self.bands_.append(self._draw_band(ax, curve, x, floor, color_of(i)))
        for rate in rates:
            ax.axvline(rate, color="#7F7F7F", linewidth=0.8, linestyle=":", zorder=0)
        ax.set(xscale="log", yscale="log", ylim=(None, 1.05))
        ax.set(xlabel="False alarms an hour", ylabel="Missed share of the words")
        from matplotlib.ticker import FuncFormatter, NullFormatter

        plain = FuncFormatter(lambda value, _: f"{value:g}")
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter(plain)
            axis.set_minor_formatter(NullFormatter())
        open_frame(ax)
        # within the axes, it would lie on the curve of a detector that misses much
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize="small", borderpad=0
        )
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _draw_band(self, ax: Any, curve: Any, x: Any, floor: float, color: str) -> Any:
        """Interval of the mean over speakers at each threshold."""
        by_speaker = curve.miss_rate_by_speaker
        if by_speaker is None:
            return None
        by_speaker = by_speaker[~np.isnan(by_speaker).any(axis=1)]
        if len(by_speaker) < 2:
            return None
        from ..model_selection._statistics import mean_interval

        low, high = np.array(
            [mean_interval(column, self.confidence, method="t") for column in by_speaker.T]
        ).T
        return ax.fill_between(
            x,
            np.clip(low, floor, 1),
            np.clip(high, floor, 1),
            step="post",
            color=color,
            alpha=0.2,
            linewidth=0,
        )


def _at(rate: float, hours: float) -> str:
    """A rate of false alarms in words.

    Examples
    --------
    >>> _at(1.0, 20.0), _at(1.0, 0.05)
    ('at 1 an hour', 'without a false alarm in 3 min')
    """
    if rate * hours >= 1:
        return f"at {rate:g} an hour"
    # too short to measure such a rate
    return f"without a false alarm in {60 * hours:.3g} min"
