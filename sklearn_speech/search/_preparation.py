"""Prepare a search before its first trial: backend, folds and study."""

import warnings
from copy import deepcopy
from typing import Any

import joblib
import numpy as np
import optuna
from joblib.parallel import get_active_backend
from optuna.samplers import BaseSampler
from sklearn.base import is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state

from ..model_selection._folds import refuse_shared_speakers
from ..model_selection._unlabelled import unlabelled_clips, with_labels
from ..splits import check_speakers
from ..utils.labels import check_targets, is_without_number
from ..utils.parallel import refuse_multiprocessing
from ._dask import dask_backend
from ._fold_pruner import FoldPruner
from ._samplers import TrialSeededTPESampler, depends_on_n_jobs, per_trial
from ._study import describe, open_study
from ._trial_folds import CHECKS_PER_FOLD
from ._workers import in_this_process


def check_backend(n_jobs: int | None, prune_by_epoch: bool) -> None:
    """Raise ValueError if joblib's active backend cannot run the trials of a search.

    Parameters
    ----------
    n_jobs : int or None
    prune_by_epoch : bool

    Raises
    ------
    ValueError
        For the "multiprocessing" backend, and if trials would run in other processes with
        `prune_by_epoch`.
    """
    if dask_backend() is None and joblib.effective_n_jobs(n_jobs) > 1:
        refuse_multiprocessing("OptunaSearchCV")
    if prune_by_epoch and not in_this_process(n_jobs):
        raise ValueError(
            f"prune_by_epoch=True with n_jobs={n_jobs} and joblib's backend "
            f"{type(get_active_backend()[0]).__name__}: folds can only be pruned by epoch in this "
            "process, that is with n_jobs=1; to run trials in parallel, start several processes "
            "with the same storage"
        )


def splits_of(
    search: Any, X: Any, y: Any, split_params: dict[str, Any]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the folds of a search; their test parts contain labelled clips only.

    Parameters
    ----------
    search : OptunaSearchCV
    X, y : array-likes of shape (n_clips, ...)
    split_params : dict
        Arguments of the splitter; ``groups`` are the speakers.

    Returns
    -------
    splits : list of (ndarray of int, ndarray of int)

    Raises
    ------
    ValueError
        If the splitter is inconsistent, or a speaker is on both sides of a split.
    """
    if y is not None:
        check_targets(y, gaps=is_without_number)  # scikit-learn's errors do not name the clip
    cv = check_cv(search.cv, y, classifier=is_classifier(search.estimator))
    splits = list(cv.split(X, y, **split_params))
    n_splits = cv.get_n_splits(X, y, **split_params)
    if not splits:
        raise ValueError(
            f"cv={search.cv!r} yields no split: expected at least one pair of training and test "
            "clips"
        )
    if len(splits) != n_splits:
        raise ValueError(
            f"cv={search.cv!r}: its split and get_n_splits are inconsistent; expected {n_splits} "
            f"splits, got {len(splits)}"
        )
    if (groups := split_params.get("groups")) is not None:
        names, codes = check_speakers(groups, len(groups), name="groups")
        for i, (train, test) in enumerate(splits):
            refuse_shared_speakers(train, test, names, codes, f"split {i} of cv={search.cv!r}")
    if y is not None:
        space = search.param_distributions
        searched = space if isinstance(space, dict) else ()
        labelled = with_labels(splits, unlabelled_clips(search.estimator, y, searched))
        splits = [(train, test) for train, test, _ in labelled]
    return splits


def open_study_of(
    search: Any,
    X: Any,
    y: Any,
    groups: Any,
    splits: list[tuple[np.ndarray, np.ndarray]],
    params: list[dict[str, Any]],
) -> tuple[optuna.Study, BaseSampler]:
    """Return the study of a search, and the sampler that draws its trials.

    Parameters
    ----------
    search : OptunaSearchCV
    X, y, groups : array-likes of shape (n_clips, ...)
    splits : list of (ndarray of int, ndarray of int)
    params : list of dict
        Parameters passed to ``fit`` and to the scoring.

    Returns
    -------
    study : optuna.Study
    sampler : optuna.samplers.BaseSampler

    Raises
    ------
    ValueError
        If a study is given together with a storage, name, sampler or pruner, or if it belongs
        to another search.

    Warns
    -----
    UserWarning
        If `n_jobs` affects what the sampler draws.
    """
    own = ("storage", "sampler", "pruner")
    given = [name for name in own if getattr(search, name) is not None]
    if search.study is not None and given:
        raise ValueError(f"study and {given[0]} are both given; a study has its own {given[0]}")
    sampler = deepcopy(search.sampler)  # every fit starts from the same state
    if sampler is None:
        seed = int(check_random_state(search.random_state).randint(np.iinfo(np.int32).max))
        sampler = TrialSeededTPESampler(seed)
    study = open_study(
        search.study,
        search.storage,
        search.study_name,
        sampler,
        default_pruner(search.prune_by_epoch) if search.pruner is None else search.pruner,
        describe(
            search.estimator,
            X,
            y,
            groups,
            splits,
            search.scoring,
            params,
            search.param_distributions,
            search.prune_by_epoch,
        ),
    )
    drawing = per_trial(study.sampler)
    if search.sampler is not None and drawing is sampler and study.get_trials(deepcopy=False):
        sampler.reseed_rng()  # otherwise a resumed search would repeat its first draws
    if joblib.effective_n_jobs(search.n_jobs) > 1 and depends_on_n_jobs(study.sampler):
        warnings.warn(
            f"n_jobs={search.n_jobs}: {type(study.sampler).__name__} learns from finished trials, "
            "so its draws depend on how many trials run in parallel; those of RandomSampler, "
            "GridSampler and QMCSampler do not",
            UserWarning,
            stacklevel=4,
        )
    return study, drawing


def default_pruner(prune_by_epoch: bool) -> FoldPruner:
    """Return the default pruner; its steps are folds, or quarters of folds."""
    if not prune_by_epoch:
        return FoldPruner()
    first = CHECKS_PER_FOLD
    return FoldPruner({first // 2: 1 / 2, first: 1 / 4, 2 * first: 1 / 8})
