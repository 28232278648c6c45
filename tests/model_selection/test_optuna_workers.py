"""Trials in other processes: some die, some hang, some are on a Dask cluster."""

import os
import signal
import time

import joblib
import numpy as np
import optuna
import pytest
from optuna.samplers import GridSampler
from optuna.trial import TrialState
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import FitFailedWarning

from sklearn_speech.model_selection import OptunaSearchCV

STRENGTHS = [0.1, 0.2, 0.3, 0.4]


def mortal():
    """An estimator that dies or hangs at some strengths; made here, its class is sent too."""

    class Mortal(ClassifierMixin, BaseEstimator):
        def __init__(self, strength=0.0, dies_at=None, hangs_at=None):
            self.strength = strength
            self.dies_at = dies_at
            self.hangs_at = hangs_at

        def fit(self, X, y):
            if self.strength == self.dies_at:
                os.kill(os.getpid(), signal.SIGKILL)
            if self.strength == self.hangs_at:
                time.sleep(300)
            self.classes_ = np.unique(y)
            self.process_ = os.getpid()
            return self

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

        def score(self, X, y):
            return self.strength

    return Mortal()


@pytest.fixture
def table():
    return np.zeros((8, 1)), np.tile([0, 1], 4)


def search(**options):
    estimator = mortal().set_params(
        dies_at=options.pop("dies_at", None), hangs_at=options.pop("hangs_at", None)
    )
    return OptunaSearchCV(
        estimator,
        {"strength": optuna.distributions.CategoricalDistribution(STRENGTHS)},
        sampler=GridSampler({"strength": STRENGTHS}),
        pruner=optuna.pruners.NopPruner(),
        n_trials=4,
        cv=2,
        n_jobs=2,
        refit=False,
        **options,
    )


def test_a_worker_that_is_killed_costs_its_trial_only(table):
    with pytest.warns(FitFailedWarning, match="worker process died"):
        fitted = search(dies_at=0.4).fit(*table)
    results = fitted.cv_results_
    strength = np.array([params["strength"] for params in results["params"]])
    assert sorted(strength) == STRENGTHS and fitted.best_params_ == {"strength": 0.3}
    np.testing.assert_array_equal(np.isnan(results["mean_test_score"]), strength == 0.4)
    np.testing.assert_allclose(np.nanmax(results["mean_test_score"]), 0.3)
    with pytest.raises(RuntimeError, match="worker process died"):
        search(dies_at=0.4, error_score="raise").fit(*table)


def test_a_worker_that_hangs_is_stopped_when_time_is_over(table, tmp_path):
    joblib.Parallel(n_jobs=2)([joblib.delayed(time.sleep)(0.1)] * 2)  # workers start
    began = time.monotonic()
    fitted = search(hangs_at=0.2, timeout=8, storage=tmp_path / "journal").fit(*table)
    assert time.monotonic() - began < 200
    assert {"strength": 0.2} not in fitted.cv_results_["params"]
    tried = [t for t in fitted.study_.trials if t.params.get("strength") == 0.2]
    assert [t.state.name for t in tried] == ["FAIL"]
    waiting = fitted.study_.get_trials(states=[TrialState.WAITING])
    assert tried[0].params in [t.system_attrs["fixed_params"] for t in waiting]  # for another time


@pytest.fixture(scope="module")
def cluster():
    distributed = pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    with (
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


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore:Sending large graph")
def test_a_dask_cluster_gives_the_same_scores(cluster, table):
    with joblib.parallel_config("dask", wait_for_workers_timeout=60):
        there = search().set_params(n_jobs=-1).fit(*table)
    here = search().set_params(n_jobs=1).fit(*table)
    assert there.cv_results_["params"] == here.cv_results_["params"]
    np.testing.assert_array_equal(
        there.cv_results_["mean_test_score"], here.cv_results_["mean_test_score"]
    )
