"""Predicted against true numbers, one colour a speaker."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.metrics import PredictionErrorDisplay

from ._axes import GREY, color_of, marker_of, open_frame, panel_axes

#: With more speakers than this they have no legend, since colours and markers would repeat.
MAX_NAMED_SPEAKERS = 14


class SpeakerPredictionErrorDisplay:
    """Numbers that a regressor predicted for each speaker, against the true ones.

    Use :meth:`from_cv_results` to draw what :func:`cross_validate_by_speaker` returns, or
    :meth:`from_predictions`. Each number of a clip has a panel, which
    :class:`sklearn.metrics.PredictionErrorDisplay` draws; the clips of a speaker have one colour
    and marker, so that an error of a whole voice shows as a cloud off the line. All
    parameters are stored as attributes.

    Parameters
    ----------
    y_true : array-like of shape (n_clips,) or (n_clips, n_outputs)
        True numbers.
    y_pred : array-like of shape (n_clips,) or (n_clips, n_outputs)
        Predicted numbers.
    speakers : array-like of shape (n_clips,)
        Who speaks in each clip.
    target_names : str or list of str, default=None
        What the numbers are called, with their units, such as ``["pitch (Hz)"]``. None: "value",
        or "value 0", "value 1" and so on.

    Attributes
    ----------
    displays_ : list of sklearn.metrics.PredictionErrorDisplay
        One a panel.
    points_ : list of dict of str to matplotlib PathCollection
        For each panel the points of each speaker, by name.
    axes_ : ndarray of matplotlib Axes of shape (n_outputs,)
        The panels, from left to right.
    ax_ : matplotlib Axes
        The first panel.
    figure_ : matplotlib Figure
        Figure that holds the panels.

    See Also
    --------
    SpeakerScoresDisplay : One score a speaker.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_speech.inspection import SpeakerPredictionErrorDisplay
    >>> display = SpeakerPredictionErrorDisplay.from_predictions(
    ...     [110, 112, 205, 210], [120, 118, 200, 199], ["ann", "ann", "bob", "bob"],
    ...     target_names="pitch (Hz)",
    ... )
    >>> display.ax_.get_xlabel(), list(display.points_[0])
    ('Predicted pitch (Hz)', ['ann', 'bob'])
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        speakers: npt.ArrayLike,
        *,
        target_names: str | list[str] | None = None,
    ) -> None:
        self.y_true = y_true
        self.y_pred = y_pred
        self.speakers = speakers
        self.target_names = target_names

    def plot(
        self,
        ax: Any = None,
        *,
        kind: str = "actual_vs_predicted",
        scatter_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the points.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of such, default=None
            Where to draw: one axes is divided into the panels, an array holds them. None
            makes a new figure.
        kind : {"actual_vs_predicted", "residual_vs_predicted"}, default="actual_vs_predicted"
            What stands on the y axis: the true number, or how far it is above the
            predicted one.
        scatter_kw : dict, default=None
            Further keywords for :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        display : SpeakerPredictionErrorDisplay
            This display.

        Raises
        ------
        ValueError
            When numbers, speakers or names do not fit each other.
        """
        true, predicted, speakers, names = self._checked()
        unique = np.unique(speakers)
        named = len(unique) <= MAX_NAMED_SPEAKERS
        n_outputs = true.shape[1]
        size = (1.0 + 4.0 * n_outputs + (1.2 if named else 0), 4.2)
        axes = panel_axes(self, ax, (1, n_outputs), size)[0]
        self.displays_, self.points_ = [], []
        for j, (panel, name) in enumerate(zip(axes, names)):
            # scikit-learn draws the line and the axes of all clips, and its points of them unseen
            display = PredictionErrorDisplay(y_true=true[:, j], y_pred=predicted[:, j])
            display.plot(panel, kind=kind, scatter_kwargs={"alpha": 0}, line_kwargs={"color": GREY})
            heights = true[:, j] - (predicted[:, j] if kind == "residual_vs_predicted" else 0)
            points = {}
            for i, speaker in enumerate(unique):
                own = speakers == speaker
                drawing = {
                    "color": color_of(i),
                    # a colour comes back with another marker
                    "marker": marker_of(i + i // 7),
                    "s": 22,
                    "alpha": 0.75,
                    "edgecolors": "white",
                    "linewidths": 0.3,
                    "label": str(speaker),
                } | (scatter_kw or {})
                points[str(speaker)] = panel.scatter(predicted[own, j], heights[own], **drawing)
            self._finish(panel, name, kind)
            self.displays_.append(display)
            self.points_.append(points)
        if named:
            axes[-1].legend(
                loc="upper left", bbox_to_anchor=(1, 1), frameon=False, fontsize="small",
                title="Speaker",
            )  # fmt: skip
        self.axes_ = axes
        self.ax_ = axes[0]
        self.figure_ = axes[0].figure
        return self

    def _finish(self, panel, name, kind):
        from matplotlib.ticker import AutoLocator

        # scikit-learn puts five ticks at uneven numbers
        panel.xaxis.set_major_locator(AutoLocator())
        panel.yaxis.set_major_locator(AutoLocator())
        panel.set_xlabel(f"Predicted {name}")
        panel.set_ylabel(
            f"True {name}" if kind == "actual_vs_predicted" else f"True minus predicted {name}"
        )
        open_frame(panel)

    def _checked(self):
        true, predicted = (np.asarray(y, dtype=float) for y in (self.y_true, self.y_pred))
        speakers = np.asarray(self.speakers)
        if true.shape != predicted.shape or true.ndim not in (1, 2):
            raise ValueError(
                f"y_true has shape {true.shape} and y_pred {predicted.shape}: expected the same, "
                "(n_clips,) or (n_clips, n_outputs)"
            )
        if speakers.shape != (len(true),) or len(true) == 0:
            raise ValueError(
                f"speakers has shape {speakers.shape}: expected one a clip, ({len(true)},), and at "
                "least one clip"
            )
        true, predicted = (y.reshape(len(y), -1) for y in (true, predicted))
        n_outputs = true.shape[1]
        names = self.target_names
        if names is None:
            names = ["value"] if n_outputs == 1 else [f"value {j}" for j in range(n_outputs)]
        names = [names] if isinstance(names, str) else list(names)
        if len(names) != n_outputs:
            raise ValueError(f"target_names has {len(names)} names for {n_outputs} numbers a clip")
        return true, predicted, speakers, names

    @classmethod
    def from_predictions(
        cls,
        y_true: npt.ArrayLike,
        y_pred: npt.ArrayLike,
        speakers: npt.ArrayLike,
        *,
        target_names: str | list[str] | None = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw true and predicted numbers.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n_clips,) or (n_clips, n_outputs)
            Numbers.
        speakers : array-like of shape (n_clips,)
            Who speaks in each clip.
        target_names : str or list of str, default=None
            What the numbers are called.
        ax : matplotlib Axes or array-like of such, default=None
            See :meth:`plot`.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : SpeakerPredictionErrorDisplay
            The drawn display.
        """
        return cls(y_true, y_pred, speakers, target_names=target_names).plot(ax=ax, **plot_kw)

    @classmethod
    def from_cv_results(
        cls,
        results: Any,
        *,
        target_names: str | list[str] | None = None,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the out-of-fold predictions of a cross-validation by speaker.

        Parameters
        ----------
        results : SpeakerScores
            What :func:`cross_validate_by_speaker` returned for a regressor. Clips that no fold
            tested, or whose fold failed, are left out.
        target_names : str or list of str, default=None
            What the numbers are called.
        ax : matplotlib Axes or array-like of such, default=None
            See :meth:`plot`.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : SpeakerPredictionErrorDisplay
            The drawn display.

        Raises
        ------
        ValueError
            When the targets are no numbers, or no clip has a prediction.
        """
        from ..model_selection import SpeakerScores

        if not isinstance(results, SpeakerScores):
            raise TypeError(
                f"results is of type {type(results).__name__}: expected SpeakerScores, the result "
                "of cross_validate_by_speaker"
            )
        if results.y_true.dtype.kind not in "iuf":
            raise ValueError(
                f"the targets have dtype {results.y_true.dtype}: expected the numbers of a "
                "regressor (for classes, see ClassReportDisplay)"
            )
        answers = results.predictions
        tested = np.array([answer is not None for answer in answers])
        if not tested.any():
            raise ValueError("no fold has predictions to draw")
        return cls.from_predictions(
            results.y_true[tested],
            np.array(answers[tested].tolist()),
            results.speaker_of_clip[tested],
            target_names=target_names,
            ax=ax,
            **plot_kw,
        )
