"""Scores on new speakers by the number of training speakers."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ._axes import GREY, color_of, marker_of, open_frame, single_axes
from ._results import named_results


class LearningCurveBySpeakerDisplay:
    """Mean score on held-out speakers by the number of training speakers, with intervals.

    Use :meth:`from_result` to draw the result of :func:`learning_curve_by_speaker`, or
    :meth:`from_estimator` to compute it too. All parameters are stored as attributes.

    Parameters
    ----------
    n_speakers : array-like of int of shape (n_sizes,)
        Numbers of training speakers.
    scores : array-like of shape (n_sizes, n_values), or dict of str to such
        For each number, one score per held-out speaker or per draw; of one pipeline, or of
        several by name. NaN means that a fit failed, and leaves a gap.
    intervals : dict of str to array-like of shape (n_sizes, 2), default=None
        Bounds of the shaded band, by name (``""`` for a single pipeline). None draws the
        confidence interval of the mean over speakers, by Student's t, or by the studentised
        bootstrap for 20 or more speakers.
    confidence : float, default=0.95
        Level of the confidence intervals.
    interval_name : str, default=None
        What the band is, for the legend. None names the confidence interval.
    score_name : str, default="Score"
        Label of the y axis. :meth:`from_result` uses the name of the metric.

    Attributes
    ----------
    lines_ : dict of str to matplotlib Line2D
        Mean scores, by name of the pipeline.
    bands_ : dict of str to matplotlib PolyCollection
        Intervals, by name of the pipeline; without those that are undefined.
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        The figure.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores by the number of training clips.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_speech.inspection import LearningCurveBySpeakerDisplay
    >>> scores = [[0.5, 0.7], [0.7, 0.8], [0.9, 0.8]]
    >>> display = LearningCurveBySpeakerDisplay([1, 2, 4], scores).plot()
    >>> [label.get_text() for label in display.ax_.get_xticklabels()]
    ['1', '2', '4']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        n_speakers: Any,
        scores: Any,
        *,
        intervals: dict[str, Any] | None = None,
        confidence: float = 0.95,
        interval_name: str | None = None,
        score_name: str = "Score",
    ) -> None:
        self.n_speakers = n_speakers
        self.scores = scores
        self.intervals = intervals
        self.confidence = confidence
        self.interval_name = interval_name
        self.score_name = score_name

    def plot(
        self,
        ax: Any = None,
        *,
        chance: float | None = None,
        line_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        chance : float, default=None
            Score at chance level, drawn as a dotted line.
        line_kw : dict, default=None
            Further keywords for the lines, :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : LearningCurveBySpeakerDisplay
            This display.

        Raises
        ------
        ValueError
            If there is not one row of scores for each number of training speakers.
        """
        sizes = np.asarray(self.n_speakers)
        scores = self._check_scores(len(sizes))
        ax = single_axes(self, ax, figsize=(5.6, 4.0))
        self.lines_, self.bands_ = {}, {}
        for i, (name, values) in enumerate(scores.items()):
            drawing = {
                "color": color_of(i),
                "marker": marker_of(i),
                "markersize": 6,
                "markeredgecolor": "white",
                "markeredgewidth": 0.5,
                "label": name or "mean",
            } | (line_kw or {})
            (self.lines_[name],) = ax.plot(sizes, values.mean(axis=1), **drawing)
            low, high = self._bounds(name, values).T
            if not np.isnan(low).all():
                self.bands_[name] = ax.fill_between(
                    sizes, low, high, color=color_of(i), alpha=0.18, linewidth=0
                )
        if chance is not None:
            ax.axhline(chance, color=GREY, linestyle=":", linewidth=1, zorder=0, label="chance")
        self._finish(ax, sizes)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _finish(self, ax, sizes):
        ax.set_xscale("log", base=2)
        ax.set_xticks(sizes, labels=[str(size) for size in sizes.tolist()])
        ax.minorticks_off()
        ax.set_xlabel("Training speakers")
        ax.set_ylabel(self.score_name)
        ax.grid(axis="y", color="#E5E5E5", linewidth=0.6)
        ax.set_axisbelow(True)
        open_frame(ax)
        title = None
        if self.bands_:
            title = self.interval_name or f"Mean over speakers, {100 * self.confidence:g}% CI"
        ax.legend(title=title, frameon=False, fontsize="small", title_fontsize="small")

    def _check_scores(self, n_sizes):
        scores = dict(self.scores) if isinstance(self.scores, Mapping) else {"": self.scores}
        scores = {name: np.asarray(values, dtype=float) for name, values in scores.items()}
        for name, values in scores.items():
            if values.ndim != 2 or len(values) != n_sizes:
                raise ValueError(
                    f"scores{f' of {name!r}' if name else ''} have shape {values.shape}; expected "
                    f"one row per number of training speakers, ({n_sizes}, n_values)"
                )
        if not scores or n_sizes == 0 or any(values.size == 0 for values in scores.values()):
            raise ValueError(
                "scores is empty; expected at least one pipeline, one number of training speakers "
                "and one held-out speaker"
            )
        return scores

    def _bounds(self, name, values):
        """Return bounds of the interval for each number of training speakers, or NaN."""
        if self.intervals is not None:
            return np.asarray(self.intervals[name], dtype=float)
        if values.shape[1] < 2:
            return np.full((len(values), 2), np.nan)  # no variation between speakers
        from ..model_selection._score_ranges import score_range
        from ..model_selection._statistics import mean_interval

        within = score_range(self.score_name)
        return np.array(
            [mean_interval(of_size, self.confidence, within=within) for of_size in values]
        )

    @classmethod
    def from_result(
        cls,
        results: Any,
        *,
        metric: str | None = None,
        over: str = "speakers",
        confidence: float = 0.95,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw a learning curve by speaker, or several.

        Parameters
        ----------
        results : SpeakerLearningCurve, or dict of str to SpeakerLearningCurve
            Results of :func:`learning_curve_by_speaker`, for one pipeline or for several by
            name, with the same numbers of training speakers. Speakers that the metric has no
            value for are left out.
        metric : str, default=None
            The metric to draw; None means the first.
        over : {"speakers", "draws"}, default="speakers"
            What the band shows: the confidence interval of the mean over held-out speakers, or
            the range of the draws of training speakers, from the worst to the best.
        confidence : float, default=0.95
            Level of the confidence intervals.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : LearningCurveBySpeakerDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the results have different numbers of training speakers or metrics, or `over` is
            neither "speakers" nor "draws".
        """
        from ..model_selection import SpeakerLearningCurve
        from ..model_selection._metric_names import common_label

        if over not in ("speakers", "draws"):
            raise ValueError(f"over={over!r}: expected 'speakers' or 'draws'")
        results = named_results(results, SpeakerLearningCurve, "learning_curve_by_speaker")
        first = next(iter(results.values()))
        for name, result in results.items():
            if list(result.n_speakers) != list(first.n_speakers):
                raise ValueError(
                    f"result {name!r} is of {list(map(int, result.n_speakers))} training speakers, "
                    f"the first of {list(map(int, first.n_speakers))}; expected the same"
                )
        for name, result in results.items():
            if metric is not None and metric not in result.metrics:
                raise ValueError(
                    f"metric={metric!r}: expected one of {result.metrics}, those of result {name!r}"
                )
        label = common_label(
            result.labels[result.metrics[0] if metric is None else metric]
            for result in results.values()
        )
        intervals = None
        if over == "draws":
            of_draws = {name: result.draw_scores(metric) for name, result in results.items()}
            intervals = {
                name: np.column_stack([values.min(axis=1), values.max(axis=1)])
                for name, values in of_draws.items()
            }
        display = cls(
            first.n_speakers,
            {
                name: result.speaker_scores(metric)[:, ~result.undefined(metric)]
                for name, result in results.items()
            },
            intervals=intervals,
            confidence=confidence,
            interval_name="Mean, range of draws" if over == "draws" else None,
            score_name=label[:1].upper() + label[1:].replace("_", " "),
        )
        return display.plot(ax=ax, **plot_kw)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any,
        speakers: Any,
        *,
        over: str = "speakers",
        confidence: float = 0.95,
        ax: Any = None,
        chance: float | None = None,
        line_kw: dict[str, Any] | None = None,
        **curve_kw: Any,
    ) -> Self:
        """Compute a learning curve by speaker and draw it.

        Parameters
        ----------
        estimator : estimator instance
            Cloned for each fit.
        X : array-like of shape (n_clips, ...)
            Input of the estimator.
        y : array-like of shape (n_clips,)
            Targets.
        speakers : array-like of shape (n_clips,)
            The speaker of each clip.
        over : {"speakers", "draws"}, default="speakers"
            What the band shows, as in :meth:`from_result`.
        confidence : float, default=0.95
            Level of the confidence intervals.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        chance, line_kw : float and dict, default=None
            As in :meth:`plot`.
        **curve_kw : dict
            Further keywords for :func:`learning_curve_by_speaker`, such as ``n_draws`` and
            ``random_state``.

        Returns
        -------
        display : LearningCurveBySpeakerDisplay
            The drawn display.
        """
        from ..model_selection import learning_curve_by_speaker

        curve = learning_curve_by_speaker(estimator, X, y, speakers, **curve_kw)
        return cls.from_result(
            curve, over=over, confidence=confidence, ax=ax, chance=chance, line_kw=line_kw
        )
