"""Trials in worker processes that die or hang, and on a Dask cluster."""

import os
import resource
import signal
import time
import uuid

import joblib
import numpy as np
import optuna
import pytest
from optuna.samplers import GridSampler
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import FitFailedWarning

from sklearn_speech.model_selection import OptunaSearchCV
from sklearn_speech.search._ledger import TrialLedger
from sklearn_speech.search._space import as_space

pytestmark = pytest.mark.slow

STRENGTHS = [0.1, 0.2, 0.3, 0.4]


def make_failing_estimator():
    """An estimator that fails at given strengths; its class is local, so that it is sent too."""

    class FailingEstimator(ClassifierMixin, BaseEstimator):
        def __init__(
            self, strength=0.0, dies_at=None, hangs_at=None, starves_at=None, aborts_at=None
        ):
            self.strength = strength
            self.dies_at = dies_at
            self.hangs_at = hangs_at
            self.starves_at = starves_at
            self.aborts_at = aborts_at

        def fit(self, X, y):
            if self.strength == self.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.strength == self.hangs_at:
                time.sleep(60)
            if self.strength in (self.starves_at, self.aborts_at):
                self.exhaust_memory()
            self.classes_ = np.unique(y)
            self.process_ = os.getpid()
            return self

        def exhaust_memory(self):
            """Allocate more memory than this process may have."""
            with open("/proc/self/statm") as file:
                size = int(file.read().split()[0]) * resource.getpagesize()
            before = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (size + 2**28, before[1]))
            try:
                kept = [np.ones(2**24) for _ in range(64)]  # 8 GiB
            except MemoryError:
                if self.strength == self.aborts_at:
                    os.abort()  # as C++ code does by default
                raise
            finally:
                resource.setrlimit(resource.RLIMIT_AS, before)
            return kept

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

        def score(self, X, y):
            return self.strength

    return FailingEstimator()


@pytest.fixture
def table():
    return np.zeros((8, 1)), np.tile([0, 1], 4)


def search(**options):
    failures = ("dies_at", "hangs_at", "starves_at", "aborts_at")
    estimator = make_failing_estimator().set_params(
        **{name: options.pop(name, None) for name in failures}
    )
    options = {"n_jobs": 2, "cv": 2, "pruner": optuna.pruners.NopPruner()} | options
    return OptunaSearchCV(
        estimator,
        {"strength": optuna.distributions.CategoricalDistribution(STRENGTHS)},
        sampler=GridSampler({"strength": STRENGTHS}),
        n_trials=4,
        refit=False,
        **options,
    )


def check_that_one_trial_was_lost(fitted, lost):
    results = fitted.cv_results_
    strength = np.array([params["strength"] for params in results["params"]])
    assert sorted(strength) == STRENGTHS and fitted.best_params_ == {"strength": 0.3}
    np.testing.assert_array_equal(np.isnan(results["mean_test_score"]), strength == lost)
    found = results["mean_test_score"][strength != lost]
    np.testing.assert_allclose(found, strength[strength != lost])
    states = [(t.params["strength"], t.state.name) for t in fitted.study_.trials]
    assert sorted(states) == [(s, "FAIL" if s == lost else "COMPLETE") for s in STRENGTHS]


def test_a_killed_worker_costs_only_its_trial(table, storage):
    name = uuid.uuid4().hex
    with pytest.warns(FitFailedWarning, match="worker process was killed"):
        fitted = search(dies_at=0.4, storage=storage, study_name=name).fit(*table)
    check_that_one_trial_was_lost(fitted, 0.4)


def test_a_worker_without_memory_costs_only_its_trial(table):
    with pytest.warns(FitFailedWarning, match="MemoryError"):
        fitted = search(starves_at=0.4).fit(*table)
    check_that_one_trial_was_lost(fitted, 0.4)


def test_a_worker_aborted_for_lack_of_memory_raises_with_error_score_raise(table):
    with pytest.raises(RuntimeError, match="worker process was killed"):
        search(aborts_at=0.4, error_score="raise").fit(*table)


def test_a_hanging_worker_is_stopped_at_the_timeout(table, tmp_path):
    search().fit(*table)  # starts the workers, which import what they need
    began = time.monotonic()
    fitted = search(hangs_at=0.2, timeout=5, storage=tmp_path / "journal").fit(*table)
    assert time.monotonic() - began < 50
    check_that_the_trial_can_run_later(fitted, 0.2)


def check_that_the_trial_can_run_later(fitted, hanging):
    assert {"strength": hanging} not in fitted.cv_results_["params"]
    tried = [t for t in fitted.study_.trials if t.params.get("strength") == hanging]
    assert [t.state.name for t in tried] == ["FAIL"]
    space = {"strength": optuna.distributions.CategoricalDistribution(STRENGTHS)}
    trial = TrialLedger(fitted.study_, 4).begin(as_space(space))
    assert trial.params == {"strength": hanging}


def test_pruning_by_epoch_needs_a_single_process(table):
    with pytest.raises(ValueError, match="prune_by_epoch=True with n_jobs=2"):
        search(prune_by_epoch=True).fit(*table)


@pytest.fixture(scope="module")
def cluster(dask_processes):
    import dask
    import distributed

    with (
        # by default a job counts as failed only after killing four workers
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            host="127.0.0.1",
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


class TestOnDask:
    @pytest.fixture(autouse=True)
    def _on_the_cluster(self, cluster):
        cluster.wait_for_workers(2, timeout=60)
        with joblib.parallel_config("dask", wait_for_workers_timeout=60):
            yield

    def test_it_gives_the_same_scores(self, table):
        on_dask = search(n_jobs=None).fit(*table)
        with joblib.parallel_config("loky"):
            on_loky = search(n_jobs=1).fit(*table)
        assert on_dask.cv_results_["params"] == on_loky.cv_results_["params"]
        np.testing.assert_array_equal(
            on_dask.cv_results_["mean_test_score"], on_loky.cv_results_["mean_test_score"]
        )

    def test_trials_run_on_its_workers(self, cluster, table):
        def where(estimator, X, y):
            time.sleep(0.3)  # keeps each worker busy until the other gets a trial
            return os.getpid()

        found = search(scoring=where).fit(*table)
        used = set(found.cv_results_["split0_test_score"])
        assert used == set(cluster.run(os.getpid).values())

    def test_large_arrays_are_sent_once_while_they_are_in_use(self, cluster, monkeypatch):
        X, y = np.random.default_rng(0).normal(size=(64, 200)), np.tile([0, 1], 32)
        scattered, scatter = [], type(cluster).scatter
        monkeypatch.setattr(
            type(cluster),
            "scatter",
            lambda self, data, **options: scattered.append(data) or scatter(self, data, **options),
        )
        search(cv=4, pruner=optuna.pruners.MedianPruner()).fit(X, y)
        assert [data is X for data in scattered] == [True]

    def test_a_killed_worker_costs_only_its_trial(self, tmp_path):
        # large enough to be scattered, and lost with its worker
        X, y = np.random.default_rng(0).normal(size=(64, 200)), np.tile([0, 1], 32)
        with pytest.warns(FitFailedWarning, match="worker process was killed"):
            fitted = search(dies_at=0.4, storage=tmp_path / "journal").fit(X, y)
        check_that_one_trial_was_lost(fitted, 0.4)

    def test_an_error_in_a_trial_is_raised(self, table):
        with pytest.raises(MemoryError):
            search(starves_at=0.4, error_score="raise").fit(*table)

    def test_a_hanging_trial_is_abandoned_at_the_timeout(self, table):
        began = time.monotonic()
        # long enough for the other trials on a loaded machine
        fitted = search(hangs_at=0.2, timeout=8).fit(*table)
        assert time.monotonic() - began < 90
        check_that_the_trial_can_run_later(fitted, 0.2)
