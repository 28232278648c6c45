"""One fold after the other: splits without a shared speaker, fitted, scored and asked once."""

import pickle
import sys
import time
import traceback
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field

import joblib
import numpy as np
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from ..utils.sklearn_private import check_method_params, safe_indexing
from ._scoring import AskedOnce, score_once


class SpeakerFoldError(RuntimeError):
    """A fold failed; the message names the speakers that it held out, the cause says why."""


@dataclass
class Fold:
    """What came out of one fold."""

    scores: dict = field(default_factory=dict)  # metric -> float
    speaker_scores: dict = field(default_factory=dict)  # metric -> one float a held-out speaker
    train_scores: dict = field(default_factory=dict)
    predictions: object = None
    probabilities: object = None
    classes: object = None
    fit_time: float = np.nan
    score_time: float = np.nan
    estimator: object = None
    error: object = None
    traceback: str = ""


def check_splits(cv, X, y, names, codes):
    """The splits of `cv` by speaker, as index arrays; a shared speaker is an error.

    Parameters
    ----------
    cv : int, splitter, iterable or None
    X, y : array-likes of shape (n_clips, ...)
    names : ndarray of shape (n_speakers,)
    codes : ndarray of int of shape (n_clips,)
        ``names[codes]`` are the speakers.

    Returns
    -------
    splits : list of (ndarray of int, ndarray of int)
    """
    if len(names) < 2:
        raise ValueError(
            f"speakers holds one speaker only ({str(names[0])!r}): to hold speakers out, at least "
            "two are needed"
        )
    if cv is None:
        cv = LeaveOneGroupOut()
    elif isinstance(cv, (int, np.integer)) and not isinstance(cv, bool):
        cv = GroupKFold(n_splits=int(cv))
    if hasattr(cv, "split"):
        with warnings.catch_warnings():
            # what such a splitter yields is judged below
            warnings.filterwarnings("ignore", message="The groups parameter is ignored")
            splits = list(cv.split(X, y, groups=names[codes]))
    else:
        try:
            splits = list(cv)
        except TypeError as error:
            raise ValueError(
                f"cv={cv!r}: expected a splitter by group, a number of folds or an iterable of "
                "(train, test) positions"
            ) from error
    shown = f"cv={cv!r}" if hasattr(cv, "split") else "cv"  # a list of arrays fills the screen
    if not splits:
        raise ValueError(f"{shown} yields no split")
    checked = []
    for i, (train, test) in enumerate(splits):
        train, test = _positions(train, len(codes), i), _positions(test, len(codes), i)
        if not len(train) or not len(test):
            part = "training" if not len(train) else "test"
            raise ValueError(f"split {i} of {shown} has no {part} clip")
        refuse_shared_speakers(train, test, names, codes, f"split {i} of {shown}")
        checked.append((train, test))
    return checked


def refuse_shared_speakers(train, test, names, codes, title):
    """Raise where a speaker is on both sides of a split.

    Parameters
    ----------
    train, test : ndarray of int
        Positions of clips.
    names : ndarray of shape (n_speakers,)
    codes : ndarray of int of shape (n_clips,)
        ``names[codes]`` are the speakers.
    title : str
        What the error calls the split.
    """
    shared = np.intersect1d(codes[train], codes[test])
    if len(shared):
        listed = ", ".join(repr(str(name)) for name in names[shared][:3])
        more = f" and {len(shared) - 3} more" if len(shared) > 3 else ""
        raise ValueError(
            f"{title} has clips of {listed}{more} in both its training and its test part; a score "
            "on speakers that were heard in training says nothing about new ones. Use a splitter "
            "by group: LeaveOneGroupOut(), GroupKFold(), StratifiedGroupKFold(), "
            "StratifiedGroupShuffleSplit()"
        )


def _positions(part, n_clips, i):
    part = np.asarray(part)
    if part.dtype == bool and part.shape == (n_clips,):
        return np.flatnonzero(part)
    if part.ndim != 1 or (len(part) and part.dtype.kind not in "iu"):
        raise ValueError(
            f"split {i} of cv holds {part.dtype} of shape {part.shape}: expected positions of clips"
        )
    if len(part) and (part.min() < 0 or part.max() >= n_clips):
        raise ValueError(f"split {i} of cv has positions outside 0 to {n_clips - 1}")
    return part.astype(np.intp)


@contextmanager
def torch_threads(n_threads):
    """Hold torch to some threads inside the block, where it is loaded; None leaves it alone."""
    torch = sys.modules.get("torch")
    if torch is None or n_threads is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def threads_per_job(n_jobs, n_folds):
    """Threads that each of some simultaneous folds may use, None where only one runs."""
    n_workers = min(joblib.effective_n_jobs(n_jobs), n_folds)
    return None if n_workers < 2 else max(1, joblib.cpu_count() // n_workers)


def run_fold(
    estimator,
    X,
    y,
    codes,
    split,
    scorers,
    fit_params,
    score_params,
    *,
    prefix=None,
    train_score=False,
    keep_estimator=False,
    n_threads=None,
):
    """Fit on the training part, score and predict the test part; a failure is kept, not raised.

    Parameters
    ----------
    estimator : estimator instance
        Unfitted, this fold's own.
    X, y : array-likes of shape (n_clips, ...)
    codes : ndarray of int of shape (n_clips,)
        Speakers as numbers.
    split : (ndarray of int, ndarray of int, ndarray of int)
        Training clips, test clips, and training clips that have labels.
    scorers : dict of str to callable
    fit_params : dict
        For all clips.
    score_params : dict of str to dict
        For all clips.
    prefix : Pipeline or None, default=None
        Fitted first steps, computed beforehand: X is what comes out of them.
    train_score : bool, default=False
    keep_estimator : bool, default=False
    n_threads : int or None, default=None
        Threads for torch.

    Returns
    -------
    fold : Fold
    """
    train, test, labelled = split
    fold = Fold()
    start = time.perf_counter()
    try:
        with torch_threads(n_threads):
            estimator.fit(
                safe_indexing(X, train),
                safe_indexing(y, train),
                **check_method_params(X, fit_params, indices=train),
            )
            fold.fit_time = time.perf_counter() - start
            start = time.perf_counter()
            _judge(fold, estimator, X, y, codes, test, scorers, score_params)
            fold.score_time = time.perf_counter() - start
            if train_score:
                X_train, y_train = safe_indexing(X, labelled), safe_indexing(y, labelled)
                asked = AskedOnce(estimator, X_train)
                for name, scorer in scorers.items():
                    given = check_method_params(X, score_params[name], indices=labelled)
                    fold.train_scores |= score_once(name, scorer, asked, X_train, y_train, given)
    except Exception as error:  # noqa: BLE001  the caller raises it, or says which fold has no score
        fold = Fold(error=_portable(error), traceback=traceback.format_exc())
    if keep_estimator and fold.error is None:
        fold.estimator = estimator
        if prefix is not None:
            fold.estimator = type(estimator)(
                prefix.steps + estimator.steps, memory=estimator.memory, verbose=estimator.verbose
            )
    return fold


def _judge(fold, estimator, X, y, codes, test, scorers, score_params):
    X_test, y_test = safe_indexing(X, test), safe_indexing(y, test)
    rows = [np.flatnonzero(codes[test] == speaker) for speaker in np.unique(codes[test])]
    parts = [(safe_indexing(X_test, r), r) for r in rows] if len(rows) > 1 else []
    asked = AskedOnce(estimator, X_test, parts)
    for name, scorer in scorers.items():
        given = check_method_params(X, score_params[name], indices=test)
        scores = score_once(name, scorer, asked, X_test, y_test, given)
        fold.scores |= scores
        fold.speaker_scores |= {key: [] if parts else [value] for key, value in scores.items()}
        for part, r in parts:
            given = check_method_params(X, score_params[name], indices=test[r])
            try:
                of_speaker = score_once(name, scorer, asked, part, safe_indexing(y_test, r), given)
            except (ArithmeticError, LookupError, ValueError):
                # no value for one speaker alone, as an AUC of one class has none
                of_speaker = {}
            for key in scores:
                fold.speaker_scores[key].append(of_speaker.get(key, np.nan))
    if hasattr(estimator, "predict"):
        fold.predictions = asked.predict(X_test)
    if hasattr(estimator, "predict_proba") and hasattr(estimator, "classes_"):
        fold.probabilities = np.asarray(asked.predict_proba(X_test))
        fold.classes = np.asarray(estimator.classes_)


def _portable(error):
    """The exception, or one that says the same, if it would not survive another process."""
    try:
        pickle.loads(pickle.dumps(error))
    except (TypeError, AttributeError, ValueError, pickle.PicklingError):
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
