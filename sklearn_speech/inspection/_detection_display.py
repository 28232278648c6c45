"""Scores over time above the waveform, with the events that were found and the true ones."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..metrics._event_table import check_events
from ._axes import GREY, color_of, open_frame, panel_axes
from ._results import refuse_without


class DetectionDisplay:
    """What a detector heard in a recording: scores over time, events, waveform and truth.

    Above are the scores of the words, each in its colour, with a mark on each event; below is
    the waveform with the events that were found over it and the true ones under it. All
    parameters are stored as attributes.

    Parameters
    ----------
    waveform : array-like of shape (n_times,)
        Amplitudes in [-1, 1].
    scores : array-like of shape (n_windows, n_words)
        Score of each word in each window.
    times : array-like of shape (n_windows,)
        Middles of the windows in seconds.
    words : list of length n_words
        The columns of `scores`.
    events : EventTable, DataFrame or iterable of tuples
        Events that were found in this recording.
    sample_rate : float
        In Hz.
    truth : EventTable, DataFrame or iterable of tuples, default=None
        True events of this recording.
    threshold : float, default=None
        Drawn as a line.

    Attributes
    ----------
    score_lines_ : list of matplotlib Line2D
        One a word that is shown.
    shown_words_ : list
        Words whose scores rise above `min_score`, or that are among the events.
    event_spans_, truth_spans_ : list of matplotlib Rectangle
        One an event.
    axes_ : ndarray of matplotlib Axes of shape (2,)
        Scores and waveform.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        Figure that holds the panels.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn_speech.inspection import DetectionDisplay
    >>> display = DetectionDisplay(
    ...     np.sin(np.arange(8000) / 5),
    ...     [[0.1], [0.9], [0.2]],
    ...     [0.25, 0.5, 0.75],
    ...     ["yes"],
    ...     [(0, "yes", 0.4, 0.6, 0.9)],
    ...     sample_rate=8000,
    ...     truth=[(0, "yes", 0.41, 0.62)],
    ... ).plot()
    >>> len(display.event_spans_), display.shown_words_
    (1, ['yes'])
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        waveform: npt.ArrayLike,
        scores: npt.ArrayLike,
        times: npt.ArrayLike,
        words: list[Any],
        events: Any,
        *,
        sample_rate: float,
        truth: Any = None,
        threshold: float | None = None,
    ) -> None:
        self.waveform = waveform
        self.scores = scores
        self.times = times
        self.words = words
        self.events = events
        self.sample_rate = sample_rate
        self.truth = truth
        self.threshold = threshold

    def plot(
        self,
        ax: Any = None,
        *,
        start: float = 0.0,
        end: float | None = None,
        min_score: float = 0.2,
    ) -> Self:
        """Draw the recording, or a part of it.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of such, default=None
            Where to draw: one axes is divided into the two panels, an array holds them. None
            makes a new figure.
        start : float, default=0.0
            First second that is shown.
        end : float, default=None
            Last second that is shown; None is the end.
        min_score : float, default=0.2
            Words whose scores never get above it, and that are no event, are left out.

        Returns
        -------
        display : DetectionDisplay
            This display.

        Raises
        ------
        ValueError
            When shapes do not fit together, or nothing lies between `start` and `end`.
        """
        waveform = np.asarray(self.waveform)
        scores, times = np.asarray(self.scores, dtype=float), np.asarray(self.times, dtype=float)
        words = [str(word) for word in self.words]
        if waveform.ndim != 1 or waveform.size == 0:
            raise ValueError(f"waveform has shape {waveform.shape}: expected (n_times,)")
        if scores.shape != (len(times), len(words)):
            raise ValueError(
                f"scores have shape {scores.shape}: expected ({len(times)}, {len(words)}), one a "
                "window and word"
            )
        duration = len(waveform) / self.sample_rate
        end = duration if end is None else min(end, duration)
        if not start < end:
            raise ValueError(f"start={start} and end={end}: expected start < end, in seconds")
        events, truth = (
            [
                e
                for e in check_events([] if given is None else given, name)
                if start < e[3] and e[2] < end
            ]
            for given, name in ((self.events, "events"), (self.truth, "truth"))
        )
        panels = panel_axes(self, ax, (2, 1), (9.0, 4.6), sharex=True)[:, 0]
        near = (times >= start) & (times <= end)
        said = {str(event[1]) for event in [*events, *truth]}
        columns = [
            c
            for c, word in enumerate(words)
            if word in said or np.nan_to_num(scores[near, c]).max(initial=0.0) > min_score
        ]
        self.shown_words_ = [words[c] for c in columns]
        colors = {words[c]: color_of(i) for i, c in enumerate(columns)}
        self.score_lines_ = []
        for c in columns:
            self.score_lines_ += panels[0].plot(
                times[near], scores[near, c], color=colors[words[c]], linewidth=1.2
            )
        if self.threshold is not None:
            panels[0].axhline(self.threshold, color=GREY, linewidth=0.8, linestyle=":")
        for _, word, first, last, score in events:
            height = 1.0 if np.isnan(score) else score
            panels[0].plot(
                (first + last) / 2, height, "v", color=colors.get(str(word), GREY), markersize=6
            )
        panels[0].set(ylabel="Score", ylim=(0, 1.12))
        self._draw_waveform(panels[1], waveform, start, end)
        peak = float(np.abs(waveform[np.isfinite(waveform)]).max(initial=0.0)) or 1.0
        self.event_spans_ = self._draw_spans(panels[1], events, colors, 1.1 * peak, 1.45 * peak)
        self.truth_spans_ = self._draw_spans(panels[1], truth, colors, -1.45 * peak, -1.1 * peak)
        panels[1].set(xlim=(start, end), ylim=(-1.5 * peak, 1.5 * peak), xlabel="Time (s)")
        rows = [(1.27 * peak, "found")] + [(-1.27 * peak, "true")] * (self.truth is not None)
        panels[1].set_yticks([0.0, *(y for y, _ in rows)], labels=["0", *(n for _, n in rows)])
        panels[1].set_ylabel("Amplitude")
        for panel in panels:
            open_frame(panel)
        panels[0].tick_params(labelbottom=False)
        self.axes_ = panels
        self.ax_ = panels[0]
        self.figure_ = panels[0].figure
        return self

    def _draw_waveform(self, ax: Any, waveform: npt.NDArray[Any], start: float, end: float) -> None:
        first, stop = int(start * self.sample_rate), int(np.ceil(end * self.sample_rate))
        part = waveform[first:stop]
        n_bins = 4000
        if len(part) <= 2 * n_bins:
            ax.plot(
                start + np.arange(len(part)) / self.sample_rate, part, color=GREY, linewidth=0.5
            )
            return
        # lowest and highest sample of each pixel: millions of points draw slowly
        step = len(part) // n_bins
        blocks = part[: len(part) // step * step].reshape(-1, step)
        at = start + (np.arange(len(blocks)) + 0.5) * step / self.sample_rate
        ax.fill_between(at, blocks.min(axis=1), blocks.max(axis=1), color=GREY, linewidth=0)

    def _draw_spans(
        self, ax: Any, events: list[Any], colors: dict[str, str], low: float, high: float
    ) -> list[Any]:
        from matplotlib.patches import Rectangle

        spans = []
        for _, word, first, last, _ in events:
            color = colors.get(str(word), GREY)
            span = Rectangle((first, low), last - first, high - low, color=color, alpha=0.35)
            spans.append(ax.add_patch(span))
            ax.text(
                (first + last) / 2,
                (low + high) / 2,
                str(word),
                ha="center",
                va="center",
                fontsize="small",
                clip_on=True,
                parse_math=False,  # a word may hold dollar signs
            )
        return spans

    @classmethod
    def from_detector(
        cls,
        detector: Any,
        recording: Any,
        *,
        truth: Any = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Run a fitted detector over a recording and draw what it heard.

        Parameters
        ----------
        detector : SlidingWindow
            Fitted.
        recording : array-like of shape (n_times,)
            One waveform of the detector's rate, amplitude in [-1, 1].
        truth : EventTable, DataFrame or iterable of tuples, default=None
            True events of this recording.
        ax : matplotlib Axes or array-like of such, default=None
            Where to draw; None makes a new figure.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : DetectionDisplay
            The drawn display.
        """
        refuse_without(detector, "detector", "detect")
        (scores,) = detector.predict_proba([recording])
        classes = detector.classes_.tolist()
        columns = [classes.index(word) for word in detector.words_]
        threshold = detector.threshold
        display = cls(
            recording,
            scores[:, columns],
            detector.window_times(len(scores)),
            detector.words_,
            detector.detect([recording]),
            sample_rate=detector.sample_rate_,
            truth=truth,
            threshold=None if isinstance(threshold, dict) else threshold,
        )
        return display.plot(ax=ax, **plot_kw)
