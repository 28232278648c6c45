"""What cross_validate_by_speaker returns."""

import numpy as np
from sklearn.metrics import confusion_matrix

from ..utils.validation import make_ragged
from ._json import read_json, write_json
from ._statistics import MIN_BOOTSTRAP, mean_interval
from ._tables import html_table, text_table


class SpeakerScores(dict):
    """Scores on held-out speakers: a dict of arrays with one entry a fold, and more.

    Made by :func:`cross_validate_by_speaker`. The keys are those of
    :func:`sklearn.model_selection.cross_validate`: ``test_score`` (or
    ``test_<metric>`` for several), ``fit_time`` and ``score_time`` in seconds,
    ``indices``, and on request ``train_score`` and ``estimator``.

    Means, deviations and intervals are over speakers, never over clips: clips of one
    speaker are alike, so thousands of clips of six speakers say about new speakers what
    six numbers say.

    Parameters
    ----------
    table : dict
        The dict's own content.
    metrics : list of str
        Names of the metrics; ``["score"]`` where there is one.
    labels : dict of str to str
        What tables call them.
    speakers : ndarray of shape (n_speakers,)
        Speakers that were held out, sorted.
    n_clips : ndarray of int of shape (n_speakers,)
        Scored clips of each speaker.
    y_true : ndarray of shape (n_clips,)
        Targets as given.
    speaker_of_clip : ndarray of shape (n_clips,)
        Speakers as given.
    classes : ndarray of shape (n_classes,) or None
        Sorted classes: the columns of `probabilities`. None where targets are no classes.
    fold_speakers : list of ndarray of shape (n_speakers_of_fold,)
        Speakers that each fold held out.
    fold_speaker_scores : dict of str to list of ndarray of shape (n_held_out,)
        By metric, the scores of each fold's speakers, in the order of `fold_speakers`.
    fold_predictions : list of ndarray of shape (n_test,) or None
        Predictions of each fold for ``indices["test"]``; None for a fold that failed.
    fold_probabilities : list of ndarray of shape (n_test, n_classes) or None
        Their probabilities; None also for estimators without ``predict_proba``.
    failures : dict of int to str
        Traceback of each fold that failed.

    Attributes
    ----------
    metrics, labels, speakers, n_clips, y_true, speaker_of_clip, classes, fold_speakers, \
            fold_speaker_scores, fold_predictions, fold_probabilities, failures
        As given.
    """

    def __init__(
        self,
        table,
        *,
        metrics,
        labels,
        speakers,
        n_clips,
        y_true,
        speaker_of_clip,
        classes,
        fold_speakers,
        fold_speaker_scores,
        fold_predictions,
        fold_probabilities,
        failures,
    ):
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

    def speaker_scores(self, metric=None):
        """The score of each speaker.

        Parameters
        ----------
        metric : str or None, default=None
            One of `metrics`; the first where None.

        Returns
        -------
        scores : ndarray of shape (n_speakers,)
            In the order of `speakers`. The mean over the folds that held a speaker out;
            NaN where one of them failed or the metric has no value for the speaker alone.
        """
        of_folds = self.fold_speaker_scores[self._metric(metric)]
        # `speakers` are sorted and hold all who were held out
        codes = np.searchsorted(self.speakers, np.concatenate(self.fold_speakers))
        order = np.argsort(codes, kind="stable")
        starts = np.flatnonzero(np.diff(codes[order])) + 1
        scores = np.split(np.concatenate(of_folds)[order], starts)
        return np.array([of_speaker.mean() for of_speaker in scores])

    def _metric(self, metric):
        if metric is None:
            return self.metrics[0]
        if metric not in self.metrics:
            raise ValueError(f"metric={metric!r}: expected one of {self.metrics}")
        return metric

    def _over_metrics(self, function):
        values = {name: function(self.speaker_scores(name)) for name in self.metrics}
        return values if len(values) > 1 else values[self.metrics[0]]

    @property
    def mean(self):
        """Mean over speakers: a float, or a dict of them where there are several metrics.

        NaN where a speaker has no score, since leaving the speaker out would flatter.
        """
        return self._over_metrics(lambda scores: float(scores.mean()))

    @property
    def std(self):
        """Standard deviation over speakers (n - 1), as `mean`; NaN for one speaker."""
        return self._over_metrics(
            lambda scores: float(scores.std(ddof=1)) if len(scores) > 1 else np.nan
        )

    def confidence_interval(self, level=0.95, *, metric=None, method="auto", random_state=0):
        """Interval that holds the mean over all speakers like these.

        Parameters
        ----------
        level : float, default=0.95
            How often such an interval holds it.
        metric : str or None, default=None
            One of `metrics`; the first where None.
        method : {"auto", "t", "bootstrap"}, default="auto"
            Student's t below 20 speakers, the studentised bootstrap over speakers from
            there. A percentile bootstrap over few speakers is much too narrow.
        random_state : int, default=0
            Seed of the bootstrap.

        Returns
        -------
        low, high : float

        Raises
        ------
        ValueError
            With fewer than two speakers.

        Notes
        -----
        The models of two folds share most of their training speakers, so that scores
        are not quite independent; no interval from one cross-validation knows that.
        """
        return mean_interval(
            self.speaker_scores(metric), level, method=method, random_state=random_state
        )

    @property
    def predictions(self):
        """Out-of-fold predictions in the order of X, shape (n_clips,).

        A clip that several folds tested (repeated cross-validation) has the answer of the first
        of them: one model's, since a vote of several would be better than what was scored. A
        clip that no fold tested has None, and the array is then one of objects.
        """
        out = make_ragged([None] * len(self.y_true))
        dtypes = []
        for test, answers in self._answers(self.fold_predictions):
            dtypes.append(answers.dtype)
            for i, answer in zip(test, answers):
                if out[i] is None:
                    out[i] = answer
        if all(answer is not None for answer in out) and object not in dtypes:
            return np.array(out.tolist())
        return out

    @property
    def probabilities(self):
        """Out-of-fold probabilities in the order of X, shape (n_clips, n_classes), or None.

        Columns are `classes`; rows as in `predictions`, NaN where no fold tested the clip.
        None where the estimator has no ``predict_proba``.
        """
        if all(answers is None for answers in self.fold_probabilities):
            return None
        out = np.full((len(self.y_true), len(self.classes)), np.nan)
        for test, answers in self._answers(self.fold_probabilities):
            new = np.isnan(out[test]).all(axis=1)
            out[test[new]] = answers[new]
        return out

    def _answers(self, of_folds):
        pairs = zip(self["indices"]["test"], of_folds)
        return [(test, answers) for test, answers in pairs if answers is not None]

    def confusion_matrix(self, *, normalize=None):
        """Count true (rows) against predicted (columns) classes, in the order of `classes`.

        Every answer of every fold counts, so a clip counts once for each fold that tested it.

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
            When the targets are no classes, or no fold has predictions.
        """
        answers = self._answers(self.fold_predictions)
        if self.classes is None or not answers:
            raise ValueError("there are no predicted classes to count")
        code = {label: i for i, label in enumerate(self.classes.tolist())}
        y_true = [code[y] for test, _ in answers for y in self.y_true[test].tolist()]
        y_pred = [code[y] for _, predicted in answers for y in predicted.tolist()]
        return confusion_matrix(y_true, y_pred, labels=range(len(code)), normalize=normalize)

    def to_frame(self):
        """One row a speaker: clips and each metric.

        Returns
        -------
        frame : pandas.DataFrame
            Index `speaker`; columns `n_clips` and the metrics, under their `labels`.
        """
        import pandas as pd

        columns = {"n_clips": self.n_clips}
        columns |= {self.labels[name]: self.speaker_scores(name) for name in self.metrics}
        return pd.DataFrame(columns, index=pd.Index(self.speakers, name="speaker"))

    def _rows(self):
        """Cells of the table as text: header, one row a speaker, mean and deviation."""
        scores = [self.speaker_scores(name) for name in self.metrics]
        header = ["speaker", "clips", *(self.labels[name] for name in self.metrics)]
        body = [
            [str(speaker), str(n), *(f"{column[i]:.3f}" for column in scores)]
            for i, (speaker, n) in enumerate(zip(self.speakers, self.n_clips))
        ]
        foot = [["mean", str(self.n_clips.sum()), *(f"{column.mean():.3f}" for column in scores)]]
        if len(self.speakers) > 1:
            deviations = [f"{column.std(ddof=1):.3f}" for column in scores]
            foot.append(["standard deviation", "", *deviations])
        return header, body, foot

    def _notes(self):
        notes = []
        n = len(self.speakers)
        if n > 1:
            method = "Student's t" if n < MIN_BOOTSTRAP else "bootstrap"
            for name in self.metrics:
                low, high = self.confidence_interval(metric=name)
                if np.isfinite(low):
                    which = f" of {self.labels[name]}" if len(self.metrics) > 1 else ""
                    notes.append(
                        f"95 % interval of the mean{which}, over {n} speakers: "
                        f"{low:.3f} to {high:.3f} ({method})"
                    )
        if self.failures:
            who = sorted({str(name) for i in self.failures for name in self.fold_speakers[i]})
            notes.append(f"failed while held out, so there is no mean: {', '.join(who)}")
        return notes

    def __repr__(self):
        return text_table(*self._rows(), self._notes())

    __str__ = __repr__

    def _repr_html_(self):
        return html_table(*self._rows(), self._notes())

    def to_json(self, path):
        """Save everything but the fitted estimators.

        Parameters
        ----------
        path : str or path-like
            Written beside its place first, so that a crash leaves no half a file.
        """
        table = {key: value for key, value in self.items() if key != "estimator"}
        write_json(path, type(self).__name__, {"table": table} | vars(self))

    @classmethod
    def from_json(cls, path):
        """Read what `to_json` wrote.

        Parameters
        ----------
        path : str or path-like

        Returns
        -------
        scores : SpeakerScores

        Raises
        ------
        ValueError
            When the file holds something else.
        """
        content = read_json(path, cls.__name__)
        try:
            return cls(content.pop("table"), **content)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error
