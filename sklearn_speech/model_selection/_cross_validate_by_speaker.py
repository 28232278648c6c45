"""Cross-validation that holds speakers out."""

import numbers
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import FitFailedWarning
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from ..splits import check_speakers
from ..store._clipwise import split_clipwise
from ..store._clipwise_features import ClipwiseFeatures, as_feature_cache, may_share
from ..utils.validation import make_ragged
from ._folds import SpeakerFoldError, check_splits, run_fold, threads_per_job
from ._routing import route_metadata
from ._scoring import check_scorers
from ._speaker_scores import SpeakerScores
from ._unlabelled import unlabelled_clips, with_labels


def cross_validate_by_speaker(
    estimator,
    X,
    y,
    speakers,
    *,
    cv=None,
    scoring=None,
    params=None,
    n_jobs=None,
    verbose=0,
    return_estimator=False,
    return_train_score=False,
    error_score="raise",
    memory=None,
):
    """Score an estimator on speakers that it has never heard.

    As :func:`sklearn.model_selection.cross_validate`, but no split may have a speaker on
    both sides, and the result knows speakers: a score for each of them, predictions in
    the order of X, an interval over speakers.

    Parameters
    ----------
    estimator : estimator instance
        Cloned for each fold.
    X : array-like of shape (n_clips, ...)
        Whatever the estimator takes: paths, waveforms, spectrograms, a DataFrame.
    y : array-like of shape (n_clips,)
        Classes as strings or integers; or other targets, such as lists of phones.
    speakers : array-like of shape (n_clips,)
        Who speaks in each clip. They are also handed on as `groups` to steps that split
        once more (early stopping, searches): with metadata routing on to those that
        request them, with routing off to those whose ``fit`` takes `groups`, inside a
        pipeline too.
    cv : int, splitter, iterable or None, default=None
        None holds out one speaker after the other; an int is ``GroupKFold`` with so many
        folds; else a splitter by group, such as ``StratifiedGroupKFold()`` or
        ``StratifiedGroupShuffleSplit()``, or (train, test) positions.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in scikit-learn; None is the estimator's own ``score``.
    params : dict or None, default=None
        Further arguments of ``fit`` (with metadata routing on, of scorers too), such as
        sample weights; what has one entry a clip is cut like X.
    n_jobs : int or None, default=None
        Folds computed at once. Torch's threads are then shared out among them.
    verbose : int, default=0
        1 shows a progress bar over folds.
    return_estimator : bool, default=False
        Keep the fitted estimators, as ``result["estimator"]``.
    return_train_score : bool, default=False
        Also score the training clips, as ``result["train_score"]``.
    error_score : "raise" or float, default="raise"
        What a fold that fails does: stop everything, or get this score (such as NaN)
        with a warning.
    memory : str, os.PathLike, FeatureCache, joblib.Memory or None, default=None
        Folder where what the first steps of a pipeline compute outlasts this call, for
        others over the same clips; see the notes.

    Returns
    -------
    scores : SpeakerScores
        A dict with ``test_score`` (or ``test_<metric>``), one entry a fold, and
        per-speaker scores, predictions and intervals as attributes and methods.

    Raises
    ------
    ValueError
        When a split has a speaker on both sides, a speaker is not named, or there is one
        speaker only.
    SpeakerFoldError
        When a fold fails and ``error_score="raise"``; it names the speakers held out.

    Warns
    -----
    sklearn.exceptions.FitFailedWarning
        When a fold fails and `error_score` is a number.

    See Also
    --------
    SpeakerScores : The result.
    compare_by_speaker : Compares several results.

    Notes
    -----
    Where some step has a `pretrainer` that is not None, clips with ``y = -1`` are
    unlabelled: they are trained on, when their speaker is not held out, and never scored.

    The first steps of a pipeline that treat each clip alone (this library's own: reading
    files, spectrograms) are computed once for all folds; the scores are the same. This is
    left out when a scorer is a function of your own, which may want to see the clips
    themselves.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_speech.model_selection import cross_validate_by_speaker
    >>> X = np.array([[0.0], [1.0], [0.2], [0.9], [0.1], [0.8]])
    >>> y = ["no", "yes", "no", "yes", "no", "yes"]
    >>> speakers = ["ann", "ann", "bob", "bob", "cem", "cem"]
    >>> scores = cross_validate_by_speaker(LogisticRegression(), X, y, speakers)
    >>> scores["test_score"]
    array([1., 1., 1.])
    >>> scores
    speaker             clips  accuracy
    -----------------------------------
    ann                     2     1.000
    bob                     2     1.000
    cem                     2     1.000
    -----------------------------------
    mean                    6     1.000
    standard deviation            0.000
    95 % interval of the mean, over 3 speakers: 1.000 to 1.000 (Student's t)
    """
    if not hasattr(estimator, "fit") or isinstance(estimator, type):
        raise TypeError(f"estimator={estimator!r}: expected an instance with a fit method")
    if error_score != "raise" and not isinstance(error_score, numbers.Real):
        raise ValueError(f"error_score={error_score!r}: expected 'raise' or a number, such as nan")
    y = _as_targets(y)
    X, y = indexable(X, y)
    names, codes = check_speakers(speakers, len(y))
    params = {} if params is None else dict(params)
    splits = check_splits(cv, X, y, names, codes)
    splits = with_labels(splits, unlabelled_clips(estimator, y))
    scorers, labels = check_scorers(estimator, scoring)
    fit_params, score_params = route_metadata(estimator, params, names[codes], scorers)

    first, rest = None, estimator
    if may_share(estimator, scorers, fit_params):
        first, rest = split_clipwise(estimator)
    if first is not None:
        first = clone(first)
        X = ClipwiseFeatures(X, as_feature_cache(memory)).fit(first.steps)
    held_out = [names[np.unique(codes[test])] for _, test, _ in splits]
    jobs = (
        delayed(_numbered)(
            i,
            error_score == "raise",
            clone(rest),
            X,
            y,
            codes,
            split,
            scorers,
            fit_params,
            score_params,
            prefix=first,
            train_score=return_train_score,
            keep_estimator=return_estimator,
            n_threads=threads_per_job(n_jobs, len(splits)),
        )
        for i, split in enumerate(splits)
    )
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered")
    folds = [None] * len(splits)
    with tqdm(total=len(splits), desc="held-out speakers", disable=not verbose) as bar:
        try:
            for i, fold in parallel(jobs):
                folds[i] = fold
                result = " ".join(f"{score:.3f}" for score in fold.scores.values())
                bar.set_postfix_str(f"{_listed(held_out[i])} {result}")
                bar.update()
        except _FoldFailure as failure:
            i, error, trace = failure.args
            if error.__traceback__ is None:  # it comes from another process
                error.add_note(trace)
            raise SpeakerFoldError(
                f"fold {i}, which held out {_listed(held_out[i])}, failed: "
                f"{type(error).__name__}: {error}"
            ) from error
    return _collect(folds, splits, held_out, y, names, codes, labels, error_score)


class _FoldFailure(Exception):
    """Carries a fold's number, exception and traceback out of a job, which stops the others."""


def _numbered(i, stop, *args, **kwargs):
    fold = run_fold(*args, **kwargs)
    if stop and fold.error is not None:
        raise _FoldFailure(i, fold.error, fold.traceback)
    return i, fold


def _as_targets(y):
    """Targets as a 1-D array, of objects where they are sequences or of several kinds."""
    if y is None:
        raise ValueError("y=None: expected one target a clip")
    if isinstance(y, (list, tuple)) and len(y):
        if isinstance(y[0], (list, tuple, np.ndarray)):
            return make_ragged(y)
        if any(isinstance(label, str) for label in y) and not all(
            isinstance(label, str) for label in y
        ):
            return make_ragged(y)  # numpy would make strings of numbers
    return np.asarray(y)


def _listed(speakers):
    listed = ", ".join(repr(str(name)) for name in speakers[:3])
    return listed + (f" and {len(speakers) - 3} more" if len(speakers) > 3 else "")


def _collect(folds, splits, held_out, y, names, codes, labels, error_score):
    """Put what came out of the folds together."""
    failures = {i: fold.traceback for i, fold in enumerate(folds) if fold.error is not None}
    if len(failures) == len(folds):
        raise SpeakerFoldError(
            f"all {len(folds)} folds failed; the one that held out {_listed(held_out[0])} with:\n"
            f"{folds[0].traceback}"
        ) from folds[0].error
    for i in failures:
        warnings.warn(
            f"fold {i}, which held out {_listed(held_out[i])}, failed; its score is {error_score}:"
            f"\n{folds[i].traceback}",
            FitFailedWarning,
            stacklevel=3,
        )
    whole = next(fold for fold in folds if fold.error is None)
    metrics = list(whole.scores)
    for fold, speakers in zip(folds, held_out):
        if fold.error is not None:
            fold.scores = dict.fromkeys(metrics, float(error_score))
            fold.speaker_scores = dict.fromkeys(metrics, [float(error_score)] * len(speakers))
            fold.train_scores = dict.fromkeys(whole.train_scores, float(error_score))
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

    tested = np.unique(np.concatenate([test for _, test, _ in splits]))
    scored, n_clips = np.unique(codes[tested], return_counts=True)
    classes = _classes(y, folds, splits)
    return SpeakerScores(
        table,
        metrics=metrics,
        labels={name: labels.get(name, name) for name in metrics},
        speakers=names[scored],
        n_clips=n_clips,
        y_true=y,
        speaker_of_clip=names[codes],
        classes=classes,
        fold_speakers=held_out,
        fold_speaker_scores={
            name: [np.array(fold.speaker_scores[name]) for fold in folds] for name in metrics
        },
        fold_predictions=[_as_answers(fold.predictions) for fold in folds],
        fold_probabilities=[_in_columns(fold, classes) for fold in folds],
        failures=failures,
    )


def _as_answers(predictions):
    return None if predictions is None else _as_targets(predictions)


def _classes(y, folds, splits):
    """Sorted classes, or None where targets or answers are no labels."""
    labels = set()
    for fold, (_, test, labelled) in zip(folds, splits):
        answers = [] if fold.predictions is None else _as_answers(fold.predictions)
        known = [] if fold.classes is None else fold.classes
        for part in (y[test], y[labelled], np.asarray(answers), np.asarray(known)):
            if part.ndim != 1 or (part.dtype.kind == "f" and (part % 1 != 0).any()):
                return None
            labels.update(part.tolist() if part.dtype != object else map(_hashable, part))
    if None in labels:
        return None
    try:
        return np.array(sorted(labels))
    except TypeError:
        return None


def _hashable(label):
    return label if isinstance(label, (str, int, np.integer)) else None


def _in_columns(fold, classes):
    """Probabilities with a column for every class; 0 for one that the fold never saw."""
    if fold.probabilities is None or classes is None or fold.probabilities.ndim != 2:
        return None
    out = np.zeros((len(fold.probabilities), len(classes)))
    position = {label: i for i, label in enumerate(classes.tolist())}
    out[:, [position[label] for label in fold.classes.tolist()]] = fold.probabilities
    return out
