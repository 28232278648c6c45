"""Trials in other processes: some die, some hang, some are on a Dask cluster."""

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


def mortal():
    """An estimator that comes to grief at some strengths; made here, its class is sent too."""

    class Mortal(ClassifierMixin, BaseEstimator):
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
                self.eat()
            self.classes_ = np.unique(y)
            self.process_ = os.getpid()
            return self

        def eat(self):
            """Want more memory than this process may have."""
            with open("/proc/self/statm") as file:
                size = int(file.read().split()[0]) * resource.getpagesize()
            before = resource.getrlimit(resource.RLIMIT_AS)
            resource.setrlimit(resource.RLIMIT_AS, (size + 2**28, before[1]))
            try:
                kept = [np.ones(2**24) for _ in range(64)]  # 8 GiB
            except MemoryError:
                if self.strength == self.aborts_at:
                    os.abort()  # as code in C++ does that nobody told what else to do
                raise
            finally:
                resource.setrlimit(resource.RLIMIT_AS, before)
            return kept

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

        def score(self, X, y):
            return self.strength

    return Mortal()


@pytest.fixture
def table():
    return np.zeros((8, 1)), np.tile([0, 1], 4)


def search(**options):
    griefs = ("dies_at", "hangs_at", "starves_at", "aborts_at")
    estimator = mortal().set_params(**{name: options.pop(name, None) for name in griefs})
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


def test_a_worker_that_is_killed_costs_its_trial_only(table, storage):
    name = uuid.uuid4().hex
    with pytest.warns(FitFailedWarning, match="worker process was killed"):
        fitted = search(dies_at=0.4, storage=storage, study_name=name).fit(*table)
    check_that_one_trial_was_lost(fitted, 0.4)


def test_a_worker_without_memory_costs_its_trial_only(table):
    with pytest.warns(FitFailedWarning, match="MemoryError"):
        fitted = search(starves_at=0.4).fit(*table)
    check_that_one_trial_was_lost(fitted, 0.4)


def test_a_worker_that_dies_for_want_of_memory_is_an_error_where_errors_are_asked_for(table):
    with pytest.raises(RuntimeError, match="worker process was killed"):
        search(aborts_at=0.4, error_score="raise").fit(*table)


def test_a_worker_that_hangs_is_stopped_when_time_is_over(table, tmp_path):
    search().fit(*table)  # workers start, and load what they need
    began = time.monotonic()
    fitted = search(hangs_at=0.2, timeout=8, storage=tmp_path / "journal").fit(*table)
    assert time.monotonic() - began < 50
    check_that_it_waits_for_another_time(fitted, 0.2)


def check_that_it_waits_for_another_time(fitted, hung):
    assert {"strength": hung} not in fitted.cv_results_["params"]
    tried = [t for t in fitted.study_.trials if t.params.get("strength") == hung]
    assert [t.state.name for t in tried] == ["FAIL"]
    space = {"strength": optuna.distributions.CategoricalDistribution(STRENGTHS)}
    begun = TrialLedger(fitted.study_, 4).begin(as_space(space))
    assert begun.params == {"strength": hung}


def test_epochs_are_watched_in_this_process_only(table):
    with pytest.raises(ValueError, match="prune_by_epoch=True with n_jobs=2"):
        search(prune_by_epoch=True).fit(*table)


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    dask = pytest.importorskip("dask")
    with (
        # by default a job has to kill four workers before it is blamed
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            dashboard_address=None,
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
        there = search(n_jobs=None).fit(*table)
        with joblib.parallel_config("loky"):
            here = search(n_jobs=1).fit(*table)
        assert there.cv_results_["params"] == here.cv_results_["params"]
        np.testing.assert_array_equal(
            there.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"]
        )

    def test_trials_run_on_its_workers(self, cluster, table):
        def where(estimator, X, y):
            time.sleep(0.3)  # or one worker is done before the other is asked
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

    def test_a_worker_that_is_killed_costs_its_trial_only(self, tmp_path):
        # large enough to be sent, and to go down with a worker
        X, y = np.random.default_rng(0).normal(size=(64, 200)), np.tile([0, 1], 32)
        with pytest.warns(FitFailedWarning, match="worker process was killed"):
            fitted = search(dies_at=0.4, storage=tmp_path / "journal").fit(X, y)
        check_that_one_trial_was_lost(fitted, 0.4)

    def test_an_error_in_a_trial_comes_back(self, table):
        with pytest.raises(MemoryError):
            search(starves_at=0.4, error_score="raise").fit(*table)

    def test_a_trial_that_hangs_is_left_behind_when_time_is_over(self, table):
        began = time.monotonic()
        # the other trials have to be through by then, on a machine that does other things too
        fitted = search(hangs_at=0.2, timeout=20).fit(*table)
        assert time.monotonic() - began < 90
        check_that_it_waits_for_another_time(fitted, 0.2)
