"""Combine the results of all folds."""

import warnings
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.exceptions import FitFailedWarning, UndefinedMetricWarning

from ..utils.labels import as_targets
from ._folds import Fold, SpeakerFoldError
from ._pooled import pooled_scores
from ._speaker_scores import SpeakerScores


def shorten_names(speakers: Any) -> str:
    """Return the first three names, and how many more there are."""
    first = ", ".join(repr(str(name)) for name in speakers[:3])
    return first + (f" and {len(speakers) - 3} more" if len(speakers) > 3 else "")


def speakers_of(
    clips: npt.NDArray[Any], names: npt.NDArray[Any], codes: npt.NDArray[Any]
) -> npt.NDArray[Any]:
    """Return the sorted names of the speakers of some clips, given by position."""
    return names[np.bincount(codes[clips], minlength=len(names)) > 0]


def collect(
    folds: list[Fold],
    splits: list[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]],
    titles: list[str],
    held_out: list[npt.NDArray[Any]],
    y: npt.NDArray[Any],
    names: npt.NDArray[Any],
    codes: npt.NDArray[Any],
    labels: dict[str, str],
    error_score: float | str,
    scorers: dict[str, Any],
    score_params: dict[str, dict[str, Any]],
    whole: Fold | None = None,
) -> SpeakerScores:
    """Combine the results of all folds.

    Parameters
    ----------
    folds : list of Fold
    splits : list of (ndarray, ndarray, ndarray) of int
        Training clips, test clips, and labelled training clips.
    titles : list of str
        What each split is called in messages.
    held_out : list of ndarray
        Names of the speakers that each fold held out.
    y : ndarray of shape (n_clips, ...)
    names : ndarray of shape (n_speakers,)
    codes : ndarray of int of shape (n_clips,)
        ``names[codes]`` are the speakers.
    labels : dict of str to str
        The name of each metric in tables.
    error_score : "raise" or float
    scorers : dict of str to callable
    score_params : dict of str to dict
        Arguments of the scorers, for all clips.
    whole : Fold or None, default=None
        A fold that did not fail, which tells the metrics; None takes one of `folds`.

    Returns
    -------
    scores : SpeakerScores
    """
    failures = {i: fold.traceback for i, fold in enumerate(folds) if fold.error is not None}
    whole = a_whole_fold(folds, titles) if whole is None else whole
    for i in failures:
        warnings.warn(
            f"{titles[i]}, failed; its score is {error_score}:\n{folds[i].traceback}",
            FitFailedWarning,
            stacklevel=3,
        )
    metrics = list(whole.scores)
    for fold, speakers in zip(folds, held_out):
        if fold.error is not None:
            fold.scores = dict.fromkeys(metrics, float(error_score))
            fold.speaker_scores = dict.fromkeys(metrics, [float(error_score)] * len(speakers))
            fold.train_scores = dict.fromkeys(whole.train_scores, float(error_score))
    _warn_of_undefined_scores(folds, held_out, labels)
    table = {
        "fit_time": np.array([fold.fit_time for fold in folds]),
        "score_time": np.array([fold.score_time for fold in folds]),
        "indices": {
            "train": tuple(train for train, _, _ in splits),
            "test": tuple(test for _, test, _ in splits),
        },
    }
    if whole.estimator is not None:
        table["estimator"] = [fold.estimator for fold in folds]
    for name in metrics:
        table[f"test_{name}"] = np.array([fold.scores[name] for fold in folds])
    for name in whole.train_scores:
        table[f"train_{name}"] = np.array([fold.train_scores[name] for fold in folds])

    tested = np.zeros(len(codes), dtype=bool)
    for _, test, _ in splits:
        tested[test] = True
    n_clips = np.bincount(codes[tested], minlength=len(names))
    scored = n_clips > 0
    classes = _classes(y, folds, splits)
    predictions = [_as_array(fold.predictions) for fold in folds]
    probabilities = [_in_columns(fold, y, classes) for fold in folds]
    tests = [test for _, test, _ in splits]
    return SpeakerScores(
        table,
        metrics=metrics,
        labels={name: labels.get(name, name) for name in metrics},
        speakers=names[scored],
        n_clips=n_clips[scored],
        y_true=y,
        speaker_of_clip=names[codes],
        classes=classes,
        fold_speakers=held_out,
        fold_speaker_scores={
            name: [np.array(fold.speaker_scores[name]) for fold in folds] for name in metrics
        },
        fold_predictions=predictions,
        fold_probabilities=probabilities,
        failures=failures,
        pooled_scores=pooled_scores(
            scorers, y, tests, predictions, probabilities, classes, score_params
        ),
    )


def a_whole_fold(folds: list[Fold], titles: list[str]) -> Fold:
    """Return the first fold that did not fail; raise SpeakerFoldError if all did."""
    for fold in folds:
        if fold.error is None:
            return fold
    raise SpeakerFoldError(
        f"all {len(folds)} folds failed; {titles[0]}, with:\n{folds[0].traceback}"
    ) from folds[0].error


def _warn_of_undefined_scores(folds, held_out, labels):
    """Warn which metric is NaN in which folds, such as an AUC in a fold that lacks a class."""
    for name in folds[0].scores:
        undefined = [
            speakers
            for fold, speakers in zip(folds, held_out)
            if fold.error is None and np.isnan(fold.scores[name])
        ]
        if undefined:
            warnings.warn(
                f"{labels.get(name, name)} has no value (NaN) in {len(undefined)} of {len(folds)} "
                f"folds, such as the one that held out {shorten_names(undefined[0])}: the held-out "
                "clips lack a class or label, or all have the same number. The mean over speakers "
                "leaves these speakers out; pooled_scores has the score of all clips together. Or "
                "hold out several speakers at once, with cv=StratifiedGroupKFold(), or choose a "
                "metric for which one target is enough, such as 'accuracy', 'neg_log_loss' or "
                "'neg_mean_absolute_error'",
                UndefinedMetricWarning,
                stacklevel=4,
            )


def _as_array(predictions):
    return None if predictions is None else as_targets(predictions)


def _classes(y, folds, splits):
    """Return the sorted classes, or None if targets or predictions are not labels."""
    used = np.zeros(len(y), dtype=bool)
    for _, test, labelled in splits:
        used[test] = used[labelled] = True
    parts = [y[used]]
    for fold in folds:
        parts += [_as_array(p) for p in (fold.predictions, fold.classes) if p is not None]
    labels: set[Any] = set()
    for part in parts:
        if part.ndim != 1 or (part.dtype.kind == "f" and (part % 1 != 0).any()):
            return None
        if part.dtype.kind in "bui":
            part = np.unique(part)
        labels.update(part.tolist() if part.dtype != object else map(_hashable, part))
    if None in labels:
        return None
    try:
        return np.array(sorted(labels))
    except TypeError:
        return None


def _hashable(label):
    return label if isinstance(label, (str, int, np.integer)) else None


def _in_columns(fold, y, classes):
    """Probabilities with a column for every class or label; 0 for one that the fold never saw."""
    if y.ndim == 2:
        shown = fold.probabilities
        return shown if shown is not None and shown.shape[1:] == y.shape[1:] else None
    if fold.probabilities is None or classes is None or fold.probabilities.ndim != 2:
        return None
    if fold.classes.tolist() == classes.tolist():
        return np.asarray(fold.probabilities, dtype=float)
    out = np.zeros((len(fold.probabilities), len(classes)))
    position = {label: i for i, label in enumerate(classes.tolist())}
    out[:, [position[label] for label in fold.classes.tolist()]] = fold.probabilities
    return out
