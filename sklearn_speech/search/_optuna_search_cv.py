"""Optuna's samplers and pruners as a search of scikit-learn."""

import os
import time
import warnings
from copy import deepcopy
from numbers import Integral, Real

import joblib
import numpy as np
from joblib.parallel import get_active_backend
from optuna.trial import TrialState
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, indexable

from ..model_selection._folds import refuse_shared_speakers
from ..model_selection._routing import groups_params, routing_enabled
from ..model_selection._unlabelled import unlabelled_clips, with_labels
from ..splits import check_speakers
from ..store._clipwise import split_clipwise
from ..store._clipwise_features import ClipwiseFeatures, as_feature_cache, may_share
from ..utils.sklearn_private import (
    BaseSearchCV,
    HasMethods,
    Interval,
    check_method_params,
    fit_context,
)
from ._fold_pruner import FoldPruner
from ._results import collect, format_results
from ._run import Search, Task
from ._space import TrialSeededTPESampler, as_space, depends_on_n_jobs
from ._study import describe, open_study, quiet_log, running
from ._trial_folds import LOOKS
from ._trials import Crew
from ._workers import in_this_process


class OptunaSearchCV(BaseSearchCV):
    """Search of hyperparameters by Optuna, judged by cross-validation.

    A trial is one setting of the parameters. It is fitted and scored fold after
    fold, as by any search of scikit-learn; after each fold the mean of its
    scores so far is shown to a pruner, which may stop a hopeless one.

    Parameters
    ----------
    estimator : estimator instance
        What is to be tuned, usually a pipeline.
    param_distributions : dict of str to optuna distribution or dict, or callable
        What to search: distributions by parameter name, such as
        ``{"melspectrogram__n_mels": IntDistribution(20, 80)}``; choices by label for
        what is no number or string, such as ``{"scaler": {"none": "passthrough",
        "standard": StandardScaler()}}``; see :func:`suggest_search_space`. Or a function
        that takes a trial of Optuna and returns parameters by name, where some
        parameters depend on others. It is called again for finished trials, so it
        must depend on what the trial suggests alone.
    n_trials : int, default=20
        Trials in all, those included that such a search has begun in the study before.
    timeout : float or None, default=None
        Seconds after which no trial begins. Trials in this process then go on to
        their end; those in worker processes are stopped, and tried again when the
        search is taken up again. A trial that never ends can be stopped only in
        a worker process, that is with ``n_jobs`` above 1; on a Dask cluster the search
        goes on without it, and its worker stays occupied. Likewise a trial that kills
        its process, or is killed for want of memory, costs no more than itself only in
        a worker process; one that raises MemoryError fails like any other anywhere.
    scoring : str, callable, list, tuple, dict or None, default=None
        As in :class:`sklearn.model_selection.GridSearchCV`.
    refit : bool, str or callable, default=True
        As in GridSearchCV. With several metrics a string also names the one that
        the search is about; otherwise that is the first.
    cv : int, splitter, iterable or None, default=None
        As in GridSearchCV; take a splitter by group, such as GroupKFold, and pass
        ``groups`` to ``fit``.
    n_jobs : int or None, default=None
        Trials that run side by side, by joblib's active backend; the folds of a
        trial run in sequence. Parameters are drawn here, for `n_jobs` trials at a
        time: random, grid and quasi-Monte-Carlo samplers draw the same whatever
        `n_jobs` is, others learn from finished trials.
    study : optuna.Study or None, default=None
        A study to go on with; it has its own storage, sampler and pruner.
    storage : str, os.PathLike, optuna storage or None, default=None
        Where trials are kept: a URL such as ``sqlite:///search.db`` or
        ``postgresql+psycopg://user@host/db``, or the path of a journal file, which
        suits network drives. A search that was stopped, or killed, goes on where
        it was; several processes or machines may run the same search at once.
    study_name : str or None, default=None
        Name of the study in the storage; ``{data}`` in it stands for a digest of
        the data, the folds, the scoring and the estimator. None is
        ``"search-{data}"``, so that each outer fold of a nested search has a study
        of its own.
    sampler : optuna sampler or None, default=None
        None is TPE, seeded by `random_state` and the number of the trial.
    pruner : optuna pruner or None, default=None
        None is :class:`FoldPruner`: behind the first fold the best quarter of the trials
        goes on, behind the second the best eighth, each compared by the same folds. Up to
        ten trials, half of them at most, run their first fold before any goes on, unless
        there is a `timeout`, a `sampler` that learns, or no memory for more features.
        Steps count the folds run, from 1; with `prune_by_epoch` they count quarters of
        folds, and half of the trials stop behind the second quarter of the first fold.
        Every pruner judges by the first folds, and may stop the setting that is best over
        all of them where speakers differ more than settings;
        ``optuna.pruners.NopPruner()`` lets all trials run all folds.
    random_state : int, RandomState instance or None, default=None
        Seed of the default sampler.
    error_score : "raise" or float, default=nan
        Score of a fold that fails. With NaN the other folds of the trial are left
        out, as their mean can be no number.
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
        Whether the pruner is also asked after each quarter of the epochs of a fold,
        with the held-out clips scored by the network as it is then. Works for
        networks of this library that are the last step. Trials that are not stopped
        score the same. Trials must run in this process (``n_jobs=1``); several
        processes with the same `storage` may do so side by side.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray or list
        As in GridSearchCV. ``"n_folds_run"`` says how many folds each trial ran, and
        ``"pruned"`` whether the pruner stopped it; its other folds and its means
        are NaN then, and it ranks last.
    best_estimator_, best_score_, best_params_, best_index_, refit_time_, scorer_, n_splits_, \
            multimetric_, classes_, n_features_in_
        As in GridSearchCV.
    study_ : optuna.Study
        For Optuna's plots and dashboard. Each trial has the user attributes
        ``fold_0``, ``fold_1`` and so on.

    Raises
    ------
    ValueError
        When the study belongs to a search over other data, folds or estimators, when
        all fits fail, or when `prune_by_epoch` meets trials in other processes.

    Notes
    -----
    The first steps of a pipeline that treat each clip alone (this library's own: reading
    files, spectrograms) are computed once for each setting over all clips, and the folds
    take slices; the scores are the same. This is left out when a scorer is a function
    of your own, which may want to see the clips themselves.

    When a process is killed, its running trials are marked failed and their parameters are
    tried again, by whoever works on the study next: at once on the same machine, after
    90 seconds without a sign of life on another one.

    On several machines by Dask::

        from dask.distributed import Client
        client = Client("scheduler:8786")
        with joblib.parallel_config("dask"):
            search.fit(X, y, groups=speakers)

    or by running the same script on each, with the same `storage`;
    ``examples/search_beyond_one_machine.py`` does both. Clips that are files must be
    found under the same paths everywhere.

    With `memory`, features are known clip by clip, where all clips have features of one
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
        estimator,
        param_distributions,
        *,
        n_trials=20,
        timeout=None,
        scoring=None,
        refit=True,
        cv=None,
        n_jobs=None,
        study=None,
        storage=None,
        study_name=None,
        sampler=None,
        pruner=None,
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
        callbacks=None,
        verbose=0,
        memory=None,
        prune_by_epoch=False,
    ):
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
    def fit(self, X, y=None, **params):
        """Search, and fit the best setting on all clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Whatever the estimator takes: paths, waveforms, spectrograms.
        y : array-like of shape (n_clips,), default=None
            Targets.
        **params : dict
            Passed to the ``fit`` of the estimator, the scorer and the splitter;
            ``groups`` are the speakers.

        Returns
        -------
        self : OptunaSearchCV
        """
        if self.prune_by_epoch and not in_this_process(self.n_jobs):
            raise ValueError(
                f"prune_by_epoch=True with n_jobs={self.n_jobs} and joblib's backend "
                f"{type(get_active_backend()[0]).__name__}: a fold can be watched only in this "
                "process, that is with n_jobs=1; for trials side by side run several processes "
                "with the same storage"
            )
        scorers, refit_metric = self._get_scorers()
        space = as_space(self.param_distributions)
        X, y = indexable(X, y)
        params = check_method_params(X, params=params)
        routed = self._get_routed_params_for_fit(params)
        fit_params = routed.estimator.fit
        if not routing_enabled() and params.get("groups") is not None:
            # what stops early splits once more, and a pipeline's steps are told by name
            fit_params = groups_params(self.estimator, params["groups"]) | fit_params
        splits = self._splits(X, y, routed.splitter.split)
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
            self.study_ = self._open_study(
                X, y, routed.splitter.split.get("groups"), splits, [fit_params, routed.scorer.score]
            )
            trials = self._run(task)
        candidates, folds = collect(trials, space, len(splits))
        pruned = [trial.state == TrialState.PRUNED for trial in trials]
        results = format_results(self, candidates, folds, pruned)
        self._choose(results, refit_metric)
        if self.refit:
            self._refit(task, fit_params)
        self.scorer_ = getattr(scorers, "_scorers", scorers)
        self.cv_results_ = results
        return self

    def _splits(self, X, y, split_params):
        cv = check_cv(self.cv, y, classifier=is_classifier(self.estimator))
        splits = list(cv.split(X, y, **split_params))
        self.n_splits_ = cv.get_n_splits(X, y, **split_params)
        if len(splits) != self.n_splits_ or not splits:
            raise ValueError(
                f"cv={self.cv!r}: its split and get_n_splits are inconsistent or empty; expected "
                f"{self.n_splits_} splits, got {len(splits)}"
            )
        if (groups := split_params.get("groups")) is not None:
            names, codes = check_speakers(groups, len(groups), name="groups")
            for i, (train, test) in enumerate(splits):
                refuse_shared_speakers(train, test, names, codes, f"split {i} of cv={self.cv!r}")
        if y is not None:
            space = self.param_distributions
            searched = space if isinstance(space, dict) else ()
            splits = with_labels(splits, unlabelled_clips(self.estimator, y, searched))
            splits = [(train, test) for train, test, _ in splits]
            self.n_splits_ = len(splits)
        return splits

    def _open_study(self, X, y, groups, splits, params):
        own = ("storage", "sampler", "pruner")
        given = [name for name in own if getattr(self, name) is not None]
        if self.study is not None and given:
            raise ValueError(f"study and {given[0]} are both given; a study has its own {given[0]}")
        sampler = deepcopy(self.sampler)  # so that each fit draws the same
        if sampler is None:
            seed = int(check_random_state(self.random_state).randint(np.iinfo(np.int32).max))
            sampler = TrialSeededTPESampler(seed)
        study = open_study(
            self.study,
            self.storage,
            self.study_name,
            sampler,
            self._default_pruner() if self.pruner is None else self.pruner,
            describe(
                self.estimator,
                X,
                y,
                groups,
                splits,
                self.scoring,
                params,
                self.param_distributions,
                self.prune_by_epoch,
            ),
        )
        if self.sampler is not None and study.get_trials(deepcopy=False):
            sampler.reseed_rng()  # or it would draw once more what it drew before the stop
        if joblib.effective_n_jobs(self.n_jobs) > 1 and depends_on_n_jobs(study.sampler):
            warnings.warn(
                f"n_jobs={self.n_jobs}: {type(study.sampler).__name__} learns from the trials "
                "that have finished, so that its sequence depends on how many run side by side; "
                "RandomSampler, GridSampler and QMCSampler do not",
                UserWarning,
                stacklevel=4,
            )
        return study

    def _default_pruner(self):
        if not self.prune_by_epoch:
            return FoldPruner()
        return FoldPruner({LOOKS // 2: 1 / 2, LOOKS: 1 / 4, 2 * LOOKS: 1 / 8})

    def _run(self, task):
        with running(self.study_), Crew(self.study_, self.n_trials) as crew:
            search = Search(
                task,
                self.study_,
                crew,
                n_jobs=self.n_jobs,
                timeout=self.timeout,
                callbacks=self.callbacks or (),
                verbose=self.verbose,
            )
            # so that no trial is run in vain
            collect(crew.finished(), task.space, len(task.splits))
            search.run()
            trials = crew.finished()
        if not trials:
            raise ValueError(
                f"no trial came to its end within timeout={self.timeout} seconds"
                if crew.timed_out
                else "the study was stopped before a trial came to its end"
            )
        return trials

    def _choose(self, results, refit_metric):
        self.multimetric_ = "mean_test_score" not in results
        if callable(self.scoring) and self.multimetric_:
            names = [name[10:] for name in results if name.startswith("mean_test_")]
            self._check_refit_for_multimetric(names)
            refit_metric = self.refit
        if not self.refit and self.multimetric_:
            return
        self.best_index_ = self._select_best_index(self.refit, refit_metric, results)
        if results["pruned"][self.best_index_]:
            raise ValueError(
                f"no trial has a {refit_metric}: the pruner stopped those that did not fail; give "
                "it more start-up trials"
            )
        if not callable(self.refit):
            self.best_score_ = results[f"mean_test_{refit_metric}"][self.best_index_]
        self.best_params_ = results["params"][self.best_index_]

    def _refit(self, task, fit_params):
        best = clone(task.estimator).set_params(**clone(self.best_params_, safe=False))
        began = time.time()
        first, rest = split_clipwise(best) if task.features is not None else (None, best)
        X = task.X if first is None else task.features.fit(first.steps)
        if task.y is None:
            rest.fit(X, **fit_params)
        else:
            rest.fit(X, task.y, **fit_params)
        if first is not None:
            best.steps = first.steps + rest.steps
        self.refit_time_ = time.time() - began
        self.best_estimator_ = best
        if hasattr(best, "feature_names_in_"):
            self.feature_names_in_ = best.feature_names_in_
