"""Result of learning_curve_by_speaker."""

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.tables import html_table, text_table
from ._json import read_json, write_json
from ._score_ranges import score_range
from ._speaker_scores import SpeakerScores
from ._statistics import MIN_BOOTSTRAP, mean_interval, mean_of


class SpeakerLearningCurve:
    """Scores on held-out speakers for increasing numbers of training speakers.

    Returned by :func:`learning_curve_by_speaker`. Means and intervals are over held-out speakers,
    as in :class:`SpeakerScores`; how much depends on the choice of training speakers is
    in :meth:`draw_scores`.

    Parameters
    ----------
    n_speakers : ndarray of int of shape (n_sizes,)
        Numbers of training speakers, ascending.
    scores : list of SpeakerScores
        One for each number of training speakers. Their folds are all draws of the first split of
        the cross-validation, then all draws of the second, and so on; they have no probabilities.
    n_draws : int
        Draws of training speakers for each split and number.
    clips_per_speaker : int or None
        Largest number of labelled training clips of each speaker; None means all.
    draws : list of list of ndarray of shape (n_speakers[-1],)
        For each split and draw, the training speakers in the order in which they are added.

    Attributes
    ----------
    n_speakers, scores, n_draws, clips_per_speaker, draws
        As given.
    n_clips : ndarray of shape (n_sizes,)
        Mean number of training clips.
    metrics : list of str
        Names of the metrics; ``["score"]`` where there is one.
    labels : dict of str to str
        Names of the metrics in tables and on axes, such as "accuracy".
    speakers : ndarray of shape (n_held_out,)
        Speakers that were held out, sorted.
    """

    def __init__(
        self,
        n_speakers: npt.NDArray[Any],
        scores: list[SpeakerScores],
        *,
        n_draws: int,
        clips_per_speaker: int | None,
        draws: list[list[npt.NDArray[Any]]],
    ) -> None:
        self.n_speakers = n_speakers
        self.scores = scores
        self.n_draws = n_draws
        self.clips_per_speaker = clips_per_speaker
        self.draws = draws
        self.n_clips = np.array(
            [np.mean([len(train) for train in of_size["indices"]["train"]]) for of_size in scores]
        )
        self.metrics = scores[0].metrics
        self.labels = scores[0].labels
        self.speakers = scores[0].speakers

    def speaker_scores(self, metric: str | None = None) -> npt.NDArray[Any]:
        """Return the score of each held-out speaker for each number of training speakers.

        Parameters
        ----------
        metric : str or None, default=None
            One of `metrics`; None means the first.

        Returns
        -------
        scores : ndarray of shape (n_sizes, n_held_out)
            Means over draws, and over splits that hold the speaker out. A score is NaN if a fit
            failed or the metric is undefined for a single speaker.
        """
        return np.array([of_size.speaker_scores(metric) for of_size in self.scores])

    def draw_scores(self, metric: str | None = None) -> npt.NDArray[Any]:
        """Return the mean over held-out speakers of each draw.

        The first draw of one split has nothing in common with the first draw of another, so with
        several splits these means vary less than those of a single split do.

        Parameters
        ----------
        metric : str or None, default=None
            One of `metrics`; None means the first.

        Returns
        -------
        scores : ndarray of shape (n_sizes, n_draws)
        """
        counted = ~self.undefined(metric)
        draws = [slice(draw, None, self.n_draws) for draw in range(self.n_draws)]
        return np.array(
            [
                [mean_of(of_size.speaker_scores(metric, folds=some)[counted]) for some in draws]
                for of_size in self.scores
            ]
        )

    def undefined(self, metric: str | None = None) -> npt.NDArray[np.bool_]:
        """Return which held-out speakers a metric has no value for, though no fit failed.

        Means and intervals leave them out; see :meth:`SpeakerScores.undefined`.

        Parameters
        ----------
        metric : str or None, default=None
            One of `metrics`; None means the first.

        Returns
        -------
        undefined : ndarray of bool of shape (n_held_out,)
        """
        return np.logical_or.reduce([of_size.undefined(metric) for of_size in self.scores])

    def _counted(self, metric):
        return self.speaker_scores(metric)[:, ~self.undefined(metric)]

    def mean(self, metric: str | None = None) -> npt.NDArray[Any]:
        """Return the mean over held-out speakers for each number of training speakers.

        Parameters
        ----------
        metric : str or None, default=None
            One of `metrics`; None means the first.

        Returns
        -------
        mean : ndarray of shape (n_sizes,)
            NaN if a fit failed.
        """
        return np.array([mean_of(of_size) for of_size in self._counted(metric)])

    def confidence_interval(
        self, level: float = 0.95, *, metric: str | None = None, method: str = "auto"
    ) -> npt.NDArray[Any]:
        """Return a confidence interval of each mean over the population of speakers.

        Parameters
        ----------
        level : float, default=0.95
            Confidence level: the share of such intervals that contain the mean.
        metric : str or None, default=None
            One of `metrics`; None means the first.
        method : {"auto", "t", "bootstrap"}, default="auto"
            As in :meth:`SpeakerScores.confidence_interval`.

        Returns
        -------
        bounds : ndarray of shape (n_sizes, 2)
            Lower and upper bounds.

        Raises
        ------
        ValueError
            With fewer than two held-out speakers that the metric has a value for.
        """
        counted = self._counted(metric)
        within = score_range(self.labels[self.metrics[0] if metric is None else metric])
        return np.array(
            [mean_interval(of_size, level, method=method, within=within) for of_size in counted]
        )

    def at(self, n_speakers: int) -> SpeakerScores:
        """Return the scores after training on some number of speakers.

        Parameters
        ----------
        n_speakers : int
            One of the numbers of the curve.

        Returns
        -------
        scores : SpeakerScores

        Raises
        ------
        ValueError
            If the curve has no such number.
        """
        numbers = self.n_speakers.tolist()
        if n_speakers not in numbers:
            raise ValueError(f"n_speakers={n_speakers!r}: expected one of {numbers}")
        return self.scores[numbers.index(n_speakers)]

    def to_frame(self) -> Any:
        """Return a data frame with one row per number of training speakers.

        Returns
        -------
        frame : pandas.DataFrame
            Index `n_speakers`; columns `n_clips`, and for each metric its mean under its label,
            the bounds ``<label>_low`` and ``<label>_high`` of the 95 % interval, and the score
            ``<label>_worst`` of the worst held-out speaker.
        """
        import pandas as pd

        columns = {"n_clips": self.n_clips}
        for name in self.metrics:
            label, (low, high) = self.labels[name], self._bounds(name).T
            columns |= {label: self.mean(name), f"{label}_low": low, f"{label}_high": high}
            columns[f"{label}_worst"] = self._worst(name)
        return pd.DataFrame(columns, index=pd.Index(self.n_speakers, name="n_speakers"))

    def _bounds(self, metric):
        if np.sum(~self.undefined(metric)) < 2:
            return np.full((len(self.n_speakers), 2), np.nan)
        return self.confidence_interval(metric=metric)

    def _worst(self, metric):
        counted = self._counted(metric)
        return counted.min(axis=1) if counted.size else np.full(len(counted), np.nan)

    def _rows(self):
        header = ["training speakers", "clips"]
        body = [[str(n), f"{clips:.0f}"] for n, clips in zip(self.n_speakers, self.n_clips)]
        for name in self.metrics:
            header += [self.labels[name], "95 % interval", "worst speaker"]
            columns = self.mean(name), self._bounds(name), self._worst(name)
            for row, mean, (low, high), worst in zip(body, *columns):
                interval = "" if np.isnan(low) else f"{low:.3f} to {high:.3f}"
                row += [f"{mean:.3f}", interval, f"{worst:.3f}"]
        return header, body

    def _notes(self):
        n = len(self.speakers)
        n_counted = np.sum(~self.undefined())
        method = "Student's t" if n_counted < MIN_BOOTSTRAP else "bootstrap"
        notes = [
            f"Means over {n} held-out speaker{'s' if n > 1 else ''}, who are never in training, "
            f"and over {self.n_draws} draws of the training speakers; intervals are over "
            f"speakers ({method})"
        ]
        if self.clips_per_speaker is not None:
            notes.append(f"At most {self.clips_per_speaker} training clips per speaker")
        for name in self.metrics:
            n_undefined = self.undefined(name).sum()
            if n_undefined:
                notes.append(
                    f"{self.labels[name]} is undefined for {n_undefined} of {n} held-out speakers "
                    "(the targets of each are too much alike), whom means and intervals leave out"
                )
        failed = [str(k) for k, scores in zip(self.n_speakers, self.scores) if scores.failures]
        if failed:
            notes.append(f"fits failed with this many training speakers: {', '.join(failed)}")
        return notes

    def __repr__(self) -> str:
        header, body = self._rows()
        return text_table(header, body, [], self._notes())

    def _repr_html_(self):
        header, body = self._rows()
        return html_table(header, body, [], self._notes())

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Save the curve.

        Parameters
        ----------
        path : str or path-like
            The file is replaced in one step, so a crash leaves no partial file.
        """
        content = {
            "n_speakers": self.n_speakers,
            "scores": [of_size._to_plain() for of_size in self.scores],
            "n_draws": self.n_draws,
            "clips_per_speaker": self.clips_per_speaker,
            "draws": self.draws,
        }
        write_json(path, type(self).__name__, content)

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> "SpeakerLearningCurve":
        """Read a file written by `to_json`.

        Parameters
        ----------
        path : str or path-like

        Returns
        -------
        curve : SpeakerLearningCurve

        Raises
        ------
        ValueError
            If the file holds something else.
        """
        content = read_json(path, cls.__name__)
        try:
            scores = [SpeakerScores._from_plain(of_size) for of_size in content.pop("scores")]
            return cls(scores=scores, **content)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error
