"""Check the splits of a cross-validation by speaker, and fit and score one fold."""

import pickle
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import joblib
import numpy as np
import numpy.typing as npt

from ..utils.cv import cv_title, list_splits
from ..utils.interrupts import stop_run_on_interrupt
from ..utils.sklearn_private import check_method_params, safe_indexing
from ._means_of_clips import RowsOfSpeakers
from ._responses import CachedResponses, of_labels
from ._scoring import score_clips, score_speakers, with_all_classes


class SpeakerFoldError(RuntimeError):
    """A fold failed. The message names the held-out speakers; the original error is chained."""


@dataclass
class Fold:
    """Scores, predictions and times of one fold, or the error that ended it."""

    scores: dict = field(default_factory=dict)  # metric -> float
    speaker_scores: dict = field(default_factory=dict)  # metric -> floats by held-out speaker
    train_scores: dict = field(default_factory=dict)
    predictions: Any = None
    probabilities: Any = None
    classes: Any = None
    fit_time: float = np.nan
    score_time: float = np.nan
    estimator: Any = None
    error: Exception | None = None
    traceback: str = ""


def check_splits(
    cv: Any, X: Any, y: Any, names: npt.NDArray[Any], codes: npt.NDArray[Any]
) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
    """Return the splits of `cv` as index arrays; a speaker on both sides is an error.

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
            f"speakers holds only one speaker ({str(names[0])!r}): to hold out speakers, at least "
            "two are needed"
        )
    splits = list_splits(cv, X, y, names, codes)
    for i, (train, test) in enumerate(splits):
        title = f"split {i} of {cv_title(cv)}"
        if not len(train) or not len(test):
            part = "training" if not len(train) else "test"
            raise ValueError(f"{title} has no {part} clip")
        refuse_shared_speakers(train, test, names, codes, title)
    return splits


def refuse_shared_speakers(
    train: npt.NDArray[Any],
    test: npt.NDArray[Any],
    names: npt.NDArray[Any],
    codes: npt.NDArray[Any],
    title: str,
) -> None:
    """Raise ValueError if a speaker is on both sides of a split.

    Parameters
    ----------
    train, test : ndarray of int
        Positions of clips.
    names : ndarray of shape (n_speakers,)
    codes : ndarray of int of shape (n_clips,)
        ``names[codes]`` are the speakers.
    title : str
        Name of the split in the error message.
    """
    heard, tested = np.zeros(len(names), dtype=bool), np.zeros(len(names), dtype=bool)
    heard[codes[train]] = True
    tested[codes[test]] = True
    shared = np.flatnonzero(heard & tested)
    if len(shared):
        listed = ", ".join(repr(str(name)) for name in names[shared][:3])
        more = f" and {len(shared) - 3} more" if len(shared) > 3 else ""
        raise ValueError(
            f"{title} has clips of {listed}{more} in both its training and its test part. A score "
            "on speakers of the training part says nothing about new ones. Use a group splitter, "
            "such as LeaveOneGroupOut(), GroupKFold(), StratifiedGroupKFold(), "
            "StratifiedGroupShuffleSplit()"
        )


@contextmanager
def torch_threads(n_threads: int | None) -> Iterator[None]:
    """Limit the threads of torch, if it is loaded, inside the block; None means no limit."""
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


def threads_per_job(n_jobs: int | None, n_folds: int) -> int | None:
    """Return the number of torch threads for each parallel fold, or None if only one runs."""
    n_workers = min(joblib.effective_n_jobs(n_jobs), n_folds)
    return None if n_workers < 2 else max(1, joblib.cpu_count() // n_workers)


def run_fold(
    estimator: Any,
    X: Any,
    y: Any,
    codes: npt.NDArray[Any],
    split: tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]],
    scorers: dict[str, Any],
    fit_params: dict[str, Any],
    score_params: dict[str, dict[str, Any]],
    *,
    prefix: Any = None,
    train_score: bool = False,
    keep_estimator: bool = False,
    n_threads: int | None = None,
) -> Fold:
    """Fit on the training part and score the test part; an error is returned, not raised.

    Parameters
    ----------
    estimator : estimator instance
        An unfitted estimator that no other fold uses.
    X, y : array-likes of shape (n_clips, ...)
    codes : ndarray of int of shape (n_clips,)
        Speakers as numbers.
    split : (ndarray of int, ndarray of int, ndarray of int)
        Training clips, test clips, and labelled training clips.
    scorers : dict of str to callable
    fit_params : dict
        For all clips.
    score_params : dict of str to dict
        For all clips.
    prefix : Pipeline or None, default=None
        Fitted first steps whose output is X.
    train_score : bool, default=False
    keep_estimator : bool, default=False
    n_threads : int or None, default=None
        Number of torch threads.

    Returns
    -------
    fold : Fold
    """
    train, test, labelled = split
    fold = Fold()
    start = time.perf_counter()
    try:
        with torch_threads(n_threads):
            with stop_run_on_interrupt():
                estimator.fit(
                    safe_indexing(X, train),
                    safe_indexing(y, train),
                    **check_method_params(X, fit_params, indices=train),
                )
            fold.fit_time = time.perf_counter() - start
            start = time.perf_counter()
            _score_test_clips(fold, estimator, X, y, codes, test, scorers, score_params)
            fold.score_time = time.perf_counter() - start
            if train_score:
                X_train, y_train = safe_indexing(X, labelled), safe_indexing(y, labelled)
                responses = CachedResponses(estimator, X_train)
                for name, scorer in with_all_classes(scorers, estimator, y_train).items():
                    given = check_method_params(X, score_params[name], indices=labelled)
                    fold.train_scores |= score_clips(
                        name, scorer, responses, X_train, y_train, given
                    )
    except Exception as error:  # noqa: BLE001  the caller raises it or warns
        fold = Fold(error=_portable(error), traceback=traceback.format_exc())
    if keep_estimator and fold.error is None:
        fold.estimator = estimator
        if prefix is not None:
            fold.estimator = type(estimator)(
                prefix.steps + estimator.steps, memory=estimator.memory, verbose=estimator.verbose
            )
    return fold


def _score_test_clips(fold, estimator, X, y, codes, test, scorers, score_params):
    X_test, y_test = safe_indexing(X, test), safe_indexing(y, test)
    scorers = with_all_classes(scorers, estimator, y_test)
    responses = CachedResponses(estimator, X_test)
    metrics_of = {}
    for name, scorer in scorers.items():
        given = check_method_params(X, score_params[name], indices=test)
        scores = score_clips(name, scorer, responses, X_test, y_test, given)
        fold.scores |= scores
        metrics_of[name] = list(scores)
    rows_of_speakers = RowsOfSpeakers(codes[test])
    if len(rows_of_speakers) == 1:
        fold.speaker_scores = {key: [value] for key, value in fold.scores.items()}
    else:

        def params_of(name: str, rows: npt.NDArray[np.intp]) -> dict[str, Any]:
            return check_method_params(X, score_params[name], indices=test[rows])

        fold.speaker_scores = score_speakers(
            scorers, responses, y_test, rows_of_speakers, params_of, metrics_of, fold.scores
        )
    if hasattr(estimator, "predict"):
        fold.predictions = responses.response("predict")
    if hasattr(estimator, "predict_proba") and hasattr(estimator, "classes_"):
        probabilities = responses.response("predict_proba")
        if np.ndim(y_test) == 2:
            fold.probabilities = of_labels(probabilities, estimator.classes_)
        else:
            fold.probabilities = np.asarray(probabilities)
            fold.classes = np.asarray(estimator.classes_)


def _portable(error):
    """Return the exception, or a copy of its message if it cannot be pickled."""
    try:
        pickle.loads(pickle.dumps(error))
    except (TypeError, AttributeError, ValueError, pickle.PicklingError):
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
