"""Waveforms over time, one below the other."""

from typing import Any, Self

import numpy as np

from ._axes import color_of, open_frame, panel_axes
from ._inputs import find_parameter, one_waveform
from ._segments import check_segments, draw_segments


class WaveformDisplay:
    """One or several waveforms, stacked on shared axes.

    Use it to compare a waveform with its reconstruction; see :meth:`from_estimator`. All
    parameters are stored as attributes.

    Parameters
    ----------
    waveforms : ndarray of shape (n_times,), or list of such
        Waveforms with amplitudes in [-1, 1]; lengths may differ.
    sample_rate : int
        In Hz.
    names : list of str, default=None
        Titles of the waveforms.
    segments : list of (float, float, str), default=None
        Start and end in seconds, and label, of phones or words.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        One per waveform.
    segment_labels_ : list of matplotlib Text
        Labels of the segments, above the first panel.
    axes_ : ndarray of matplotlib Axes of shape (n_waveforms,)
        The panels, from top to bottom.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    SpectrogramDisplay : Levels over time and frequency.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn_speech.inspection import WaveformDisplay
    >>> tone = np.sin(2 * np.pi * 5 * np.arange(8000) / 8000)
    >>> display = WaveformDisplay([tone, tone / 2], sample_rate=8000, names=["loud", "soft"])
    >>> len(display.plot().lines_)
    2
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        waveforms: Any,
        *,
        sample_rate: float,
        names: list[str] | None = None,
        segments: Any = None,
    ) -> None:
        self.waveforms = waveforms
        self.sample_rate = sample_rate
        self.names = names
        self.segments = segments

    def plot(
        self,
        ax: Any = None,
        *,
        segment_color: Any = "#7F7F7F",
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the waveforms.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of such, default=None
            A single axes is divided into the panels; an array contains the panels.
            None makes a new figure.
        segment_color : color, default="#7F7F7F"
            Colour of the boundaries between segments.
        line_kw : dict, default=None
            Further keywords for :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : WaveformDisplay
            This display.

        Raises
        ------
        ValueError
            If a waveform is not 1-D, or there is not one name per waveform.
        """
        waveforms = _check_waveforms(self.waveforms)
        names = self.names
        if names is not None and len(names) != len(waveforms):
            raise ValueError(f"names has {len(names)} entries for {len(waveforms)} waveforms")
        segments = check_segments(self.segments)
        n_panels = len(waveforms)
        axes = panel_axes(
            self, ax, (n_panels, 1), (6.4, 0.8 + 1.3 * n_panels), sharex=True, sharey=True
        )[:, 0]
        peak = max(np.abs(waveform).max() for waveform in waveforms) or 1.0
        duration = max(len(waveform) for waveform in waveforms) / self.sample_rate
        self.lines_, self.segment_labels_ = [], []
        for i, (panel, waveform) in enumerate(zip(axes, waveforms)):
            drawing = {"color": color_of(i), "linewidth": 0.6} | (line_kw or {})
            times = np.arange(len(waveform)) / self.sample_rate
            self.lines_ += panel.plot(times, waveform, **drawing)
            panel.set_ylabel("Amplitude")
            open_frame(panel)
            panel.set_xlim(0, duration)
            panel.set_ylim(-1.05 * peak, 1.05 * peak)
            if names is not None:
                panel.set_title(names[i], loc="left", fontsize="medium")
            if panel is not axes[-1]:
                panel.tick_params(labelbottom=False)
        axes[-1].set_xlabel("Time (s)")
        for panel in axes:
            shown = segments if panel is axes[0] else [(a, b, "") for a, b, _ in segments]
            _, labels = draw_segments(panel, shown, color=segment_color)
            if panel is axes[0]:
                self.segment_labels_ = labels
        self.axes_ = axes
        self.ax_ = axes[0]
        self.figure_ = axes[0].figure
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        sample_rate: float | None = None,
        segments: Any = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw a clip and its reconstruction by a transformer.

        Parameters
        ----------
        estimator : fitted transformer or Pipeline
            Its ``inverse_transform`` returns waveforms.
        X : array-like of shape (n_times,) or (1, n_times)
            One clip, amplitude in [-1, 1].
        sample_rate : int, default=None
            In Hz. None means that of the estimator, or of a step of the pipeline.
        segments : list of (float, float, str), default=None
            Start and end in seconds, and label, of phones or words.
        ax : matplotlib Axes or array-like of such, default=None
            See :meth:`plot`.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : WaveformDisplay
            The drawn display.
        """
        waveform = one_waveform(X)
        if sample_rate is None:
            sample_rate = find_parameter(estimator, "sample_rate")
        rebuilt = estimator.inverse_transform(estimator.transform(waveform[np.newaxis]))
        display = cls(
            [waveform, np.asarray(rebuilt[0])],
            sample_rate=sample_rate,
            names=["Original", "Reconstructed"],
            segments=segments,
        )
        return display.plot(ax=ax, **plot_kw)


def _check_waveforms(waveforms):
    if isinstance(waveforms, np.ndarray) and waveforms.dtype != object:
        waveforms = np.atleast_2d(waveforms)
    waveforms = [np.asarray(waveform, dtype=float) for waveform in waveforms]
    if waveforms and all(waveform.ndim == 0 for waveform in waveforms):
        waveforms = [np.array(waveforms)]
    for i, waveform in enumerate(waveforms):
        if waveform.ndim != 1 or waveform.size == 0:
            raise ValueError(
                f"waveforms[{i}] has shape {waveform.shape}; expected (n_times,), one clip"
            )
    if not waveforms:
        raise ValueError("waveforms is empty; expected at least one clip")
    return waveforms
