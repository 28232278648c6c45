"""Hyperparameter search with Optuna's samplers and pruners, in scikit-learn's interface."""

import os
from collections.abc import Callable, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import optuna
from optuna.pruners import BasePruner
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage
from optuna.trial import TrialState
from sklearn.base import clone
from sklearn.utils import indexable

from ..model_selection._routing import groups_params, routing_enabled
from ..model_selection._scoring import for_all_classes
from ..store._clipwise_features import ClipwiseFeatures, may_share
from ..store._feature_cache import as_feature_cache
from ..utils.optuna_private import storage_of
from ..utils.sklearn_private import (
    BaseSearchCV,
    DocumentedMixin,
    HasMethods,
    Interval,
    check_method_params,
    fit_context,
    map_scorers,
    scorers_by_name,
)
from ._outcome import refit, run_trials, set_best_trial
from ._preparation import check_backend, open_study_of, splits_of
from ._results import collect, format_results
from ._run import Task
from ._space import as_space
from ._storage import close
from ._study import quiet_log


class OptunaSearchCV(DocumentedMixin, BaseSearchCV):
    """Hyperparameter search with Optuna, scored by cross-validation.

    A trial is one setting of the parameters. It is fitted and scored fold by fold, as in any
    scikit-learn search. After each fold, a pruner sees the mean of the scores so far and may
    stop the trial.

    Parameters
    ----------
    estimator : estimator instance
        The estimator to tune, usually a pipeline.
    param_distributions : dict of str to optuna distribution or dict, or callable
        The search space: distributions by parameter name, such as
        ``{"melspectrogram__n_mels": IntDistribution(20, 80)}``; or choices by label if they are
        neither numbers nor strings, such as ``{"scaler": {"none": "passthrough", "standard":
        StandardScaler()}}``; see :func:`suggest_search_space`. If some parameters depend on
        others, a function that takes an Optuna trial and returns parameters by name. It is
        called again for finished trials, so its result must depend only on what the trial
        suggests.
    n_trials : int, default=20
        Total number of trials, including those of earlier searches in the same study.
    timeout : float or None, default=None
        Seconds after which no new trial begins. Trials in this process then run to their end;
        those in worker processes are stopped and run again when the search is resumed. A trial
        that never ends can be stopped only in a worker process, that is, with ``n_jobs`` above
        1; on a Dask cluster the search continues without it, but its worker remains occupied.
        If a trial in a worker process kills that process or runs out of memory, only that trial
        is lost. A trial that raises MemoryError fails like any other.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in :class:`sklearn.model_selection.GridSearchCV`.
    refit : bool, str or callable, default=True
        As in GridSearchCV. With several metrics, a string also names the one that
        the search maximises; otherwise that is the first one.
    cv : int, splitter, iterable or None, default=None
        As in GridSearchCV; use a group splitter, such as GroupKFold, and pass ``groups`` to
        ``fit``.
    n_jobs : int or None, default=None
        Number of trials that run in parallel on joblib's active backend ("loky", "threading" or
        "dask"; "multiprocessing" raises an error, because it never notices that a worker was
        killed). The folds of a trial run in sequence.
    study : optuna.Study or None, default=None
        A study to continue, with its own storage, sampler and pruner.
    storage : str, os.PathLike, optuna storage or None, default=None
        Where trials are stored: a URL such as ``sqlite:///search.db`` or
        ``postgresql+psycopg://user@host/db``, or the path of a journal file, which suits
        network drives. A search that was stopped or killed continues where it left off; several
        processes or machines may run the same search at once.
    study_name : str or None, default=None
        Name of the study in the storage; ``{data}`` in it is replaced by a digest of the data,
        the folds, the scoring and the estimator. None means ``"search-{data}"``, so each outer
        fold of a nested search has its own study. If X holds paths, the digest is that of the
        paths, the sizes of all files and the beginnings of 256 of them.
    sampler : optuna sampler or None, default=None
        None means TPE, seeded by `random_state` and the number of the trial. The notes say what
        is reproducible with which sampler.
    pruner : optuna pruner or None, default=None
        None means :class:`FoldPruner`: a trial continues after its first fold if it is among the
        best quarter of the trials, and after its second fold if it is among the best eighth. With
        `prune_by_epoch`, half of the trials also stop after the second quarter of the epochs of
        the first fold. A pruner of your own is called with the number of folds run as the step;
        with `prune_by_epoch`, with the number of quarters of folds.

        Every pruner decides by the first folds. If speakers differ more than settings, it may
        stop the setting that is best over all folds; ``optuna.pruners.NopPruner()`` lets all
        trials run all folds.

        So that the first trials have others to be compared with, up to ten trials (at most half
        of `n_trials`) run their first fold before any of them continues. This is not done with a
        `timeout`, with a `sampler` that learns, or without memory for their features.
    random_state : int, RandomState instance or None, default=None
        Seed of the default sampler.
    error_score : "raise" or float, default=nan
        Score of a fold that fails. With NaN, the other folds of the trial are not run, because
        its mean would be NaN anyway.
    return_train_score : bool, default=False
        Whether to score the training clips too.
    callbacks : list of callables or None, default=None
        Called with the study and each trial that this process finishes, as in
        ``optuna.Study.optimize``; a callback may call ``study.stop()``.
    verbose : int, default=0
        Whether to show a progress bar with the best score so far.
    memory : str, os.PathLike, FeatureCache, joblib.Memory or None, default=None
        Folder in which features are kept for other searches over the same clips; see the notes.
    prune_by_epoch : bool, default=False
        Whether to consult the pruner after each quarter of the epochs of a fold too, with the
        score of the current weights on the held-out clips. This works if the last step is a
        network of this library. Trials that are not stopped get the same scores as without it.
        Trials must run in this process (``n_jobs=1``); several processes with the same
        `storage` may run in parallel.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray or list
        As in GridSearchCV. ``"n_folds_run"`` is the number of folds that each trial ran, and
        ``"pruned"`` says whether the pruner stopped it. A pruned trial has NaN for its other
        folds and its means, and it ranks last. ``"partial_mean_test_score"`` is the mean over
        the folds that ran, so it does not compare trials with different ``"n_folds_run"``.
    best_estimator_, best_score_, best_params_, best_index_, refit_time_, scorer_, n_splits_, \
            multimetric_, classes_, n_features_in_
        As in GridSearchCV.
    study_ : optuna.Study
        The study, for Optuna's plots and dashboard. Each trial has the user attributes
        ``fold_0``, ``fold_1`` and so on. ``cv_results_`` lists the trials in the order of their
        slots, without interrupted trials, which the study shows as failed.

    Raises
    ------
    ValueError
        If the study belongs to a search over other data, folds or estimators, if all fits fail,
        if `prune_by_epoch` is set and trials run in other processes, or with joblib's
        "multiprocessing" backend.
    OSError
        If the storage cannot be used; the message names it.
    KeyboardInterrupt
        If the search is interrupted. The running fold is not stored and runs again in the next
        search; finished folds and trials stay in the storage.

    Notes
    -----
    The first steps of a pipeline that process each clip independently (this library's own
    steps: reading files, spectrograms) are computed once per setting for all clips, and each
    fold takes a slice; the scores are the same. This is not done if a scorer is your own
    function, because it may need the clips themselves.

    **Interrupted searches.** A process may be killed at any moment. The next search on the
    study marks its running trials as failed and takes over their parameters and finished folds:
    at once on the same machine, after 90 seconds without a heartbeat on another machine. A fold
    during which the process ended three times is recorded as failed.

    **Reproducible draws.** With ``RandomSampler``, ``GridSampler`` and ``QMCSampler``, the
    parameters in the k-th row of `cv_results_` depend only on the seed of the sampler and on k.
    They do not depend on `n_jobs`, on the number of processes that share the study, or on
    interruptions. (They differ from those of ``study.optimize`` with the same RandomSampler,
    which draws all trials from one sequence. The dimensions of a QMCSampler's sequence are the
    parameters of the first trial, as in Optuna. A sampler without a seed draws differently in
    each search.) The default TPE draws the k-th trial from `random_state`, k and the results
    that the study holds at that time. With ``n_jobs=1`` and one process, it therefore draws the
    same parameters whether or not the search was interrupted. Other samplers that learn
    guarantee nothing after an interruption, except that a trial that is run again keeps its
    parameters.

    To search on several machines with Dask::

        from dask.distributed import Client
        client = Client("scheduler:8786")
        with joblib.parallel_config("dask"):
            search.fit(X, y, groups=speakers)

    or run the same script on each machine with the same `storage`;
    ``examples/search_beyond_one_machine.py`` does both. Clips that are files must have the same
    paths on all machines.

    If the features of all clips have the same shape, `memory` stores them clip by clip, so the
    outer folds of a nested search share them.

    Examples
    --------
    >>> from optuna.distributions import FloatDistribution
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_speech import OptunaSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": FloatDistribution(1e-3, 10.0, log=True)}
    >>> search = OptunaSearchCV(
    ...     LogisticRegression(max_iter=1000), space, n_trials=8, random_state=0
    ... ).fit(X, y)
    >>> print(list(search.best_params_), search.best_score_ > 0.9)
    ['C'] True
    """

    _parameter_constraints = {
        name: constraint
        for name, constraint in BaseSearchCV._parameter_constraints.items()
        if name != "pre_dispatch"
    } | {
        "param_distributions": [dict, callable],
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "timeout": [Interval(Real, 0, None, closed="neither"), None],
        "study": [HasMethods(["ask", "tell"]), None],
        "storage": [str, os.PathLike, HasMethods(["create_new_study"]), None],
        "study_name": [str, None],
        "sampler": [HasMethods(["sample_relative"]), None],
        "pruner": [HasMethods(["prune"]), None],
        "random_state": ["random_state"],
        "callbacks": [list, tuple, None],
        "prune_by_epoch": ["boolean"],
        "memory": [str, os.PathLike, HasMethods(["get"]), HasMethods(["cache"]), None],
    }

    def __init__(
        self,
        estimator: Any,
        param_distributions: dict[str, Any] | Callable[[Any], dict[str, Any]],
        *,
        n_trials: int = 20,
        timeout: float | None = None,
        scoring: Any = None,
        refit: Any = True,
        cv: Any = None,
        n_jobs: int | None = None,
        study: optuna.Study | None = None,
        storage: str | os.PathLike | BaseStorage | None = None,
        study_name: str | None = None,
        sampler: BaseSampler | None = None,
        pruner: BasePruner | None = None,
        random_state: int | np.random.RandomState | None = None,
        error_score: float | str = np.nan,
        return_train_score: bool = False,
        callbacks: Sequence[Callable[[optuna.Study, Any], None]] | None = None,
        verbose: int = 0,
        memory: Any = None,
        prune_by_epoch: bool = False,
    ) -> None:
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_trials = n_trials
        self.timeout = timeout
        self.scoring = scoring
        self.refit = refit
        self.cv = cv
        self.n_jobs = n_jobs
        self.study = study
        self.storage = storage
        self.study_name = study_name
        self.sampler = sampler
        self.pruner = pruner
        self.random_state = random_state
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.callbacks = callbacks
        self.verbose = verbose
        self.memory = memory
        self.prune_by_epoch = prune_by_epoch

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any = None, **params: Any) -> "OptunaSearchCV":
        """Search, then fit an estimator with the best parameters on all clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Input of the estimator: paths, waveforms or spectrograms.
        y : array-like of shape (n_clips,), default=None
            Targets.
        **params : dict
            Arguments of the estimator's ``fit``, the scorer and the splitter;
            ``groups`` are the speakers.

        Returns
        -------
        self : OptunaSearchCV
        """
        check_backend(self.n_jobs, self.prune_by_epoch)
        scorers, refit_metric = self._get_scorers()
        space = as_space(self.param_distributions)
        X, y = indexable(X, y)
        params = check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        fit_params = routed.estimator.fit
        if not routing_enabled() and params.get("groups") is not None:
            # steps that split the training clips again, for early stopping, need the groups too
            fit_params = groups_params(self.estimator, params["groups"]) | fit_params
        splits = splits_of(self, X, y, routed.splitter.split)
        self.n_splits_ = len(splits)
        features = None
        if may_share(self.estimator, scorers, fit_params):
            features = ClipwiseFeatures(X, as_feature_cache(self.memory))
        task = Task(
            estimator=clone(self.estimator),
            space=space,
            X=X,
            y=y,
            splits=splits,
            options={
                "scorer": map_scorers(for_all_classes, scorers),
                "fit_params": fit_params,
                "score_params": routed.scorer.score,
                "return_train_score": self.return_train_score,
                "error_score": self.error_score,
            },
            metric=self.refit if isinstance(self.refit, str) else None,
            by_epoch=self.prune_by_epoch,
            features=features,
        )
        with quiet_log():
            self.study_, sampler = open_study_of(
                self,
                X,
                y,
                routed.splitter.split.get("groups"),
                splits,
                [fit_params, routed.scorer.score],
            )
            try:
                trials = run_trials(self, task, sampler)
            finally:
                if isinstance(self.storage, (str, os.PathLike)):
                    close(storage_of(self.study_))
        candidates, folds = collect(trials, space, len(splits))
        pruned = [trial.state == TrialState.PRUNED for trial in trials]
        results = format_results(self, candidates, folds, pruned)
        set_best_trial(self, results, refit_metric)
        if self.refit:
            refit(self, task, fit_params)
        named = scorers_by_name(scorers)
        self.scorer_ = scorers if list(named.values()) == [scorers] else named
        self.cv_results_ = results
        return self
