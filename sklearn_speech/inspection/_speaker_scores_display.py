"""Scores by speaker, with their mean and its confidence interval."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from ._axes import GREY, color_of, marker_of, open_frame, single_axes
from ._results import named_results

#: Names are left out for more speakers than this, because they would be too small to read.
MAX_NAMED_SPEAKERS = 40


class SpeakerScoresDisplay:
    """One dot per speaker, with the best speaker at the top, and the mean over speakers below.

    Use :meth:`from_cv_results` to draw the result of :func:`cross_validate_by_speaker`.
    All parameters are stored as attributes.

    Parameters
    ----------
    scores : array-like of shape (n_speakers,), or dict of str to such
        Scores of one pipeline, or of several by name. NaN where a fold failed or the metric
        has no value.
    speakers : array-like of shape (n_speakers,)
        Names.
    intervals : dict of str to (float, float), default=None
        Bounds of the confidence interval of the mean, by name (``""`` for a single pipeline).
        None computes them: by Student's t over speakers, or by the studentised bootstrap for 20
        or more speakers.
    confidence : float, default=0.95
        Level of the intervals.
    undefined : array-like of bool of shape (n_speakers,), default=None
        Speakers that the metric has no value for: they have no dot, their tick says so, and
        the mean leaves them out. None: all have one, and NaN leaves no mean.
    score_name : str, default="Score"
        Label of the x axis. :meth:`from_cv_results` uses the name of the metric.

    Attributes
    ----------
    points_ : dict of str to matplotlib Line2D
        Dots of the speakers, by name of the pipeline.
    errorbars_ : dict of str to matplotlib ErrorbarContainer
        Mean over speakers and its interval, by name of the pipeline.
    ax_ : matplotlib Axes
        Axes with the scores.
    figure_ : matplotlib Figure
        The figure.

    Notes
    -----
    The interval is over speakers, never over clips: clips of one speaker are similar, so an
    interval over clips would be far too narrow.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_speech.inspection import SpeakerScoresDisplay
    >>> display = SpeakerScoresDisplay([0.9, 0.7, 0.8], ["ann", "bob", "eve"]).plot()
    >>> [label.get_text() for label in display.ax_.get_yticklabels()]
    ['Mean, 95% CI', 'bob', 'eve', 'ann']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        scores: Any,
        speakers: Any,
        *,
        intervals: dict[str, tuple[float, float]] | None = None,
        confidence: float = 0.95,
        undefined: Any = None,
        score_name: str = "Score",
    ) -> None:
        self.scores = scores
        self.speakers = speakers
        self.intervals = intervals
        self.confidence = confidence
        self.undefined = undefined
        self.score_name = score_name

    def plot(
        self,
        ax: Any = None,
        *,
        chance: float | None = None,
        marker_kw: dict[str, Any] | None = None,
    ) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        chance : float, default=None
            Score at chance level, drawn as a dotted line.
        marker_kw : dict, default=None
            Further keywords for the dots, :meth:`matplotlib.axes.Axes.plot`.

        Returns
        -------
        display : SpeakerScoresDisplay
            This display.

        Raises
        ------
        ValueError
            If there is not one score per speaker.
        """
        speakers = np.asarray(self.speakers)
        scores = self._check_scores(len(speakers))
        undefined = np.zeros(len(speakers), dtype=bool)
        if self.undefined is not None:
            undefined = np.asarray(self.undefined, dtype=bool)
            if undefined.shape != speakers.shape:
                raise ValueError(
                    f"undefined has shape {undefined.shape}; expected one entry a speaker, "
                    f"{speakers.shape}"
                )
        table = np.array(list(scores.values()))
        # a speaker whose folds all failed has no mean and is placed at the bottom
        means = np.ma.masked_invalid(table).mean(axis=0).filled(-np.inf)
        order = np.argsort(means, kind="stable")
        rows = np.arange(1, len(speakers) + 1)
        named = len(speakers) <= MAX_NAMED_SPEAKERS
        height = 1.2 + (0.26 * (len(rows) + 0.3 + 0.7 * len(scores)) if named else 4.0)
        ax = single_axes(self, ax, figsize=(5.2, max(height, 2.2)))
        # means are listed below the speakers, in units of one row of names
        step = 1.0 if named else len(speakers) / 12
        mean_rows = 0.5 - step * (0.5 + 0.7 * np.arange(len(scores)))

        if len(scores) > 1 and named:
            sorted_table = np.ma.masked_invalid(table[:, order])
            low, high = (m.filled(np.nan) for m in (sorted_table.min(0), sorted_table.max(0)))
            ax.hlines(rows, low, high, colors=GREY, linewidths=0.8, zorder=1)
        self.points_, self.errorbars_ = {}, {}
        for i, (name, values) in enumerate(scores.items()):
            mean, low, high = self._mean_and_interval(name, values[~undefined])
            drawing = {
                "color": color_of(i),
                "marker": marker_of(i),
                "markersize": 7 if named else 4,
                "markeredgecolor": "white",
                "markeredgewidth": 0.5,
                "linestyle": "none",
            } | (marker_kw or {})
            (self.points_[name],) = ax.plot(values[order], rows, **drawing)
            self.errorbars_[name] = ax.errorbar(
                mean,
                mean_rows[i],
                xerr=[[mean - low], [high - mean]],
                color=color_of(i),
                marker=marker_of(i),
                markersize=7,
                markerfacecolor="white",
                markeredgewidth=1.5,
                capsize=4,
                label=f"{name or 'mean'}: "
                + _format_mean(mean, low, high, (~undefined).sum(), len(speakers)),
            )
        if chance is not None:
            ax.axvline(chance, color=GREY, linestyle=":", linewidth=1, zorder=0, label="chance")
        names = [
            f"{name} (undefined)" if none else str(name) for name, none in zip(speakers, undefined)
        ]
        self._finish(ax, [names[i] for i in order], rows, mean_rows, step)
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _finish(self, ax, speakers, rows, mean_rows, step):
        named = len(speakers) <= MAX_NAMED_SPEAKERS
        mean_row = mean_rows.mean()
        ax.axhline(0.5, color=GREY, linewidth=0.6)
        mean_label = f"Mean, {100 * self.confidence:g}% CI"
        if named:
            ax.set_yticks([mean_row, *rows], labels=[mean_label, *speakers])
        else:
            ax.set_yticks([mean_row], labels=[mean_label])
        ax.tick_params(axis="y", length=0)
        ax.set_ylim(mean_rows[-1] - 0.6 * step, rows[-1] + (0.7 if named else 0.2 * step))
        ax.set_xlabel(self.score_name)
        ax.set_ylabel("Speaker" if named else f"{len(speakers)} speakers, by score")
        if named:
            ax.grid(axis="y", color="#E5E5E5", linewidth=0.6)
            ax.set_axisbelow(True)
        open_frame(ax)
        ax.legend(
            loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize="small", borderpad=0
        )

    def _check_scores(self, n_speakers):
        scores = dict(self.scores) if isinstance(self.scores, Mapping) else {"": self.scores}
        scores = {name: np.asarray(values, dtype=float) for name, values in scores.items()}
        for name, values in scores.items():
            if values.shape != (n_speakers,):
                raise ValueError(
                    f"scores{f' of {name!r}' if name else ''} have shape {values.shape}; "
                    f"expected one per speaker, ({n_speakers},)"
                )
        if not scores or n_speakers == 0:
            raise ValueError("scores is empty; expected at least one pipeline and one speaker")
        return scores

    def _mean_and_interval(self, name, values):
        """Mean and bounds; NaN where a fold failed, since leaving its speakers out flatters."""
        from ..model_selection._score_ranges import score_range
        from ..model_selection._statistics import mean_interval, mean_of

        if self.intervals is not None:
            return (mean_of(values), *self.intervals[name])
        if len(values) < 2:
            return mean_of(values), np.nan, np.nan  # one speaker does not show how speakers differ
        within = score_range(self.score_name)
        return (mean_of(values), *mean_interval(values, self.confidence, within=within))

    @classmethod
    def from_cv_results(
        cls,
        results: Any,
        *,
        metric: str | None = None,
        confidence: float = 0.95,
        ax: Any = None,
        **plot_kw: Any,
    ) -> Self:
        """Draw the result of a cross-validation by speaker, or of several.

        Parameters
        ----------
        results : SpeakerScores, or dict of str to SpeakerScores
            Results of :func:`cross_validate_by_speaker`, for one pipeline or for several by
            name, on the same speakers.
        metric : str, default=None
            The metric to draw; None means the first.
        confidence : float, default=0.95
            Level of the intervals.
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a new figure.
        **plot_kw : dict
            Further keywords for :meth:`plot`.

        Returns
        -------
        display : SpeakerScoresDisplay
            The drawn display.

        Raises
        ------
        ValueError
            If the results have different speakers or metrics.
        """
        from ..model_selection import SpeakerScores
        from ..model_selection._metric_names import common_label
        from ..model_selection._score_ranges import score_range
        from ..model_selection._statistics import mean_interval

        results = named_results(results, SpeakerScores, "cross_validate_by_speaker")
        first = next(iter(results.values()))
        for name, result in results.items():
            if list(result.speakers) != list(first.speakers):
                raise ValueError(
                    f"result {name!r} is of speakers {list(result.speakers)}, "
                    f"the first of {list(first.speakers)}; expected the same"
                )
        scores = {name: result.speaker_scores(metric) for name, result in results.items()}
        undefined = np.any([result.undefined(metric) for result in results.values()], axis=0)
        label = common_label(
            result.labels[result.metrics[0] if metric is None else metric]
            for result in results.values()
        )
        intervals = {name: (np.nan, np.nan) for name in results}
        if (~undefined).sum() > 1:
            within = score_range(label)
            intervals = {
                name: mean_interval(values[~undefined], confidence, within=within)
                for name, values in scores.items()
            }
        display = cls(
            scores,
            first.speakers,
            intervals=intervals,
            confidence=confidence,
            undefined=undefined,
            score_name=label[:1].upper() + label[1:].replace("_", " "),
        )
        return display.plot(ax=ax, **plot_kw)


def _format_mean(mean, low, high, n_counted, n_speakers):
    if n_counted == 0:
        return "no mean, because the score of each speaker is undefined"
    if np.isnan(mean):
        return "no mean, because a speaker has no score"
    of_some = f" over {n_counted} of {n_speakers}" if n_counted < n_speakers else ""
    if np.isnan(low):
        return f"{mean:.3f}{of_some} (one speaker: no interval)"
    return f"{mean:.3f} [{low:.3f}, {high:.3f}]{of_some}"
