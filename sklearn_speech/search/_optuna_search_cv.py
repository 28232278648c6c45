"""Hyperparameter search with Optuna's samplers and pruners, as a search of scikit-learn."""

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
from ..store._clipwise_features import ClipwiseFeatures, as_feature_cache, may_share
from ..utils.optuna_private import storage_of
from ..utils.sklearn_private import (
    BaseSearchCV,
    HasMethods,
    Interval,
    check_method_params,
    fit_context,
    scorers_by_name,
)
from ._outcome import choose, refit, run_trials
from ._preparation import check_backend, open_study_of, splits_of
from ._results import collect, format_results
from ._run import Task
from ._space import as_space
from ._storage import close
from ._study import quiet_log


class OptunaSearchCV(BaseSearchCV):
    """Search of hyperparameters by Optuna, judged by cross-validation.

    A trial is one setting of the parameters. It is fitted and scored fold by fold, as in
    any search of scikit-learn. After each fold, a pruner sees the mean of the scores so
    far, and may stop the trial.

    Parameters
    ----------
    estimator : estimator instance
        What is to be tuned, usually a pipeline.
    param_distributions : dict of str to optuna distribution or dict, or callable
        What to search: distributions by parameter name, such as
        ``{"melspectrogram__n_mels": IntDistribution(20, 80)}``; choices by label where they
        are neither numbers nor strings, such as ``{"scaler": {"none": "passthrough",
        "standard": StandardScaler()}}``; see :func:`suggest_search_space`. Or a function
        that takes a trial of Optuna and returns parameters by name, where some
        parameters depend on others. It is called again for finished trials, so its result
        must depend only on what the trial suggests.
    n_trials : int, default=20
        Trials in all, including those of earlier searches in the same study.
    timeout : float or None, default=None
        Seconds after which no trial begins. Trials in this process then run to
        their end; those in worker processes are stopped, and run again when the
        search is resumed. A trial that never ends can only be stopped in
        a worker process, that is with ``n_jobs`` above 1; on a Dask cluster the search
        goes on without it, and its worker stays occupied. Likewise, a trial that kills
        its process or runs out of memory costs only itself when it runs in a worker
        process. A trial that raises MemoryError fails like any other.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in :class:`sklearn.model_selection.GridSearchCV`.
    refit : bool, str or callable, default=True
        As in GridSearchCV. With several metrics, a string also names the one that
        the search maximises; otherwise that is the first one.
    cv : int, splitter, iterable or None, default=None
        As in GridSearchCV; take a splitter by group, such as GroupKFold, and pass
        ``groups`` to ``fit``.
    n_jobs : int or None, default=None
        Number of trials that run in parallel, by joblib's active backend ("loky",
        "threading" or "dask"; "multiprocessing" is refused, as it never notices that a
        worker was killed). The folds of a trial run one after the other.
    study : optuna.Study or None, default=None
        A study to continue; it has its own storage, sampler and pruner.
    storage : str, os.PathLike, optuna storage or None, default=None
        Where trials are stored: a URL such as ``sqlite:///search.db`` or
        ``postgresql+psycopg://user@host/db``, or the path of a journal file, which
        is suited to network drives. A search that was stopped or killed continues where
        it was; several processes or machines may run the same search at once.
    study_name : str or None, default=None
        Name of the study in the storage; ``{data}`` in it stands for a digest of
        the data, the folds, the scoring and the estimator. None is
        ``"search-{data}"``, so that each outer fold of a nested search has its own
        study.
    sampler : optuna sampler or None, default=None
        None is TPE, seeded by `random_state` and the number of the trial. See the notes
        for what is reproducible with which sampler.
    pruner : optuna pruner or None, default=None
        None is :class:`FoldPruner`: the best quarter of the trials goes on after the first
        fold, the best eighth after the second, each compared on the same folds. At the
        start of a study, up to ten trials (at most half of `n_trials`) run their first fold
        before any of them goes on, unless there is a `timeout`, a `sampler` that learns, or
        no memory for more features.
        Steps count the folds run, from 1; with `prune_by_epoch` they count quarters of
        folds, and half of the trials stop after the second quarter of the first fold.
        Every pruner judges by the first folds. It may stop the setting that is best over
        all folds where speakers differ more than settings;
        ``optuna.pruners.NopPruner()`` lets all trials run all folds.
    random_state : int, RandomState instance or None, default=None
        Seed of the default sampler.
    error_score : "raise" or float, default=nan
        Score of a fold that fails. With NaN the other folds of the trial are not run,
        because its mean would be NaN anyway.
    return_train_score : bool, default=False
        Whether to score the training clips too.
    callbacks : list of callables or None, default=None
        Called with the study and each trial that this process finishes, as in
        ``optuna.Study.optimize``; one may call ``study.stop()``.
    verbose : int, default=0
        Whether to show a progress bar with the best score so far.
    memory : str, os.PathLike, FeatureCache, joblib.Memory or None, default=None
        Folder where features outlast the search, for other searches over the same
        clips; see the notes.
    prune_by_epoch : bool, default=False
        Whether the pruner is also asked after each quarter of the epochs of a fold;
        the held-out clips are scored by the network as it is then. Works for
        networks of this library that are the last step. Trials that are not stopped
        have the same scores as without. Trials must run in this process (``n_jobs=1``);
        several processes with the same `storage` may run in parallel.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray or list
        As in GridSearchCV. ``"n_folds_run"`` is the number of folds that each trial ran, and
        ``"pruned"`` says whether the pruner stopped it. The other folds and the means of a
        pruned trial are NaN, and it ranks last. ``"partial_mean_test_score"`` is the mean
        over the folds that ran, so trials with different ``"n_folds_run"`` should not be
        compared by it.
    best_estimator_, best_score_, best_params_, best_index_, refit_time_, scorer_, n_splits_, \
            multimetric_, classes_, n_features_in_
        As in GridSearchCV.
    study_ : optuna.Study
        For Optuna's plots and dashboard. Each trial has the user attributes
        ``fold_0``, ``fold_1`` and so on. The order of ``cv_results_`` is that of the slots
        of the trials; interrupted trials, which the study shows as failed, are left out.

    Raises
    ------
    ValueError
        When the study belongs to a search over other data, folds or estimators, when
        all fits fail, when `prune_by_epoch` is set and trials run in other processes, or
        with joblib's backend "multiprocessing".
    OSError
        When the storage cannot be used; the message names it.
    KeyboardInterrupt
        When the search is interrupted. The fold that was running is not stored and runs
        again in the next search; finished folds and trials stay in the storage.

    Notes
    -----
    The first steps of a pipeline that treat each clip alone (this library's own: reading
    files, spectrograms) are computed once for each setting over all clips, and the folds
    take slices; the scores are the same. This is not done when a scorer is your own
    function, which may need the clips themselves.

    **Interrupted searches.** A process may be killed at any moment. Its running trials are
    marked failed, and their parameters and finished folds are taken over by the next search
    on the study: at once on the same machine, after 90 seconds without a heartbeat
    from another machine. A fold during which the process ended three times is recorded as
    failed.

    **Reproducible draws.** With ``RandomSampler``, ``GridSampler`` and ``QMCSampler``, the
    parameters of the k-th row of `cv_results_` depend on the seed of the sampler and on k
    alone: not on `n_jobs`, on how many processes share the study, or on whether a search
    was interrupted. (The parameters differ from those of ``study.optimize`` with the same
    RandomSampler, which draws them from one sequence. The sequence of a QMCSampler has the
    parameters of the first trial for its dimensions, as in Optuna; a sampler without a seed
    draws differently in each search.) The default TPE draws the k-th trial by
    `random_state`, k and the results that the study holds by then: with ``n_jobs=1`` and one
    process it also draws what it would have drawn without the interruption. Other samplers
    that learn promise nothing after an interruption, except that a trial which is run again
    keeps its parameters.

    On several machines by Dask::

        from dask.distributed import Client
        client = Client("scheduler:8786")
        with joblib.parallel_config("dask"):
            search.fit(X, y, groups=speakers)

    or by running the same script on each, with the same `storage`;
    ``examples/search_beyond_one_machine.py`` does both. Clips that are files must have
    the same paths everywhere.

    `memory` stores features clip by clip, where the features of all clips have one
    shape: the outer folds of a nested search share them.

    Examples
    --------
    >>> from optuna.distributions import FloatDistribution
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn_speech.model_selection import OptunaSearchCV
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
        """Search, and fit the best setting on all clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            What the estimator takes: paths, waveforms or spectrograms.
        y : array-like of shape (n_clips,), default=None
            Targets.
        **params : dict
            Passed to the ``fit`` of the estimator, the scorer and the splitter;
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
            # steps that split once more, for early stopping, need the groups too
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
                "scorer": scorers,
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
        choose(self, results, refit_metric)
        if self.refit:
            refit(self, task, fit_params)
        named = scorers_by_name(scorers)
        self.scorer_ = scorers if list(named.values()) == [scorers] else named
        self.cv_results_ = results
        return self
