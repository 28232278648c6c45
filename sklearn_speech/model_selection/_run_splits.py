"""Check the input of a cross-validation by speaker, and run all of its folds."""

import numbers
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import clone
from sklearn.utils import indexable
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from ..store._clipwise_features import ClipwiseFeatures, may_share
from ..store._feature_cache import as_feature_cache
from ..store._split_clipwise import split_clipwise
from ..utils.chain import check_chain
from ..utils.labels import check_targets
from ..utils.parallel import in_this_folder, refuse_multiprocessing
from ..utils.speakers import check_speakers
from ..utils.values import check_container
from ._folds import Fold, SpeakerFoldError, run_fold, threads_per_job
from ._unlabelled import mark_of_unlabelled


def check_input(
    caller: str, estimator: Any, X: Any, y: Any, speakers: Any, error_score: float | str
) -> tuple[Any, npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.intp], npt.NDArray[np.bool_]]:
    """Check what every function that scores by speaker is given.

    Parameters
    ----------
    caller : str
        Name of the public function, for messages.
    estimator : estimator instance
    X, y, speakers : array-like of shape (n_clips, ...)
    error_score : "raise" or float

    Returns
    -------
    X : array-like of shape (n_clips, ...)
    y : ndarray of shape (n_clips, ...)
    names : ndarray of shape (n_speakers,)
    codes : ndarray of int of shape (n_clips,)
        ``names[codes]`` are the speakers.
    unlabelled : ndarray of bool of shape (n_clips,)
        Clips that train a pretrainer only.
    """
    if not hasattr(estimator, "fit") or isinstance(estimator, type):
        raise TypeError(f"estimator={estimator!r}: expected an instance with a fit method")
    if error_score != "raise" and not isinstance(error_score, numbers.Real):
        raise ValueError(f"error_score={error_score!r}: expected 'raise' or a number, such as nan")
    refuse_multiprocessing(caller)
    mark = mark_of_unlabelled(estimator)
    if X is None:
        raise ValueError("X=None: expected one clip, or row of features, per target")
    check_container(X, "X")
    y = check_targets(y, gaps=mark)
    X, y = indexable(X, y)
    names, codes = check_speakers(speakers, len(y))
    unlabelled = np.zeros(len(y), dtype=bool) if mark is None else mark(y)
    return X, y, names, codes, unlabelled


def run_splits(
    estimator: Any,
    X: Any,
    y: npt.NDArray[Any],
    codes: npt.NDArray[np.intp],
    splits: list[tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[Any]]],
    titles: list[str],
    held_out: list[str],
    scorers: dict[str, Any],
    fit_params: dict[str, Any],
    score_params: dict[str, dict[str, Any]],
    *,
    memory: Any,
    n_jobs: int | None,
    verbose: int,
    error_score: float | str,
    return_estimator: bool = False,
    return_train_score: bool = False,
) -> list[Fold]:
    """Fit and score a clone of the estimator on each split.

    Parameters
    ----------
    estimator : estimator instance
    X, y : array-like of shape (n_clips, ...)
    codes : ndarray of int of shape (n_clips,)
        Speakers as numbers.
    splits : list of (ndarray, ndarray, ndarray) of int
        Training clips, test clips, and labelled training clips.
    titles : list of str
        What each split is called in messages.
    held_out : list of str
        The held-out speakers of each split, for the progress bar, which has little room.
    scorers : dict of str to callable
    fit_params : dict
        For all clips.
    score_params : dict of str to dict
        For all clips.
    memory : str, os.PathLike, FeatureCache, joblib.Memory or None
        Stores the features of the clip-wise first steps.
    n_jobs : int or None
    verbose : int
        Whether to show a progress bar.
    error_score : "raise" or float
    return_estimator, return_train_score : bool, default=False

    Returns
    -------
    folds : list of Fold
        One for each split; with an error if `error_score` is a number and the fold failed.

    Raises
    ------
    SpeakerFoldError
        If a fold fails and ``error_score="raise"``.
    """
    first, rest, cache = None, estimator, as_feature_cache(memory)
    if may_share(estimator, scorers, fit_params):
        first, rest = split_clipwise(estimator)
    if first is not None:
        check_chain(estimator)
        first = clone(first)
        X = ClipwiseFeatures(X, cache).fit(first.steps)
    jobs = (
        delayed(in_this_folder(_numbered))(
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
    folds = [Fold() for _ in splits]  # replaced by the results
    with tqdm(total=len(splits), desc="held-out speakers", disable=not verbose) as bar:
        try:
            for i, fold in parallel(jobs):
                folds[i] = fold
                result = " ".join(f"{score:.3f}" for score in fold.scores.values())
                bar.set_postfix_str(f"{held_out[i]} {result}")
                bar.update()
        except _FoldFailure as failure:
            i, error, trace = failure.args
            if error.__traceback__ is None:  # the error comes from another process
                error.add_note(trace)
            raise SpeakerFoldError(
                f"{titles[i]}, failed: {type(error).__name__}: {error}"
            ) from error
    return folds


class _FoldFailure(Exception):
    """Carries the number, exception and traceback of a fold out of a job, and stops the others."""


def _numbered(i, stop, *args, **kwargs):
    fold = run_fold(*args, **kwargs)
    if stop and fold.error is not None:
        raise _FoldFailure(i, fold.error, fold.traceback)
    return i, fold
