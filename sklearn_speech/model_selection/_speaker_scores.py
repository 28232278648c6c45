"""Result of cross_validate_by_speaker."""

import os
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from ..utils.tables import html_table, text_table
from ..utils.validation import make_ragged
from ._json import read_json, write_json
from ._score_ranges import score_range
from ._speaker_tables import notes_of, rows_of
from ._statistics import deviation_of, mean_interval, mean_of


class SpeakerScores(dict):
    """Scores on held-out speakers: a dict of arrays with one entry per fold, and more.

    Returned by :func:`cross_validate_by_speaker`. The keys are those of
    :func:`sklearn.model_selection.cross_validate`: ``test_score`` (or
    ``test_<metric>`` for several), ``fit_time`` and ``score_time`` in seconds,
    ``indices``, and on request ``train_score`` and ``estimator``.

    Means, deviations and intervals are over speakers, never over clips: clips of one speaker
    are similar, so thousands of clips of six speakers say as much about new speakers as six
    numbers.

    Parameters
    ----------
    table : dict
        Content of the dict.
    metrics : list of str
        Names of the metrics; ``["score"]`` where there is one.
    labels : dict of str to str
        Names of the metrics in tables and on axes, such as "accuracy".
    speakers : ndarray of shape (n_speakers,)
        Speakers that were held out, sorted.
    n_clips : ndarray of int of shape (n_speakers,)
        Scored clips of each speaker.
    y_true : ndarray of shape (n_clips,)
        The targets as given.
    speaker_of_clip : ndarray of shape (n_clips,)
        The speakers as given.
    classes : ndarray of shape (n_classes,) or None
        Sorted classes: the columns of `probabilities`. None if the targets are not classes.
    fold_speakers : list of ndarray of shape (n_speakers_of_fold,)
        Speakers that each fold held out.
    fold_speaker_scores : dict of str to list of ndarray of shape (n_held_out,)
        For each metric, the scores of each fold's speakers, in the order of `fold_speakers`.
    fold_predictions : list of ndarray of shape (n_test,) or None
        Predictions of each fold for ``indices["test"]``; None for a fold that failed.
    fold_probabilities : list of ndarray of shape (n_test, n_classes) or None
        Probabilities of each fold; also None for estimators without ``predict_proba``.
    failures : dict of int to str
        Traceback of each fold that failed.
    pooled_scores : dict of str to float, default=None
        By metric, the score of all out-of-fold predictions together, as if one speaker had
        spoken all clips. Only of scikit-learn's scorers.

    Attributes
    ----------
    metrics, labels, speakers, n_clips, y_true, speaker_of_clip, classes, fold_speakers, \
            fold_speaker_scores, fold_predictions, fold_probabilities, failures, pooled_scores
        As given.
    """

    def __init__(
        self,
        table: dict[str, Any],
        *,
        metrics: list[str],
        labels: dict[str, str],
        speakers: npt.NDArray[Any],
        n_clips: npt.NDArray[Any],
        y_true: npt.NDArray[Any],
        speaker_of_clip: npt.NDArray[Any],
        classes: npt.NDArray[Any] | None,
        fold_speakers: list[npt.NDArray[Any]],
        fold_speaker_scores: dict[str, list[npt.NDArray[Any]]],
        fold_predictions: list[npt.NDArray[Any] | None],
        fold_probabilities: list[npt.NDArray[Any] | None],
        failures: dict[int, str],
        pooled_scores: dict[str, float] | None = None,
    ) -> None:
        super().__init__(table)
        self.metrics = metrics
        self.labels = labels
        self.speakers = speakers
        self.n_clips = n_clips
        self.y_true = y_true
        self.speaker_of_clip = speaker_of_clip
        self.classes = classes
        self.fold_speakers = fold_speakers
        self.fold_speaker_scores = fold_speaker_scores
        self.fold_predictions = fold_predictions
        self.fold_probabilities = fold_probabilities
        self.failures = failures
        self.pooled_scores = {} if pooled_scores is None else pooled_scores

    def speaker_scores(
        self, metric: str | None = None, *, folds: slice = slice(None)
    ) -> npt.NDArray[Any]:
        """Return the score of each speaker.

        Parameters
        ----------
        metric : str or None, default=None
            One of `metrics`; None means the first.
        folds : slice, default=slice(None)
            The folds that count, which must hold out every speaker; all by default.

        Returns
        -------
        scores : ndarray of shape (n_speakers,)
            In the order of `speakers`. Each score is the mean over the folds that held out the
            speaker; it is NaN if one of them failed or the metric is undefined for a single
            speaker.
        """
        return self._over_folds(self.fold_speaker_scores[self._metric(metric)], folds)

    def undefined(self, metric: str | None = None) -> npt.NDArray[np.bool_]:
        """Which speakers a metric has no value for, though no fold failed.

        R2 has none where a speaker's true numbers are all the same, an AUC or an average
        precision where the speaker lacks a class or a label. Means and intervals leave these
        speakers out.

        Parameters
        ----------
        metric : str or None, default=None
            One of `metrics`; the first where None.

        Returns
        -------
        undefined : ndarray of bool of shape (n_speakers,)
        """
        return np.isnan(self.speaker_scores(metric)) & ~self._failed()

    def _failed(self):
        names = {name for i in self.failures for name in self.fold_speakers[i].tolist()}
        return np.array([name in names for name in self.speakers.tolist()], dtype=bool)

    def _counted(self, metric):
        """Scores of the speakers that the metric has a value for, or a fold of whom failed."""
        return self.speaker_scores(metric)[~self.undefined(metric)]

    def _over_folds(self, of_folds, folds=slice(None)):
        # `speakers` is sorted and contains everyone who was held out
        codes = np.searchsorted(self.speakers, np.concatenate(self.fold_speakers[folds]))
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.diff(codes[order])) + 1
        scores = np.split(np.concatenate(of_folds[folds])[order], starts)
        return np.array(
            [
                mean_of(values if failed else values[~np.isnan(values)])
                for values, failed in zip(scores, self._failed())
            ]
        )

    def _metric(self, metric):
        if metric is None:
            return self.metrics[0]
        if metric not in self.metrics:
            raise ValueError(f"metric={metric!r}: expected one of {self.metrics}")
        return metric

    def _over_metrics(self, function):
        values = {name: function(self._counted(name)) for name in self.metrics}
        return values if len(values) > 1 else values[self.metrics[0]]

    @property
    def mean(self) -> float | dict[str, float]:
        """Mean over speakers: a float, or a dict of them where there are several metrics.

        NaN where a fold failed, since a mean without its speakers would be too high. Speakers
        that the metric has no value for (see `undefined`) are left out.
        """
        return self._over_metrics(mean_of)

    @property
    def std(self) -> float | dict[str, float]:
        """Standard deviation over speakers (n - 1), as `mean`; NaN for one speaker."""
        return self._over_metrics(deviation_of)

    def confidence_interval(
        self,
        level: float = 0.95,
        *,
        metric: str | None = None,
        method: str = "auto",
        random_state: int = 0,
    ) -> tuple[float, float]:
        """Return a confidence interval of the mean over the population of speakers.

        Parameters
        ----------
        level : float, default=0.95
            Confidence level: the share of such intervals that contain the mean.
        metric : str or None, default=None
            One of `metrics`; None means the first.
        method : {"auto", "t", "bootstrap"}, default="auto"
            Student's t for fewer than 20 speakers, otherwise the studentised bootstrap
            over speakers. A percentile bootstrap over few speakers is much too narrow.
        random_state : int, default=0
            Seed of the bootstrap.

        Returns
        -------
        low, high : float
            Never beyond the values that a known metric can have, such as 0 and 1 for accuracy.

        Raises
        ------
        ValueError
            With fewer than two speakers that the metric has a value for.

        Notes
        -----
        The models of two folds share most of their training speakers, so scores are not quite
        independent; an interval from one cross-validation does not account for this.
        """
        within = score_range(self.labels[self._metric(metric)])
        return mean_interval(
            self._counted(metric), level, method=method, within=within, random_state=random_state
        )

    @property
    def predictions(self) -> npt.NDArray[Any]:
        """Out-of-fold predictions in the order of X, of the shape of y.

        If several folds tested a clip (repeated cross-validation), the first prediction is
        taken, because a vote of several models would be better than the models that were
        scored. A clip that no fold tested has None, and the array then has dtype object.
        """
        out = make_ragged([None] * len(self.y_true))
        dtypes = []
        for test, responses in self._of_each_fold(self.fold_predictions):
            dtypes.append(responses.dtype)
            for i, answer in zip(test, responses):
                if out[i] is None:
                    out[i] = answer
        if all(answer is not None for answer in out) and object not in dtypes:
            return np.array(out.tolist())
        return out

    @property
    def probabilities(self) -> npt.NDArray[Any] | None:
        """Out-of-fold probabilities in the order of X, shape (n_clips, n_classes), or None.

        Columns are `classes`, or the labels of an indicator matrix; rows as in `predictions`,
        NaN where no fold tested the clip. None where the estimator has no ``predict_proba``.
        """
        given = [responses for responses in self.fold_probabilities if responses is not None]
        if not given:
            return None
        out = np.full((len(self.y_true), given[0].shape[1]), np.nan)
        for test, responses in self._of_each_fold(self.fold_probabilities):
            new = np.isnan(out[test]).all(axis=1)
            out[test[new]] = responses[new]
        return out

    def _of_each_fold(self, of_folds):
        pairs = zip(self["indices"]["test"], of_folds)
        return [(test, responses) for test, responses in pairs if responses is not None]

    def confusion_matrix(self, *, normalize: str | None = None) -> npt.NDArray[Any]:
        """Count true (rows) and predicted (columns) classes, in the order of `classes`.

        Every prediction of every fold counts, so a clip counts once for each fold that tested it.

        Parameters
        ----------
        normalize : {"true", "pred", "all"} or None, default=None
            As in :func:`sklearn.metrics.confusion_matrix`.

        Returns
        -------
        matrix : ndarray of shape (n_classes, n_classes)

        Raises
        ------
        ValueError
            If the targets are not classes, or no fold has predictions.
        """
        responses = self._of_each_fold(self.fold_predictions)
        if self.classes is None or not responses:
            raise ValueError(
                "there are no predicted classes to count (several labels a clip are counted by "
                "sklearn.metrics.multilabel_confusion_matrix)"
            )
        code = {label: i for i, label in enumerate(self.classes.tolist())}
        y_true = [code[y] for test, _ in responses for y in self.y_true[test].tolist()]
        y_pred = [code[y] for _, predicted in responses for y in predicted.tolist()]
        return confusion_matrix(y_true, y_pred, labels=range(len(code)), normalize=normalize)

    def to_frame(self) -> Any:
        """Return a data frame with one row per speaker: number of clips and each metric.

        Returns
        -------
        frame : pandas.DataFrame
            Index `speaker`; columns `n_clips` and the metrics, under their `labels`.
        """
        import pandas as pd

        columns = {"n_clips": self.n_clips}
        columns |= {self.labels[name]: self.speaker_scores(name) for name in self.metrics}
        return pd.DataFrame(columns, index=pd.Index(self.speakers, name="speaker"))

    def __repr__(self):
        return text_table(*rows_of(self), notes_of(self))

    __str__ = __repr__

    def _repr_html_(self):
        return html_table(*rows_of(self), notes_of(self))

    def to_json(self, path: str | os.PathLike[str]) -> None:
        """Save everything except the fitted estimators.

        Parameters
        ----------
        path : str or path-like
            The file is replaced in one step, so a crash leaves no partial file.
        """
        write_json(path, type(self).__name__, self._to_plain())

    def _to_plain(self):
        """Return everything except the fitted estimators, as `_from_plain` takes it."""
        table = {key: value for key, value in self.items() if key != "estimator"}
        return {"table": table} | vars(self)

    @classmethod
    def _from_plain(cls, content):
        content = dict(content)
        return cls(content.pop("table"), **content)

    @classmethod
    def from_json(cls, path: str | os.PathLike[str]) -> "SpeakerScores":
        """Read a file written by `to_json`.

        Parameters
        ----------
        path : str or path-like

        Returns
        -------
        scores : SpeakerScores

        Raises
        ------
        ValueError
            If the file holds something else.
        """
        content = read_json(path, cls.__name__)
        try:
            return cls._from_plain(content)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error
