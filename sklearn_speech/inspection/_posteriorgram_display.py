"""Phone posteriors over time, with the true segments."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..utils.parts import final_step
from ._axes import single_axes
from ._front_end import describe_front_end
from ._inputs import one_waveform
from ._results import refuse_without
from ._scales import centers_to_edges
from ._segments import check_segments, draw_segments


class PosteriorgramDisplay:
    """Probability of each phone in each frame, with outlines of the true segments.

    A phone is recognised correctly if the dark cells lie within the outline of its true
    segment. All parameters are stored as attributes.

    Parameters
    ----------
    posteriors : array-like of shape (n_frames, n_phones)
        Probabilities; each row sums to one.
    phones : list of str of length n_phones
        Names; the empty string is the blank of connectionist temporal classification.
    frame_period : float
        Seconds from one frame to the next.
    first_frame_time : float, default=0.0
        Seconds from the start of the clip to the middle of the first frame.
    segments : list of (float, float, str), default=None
        Start and end in seconds, and label, of the phones that were spoken.
    row_name : str, default="Phone"
        Label of the y axis, such as "Word" or "Event".

    Attributes
    ----------
    im_ : matplotlib QuadMesh
        The picture.
    colorbar_ : matplotlib Colorbar or None
        None with ``colorbar=False``.
    shown_phones_ : list of str
        Phones of the rows, from bottom to top.
    frames_ : matplotlib PatchCollection or None
        Outlines of the true segments; None without segments.
    segment_labels_ : list of matplotlib Text
        Labels of the segments that fit.
    ax_ : matplotlib Axes
        Axes with the posteriorgram.
    figure_ : matplotlib Figure
        The figure.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_speech.inspection import PosteriorgramDisplay
    >>> display = PosteriorgramDisplay(
    ...     [[0.8, 0.2, 0.0], [0.7, 0.2, 0.1], [0.1, 0.9, 0.0]],
    ...     ["iy", "sh", "z"],
    ...     frame_period=0.01,
    ... ).plot()
    >>> display.shown_phones_
    ['sh', 'iy']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        posteriors: npt.ArrayLike,
        phones: list[str],
        *,
        frame_period: float,
        first_frame_time: float = 0.0,
        segments: Any = None,
        row_name: str = "Phone",
    ) -> None:
        self.posteriors = posteriors
        self.phones = phones
        self.frame_period = frame_period
        self.first_frame_time = first_frame_time
        self.segments = segments
        self.row_name = row_name

    def plot(
        self,
        ax: Any = None,
        *,
        min_posterior: float = 0.2,
        order: str = "time",
        cmap: Any = "Blues",
        segment_color: Any = "#D55E00",
        colorbar: bool = True,
        im_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the posteriorgram.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        min_posterior : float, default=0.2
            A phone that never exceeds it, and was not spoken, has no row.
        order : {"time", "given"}, default="time"
            Order of the rows: "time" puts the phone that occurs first at the top, so that a
            good recognition descends from left to right; "given" keeps the order of `phones`.
        cmap : str or matplotlib Colormap, default="Blues"
            Colours from 0 to 1.
        segment_color : color, default="#D55E00"
            Colour of the outlines of the true segments.
        colorbar : bool, default=True
            Whether to draw a colour bar.
        im_kw : dict, default=None
            Further keywords for :meth:`matplotlib.axes.Axes.pcolormesh`.

        Returns
        -------
        display : PosteriorgramDisplay
            This display.

        Raises
        ------
        ValueError
            If `posteriors` is not 2-D, or `phones` has the wrong length.
        """
        posteriors = np.asarray(self.posteriors, dtype=float)
        if posteriors.ndim != 2 or posteriors.shape[1] != len(self.phones) or not posteriors.size:
            raise ValueError(
                f"posteriors of shape {posteriors.shape} with {len(self.phones)} phones; "
                "expected (n_frames, n_phones)"
            )
        if order not in ("time", "given"):
            raise ValueError(f"order={order!r}: expected 'time' or 'given'")
        segments = check_segments(self.segments)
        columns = self._choose_rows(posteriors, segments, min_posterior, order)
        self.shown_phones_ = [str(self.phones[c]) or "blank" for c in columns]

        ax = single_axes(self, ax, figsize=(6.4, 1.2 + 0.16 * max(len(columns), 8)))
        times = self.first_frame_time + self.frame_period * np.arange(len(posteriors))
        drawing = {"cmap": cmap, "vmin": 0, "vmax": 1, "rasterized": True} | (im_kw or {})
        self.im_ = ax.pcolormesh(
            centers_to_edges(times, width=self.frame_period),
            np.arange(len(columns) + 1) - 0.5,
            posteriors[:, columns].T,
            **drawing,
        )
        ax.set(xlabel="Time (s)", ylabel=self.row_name)
        ax.set_yticks(np.arange(len(columns)), labels=self.shown_phones_, fontsize="small")
        ax.tick_params(axis="y", length=0)
        self.colorbar_ = None
        if colorbar:
            self.colorbar_ = ax.figure.colorbar(
                self.im_, ax=ax, label="Posterior probability", pad=0.02
            )
        self.frames_ = self._draw_frames(ax, segments, segment_color)
        _, self.segment_labels_ = draw_segments(ax, segments, color="#D9D9D9")
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _choose_rows(self, posteriors, segments, min_posterior, order):
        """Return the columns of the posteriors to draw, from bottom to top."""
        spoken = {label for _, _, label in segments}
        shown = [
            c
            for c, phone in enumerate(self.phones)
            if posteriors[:, c].max() > min_posterior or str(phone) in spoken
        ] or [int(posteriors.max(axis=0).argmax())]
        if order == "given":
            return shown[::-1]
        starts = {label: start for start, _, label in sorted(segments, reverse=True)}
        period = self.frame_period

        def first_time(c: int) -> tuple[bool, float]:
            phone = str(self.phones[c])
            peak = self.first_frame_time + period * int(posteriors[:, c].argmax())
            return (phone == "", starts.get(phone, peak))

        return sorted(shown, key=first_time)[::-1]

    def _draw_frames(self, ax, segments, color):
        from matplotlib.collections import PatchCollection
        from matplotlib.patches import Rectangle

        row_of = {phone: row for row, phone in enumerate(self.shown_phones_)}
        boxes = [
            Rectangle((start, row_of[label] - 0.5), end - start, 1)
            for start, end, label in segments
            if label in row_of
        ]
        if not boxes:
            return None
        frames = PatchCollection(boxes, facecolor="none", edgecolor=color, linewidth=1.0, zorder=3)
        return ax.add_collection(frames, autolim=False)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        *,
        phones: list[str] | None = None,
        segments: Any = None,
        row_name: str = "Phone",
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the posteriors of a fitted phoneme recogniser for one clip.

        Parameters
        ----------
        estimator : fitted recogniser, or Pipeline that ends with one
            Its ``predict_log_proba`` returns one array of shape (n_frames, n_phones) per clip.
        X : array-like of shape (n_times,) or (1, n_times)
            One clip, amplitude in [-1, 1].
        phones : list of str, default=None
            Names of the columns; the empty string is the blank. None means ``phones_`` of the
            estimator, preceded by the blank if there is one more column than phones.
        segments : list of (float, float, str), default=None
            Start and end in seconds, and label, of the phones that were spoken.
        row_name : str, default="Phone"
            Label of the y axis, such as "Word".
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : PosteriorgramDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the estimator has no front end with a frame period.
        """
        refuse_without(estimator, "estimator", "predict_log_proba")
        waveform, recogniser = one_waveform(X), final_step(estimator)
        posteriors = np.exp(np.asarray(estimator.predict_log_proba(waveform[np.newaxis])[0]))
        if phones is None:
            phones = list(recogniser.phones_)
            phones = [""] * (posteriors.shape[1] - len(phones)) + phones
        axes = describe_front_end(estimator)
        if axes is None:
            raise ValueError(
                f"{type(estimator).__name__} has no front end with sample_rate and hop_length; "
                "use PosteriorgramDisplay(posteriors, phones, frame_period=...)"
            )
        # a network may subsample the frames
        network = getattr(recogniser, "module_", None)
        stride = getattr(getattr(network, "network", network), "time_stride", None)
        if stride is None:
            stride = max(1, round(len(waveform) / axes.hop_length / len(posteriors)))
        display = cls(
            posteriors,
            phones,
            frame_period=stride * axes.hop_length / axes.sample_rate,
            first_frame_time=axes.first_frame_time,
            segments=segments,
            row_name=row_name,
        )
        return display.plot(ax=ax, **plot_kw)
