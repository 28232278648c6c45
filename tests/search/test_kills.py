"""A search killed at any moment can be resumed."""

import itertools
import multiprocessing
import os
import signal
import warnings

import joblib
import numpy as np
import optuna
import pytest
from optuna.samplers import GridSampler, QMCSampler, RandomSampler
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState
from sklearn.base import clone

from sklearn_speech.model_selection import OptunaSearchCV
from sklearn_speech.search._storage import open_storage
from tests.search.storages import SPACE, Death, Scored, dying_storage

X, Y = np.zeros((6, 1)), np.tile([0, 1], 3)
GRID = {"a": [0.1, 0.5, 0.9], "b": [1, 2], "c": ["x"]}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning"),
    pytest.mark.filterwarnings("ignore:.*QMCSampler"),
]


def samplers():
    return {
        "random": RandomSampler(seed=3),
        "qmc": QMCSampler(seed=3, scramble=True),
        "grid": GridSampler(GRID, seed=3),
        "tpe": None,
    }


def search(storage, sampler=None, n_trials=3, pruner=None, **options):
    return OptunaSearchCV(
        Scored(),
        SPACE,
        n_trials=n_trials,
        cv=2,
        storage=storage,
        study_name="one",
        sampler=sampler,
        pruner=pruner or optuna.pruners.NopPruner(),
        random_state=0,
        refit=False,
        **options,
    )


def count_writes(storage, **options):
    counted = dying_storage(storage)
    search(counted, **options).fit(X, Y)
    return type(counted).n_writes


def check_usable(fitted, n_trials=3):
    results = fitted.cv_results_
    assert len(results["params"]) == n_trials
    a = [params["a"] for params in results["params"]]
    np.testing.assert_allclose(results["mean_test_score"], a)
    states = [trial.state for trial in fitted.study_.trials]
    assert TrialState.RUNNING not in states and TrialState.WAITING not in states
    assert states.count(TrialState.COMPLETE) == n_trials


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("name", ["random", "qmc", "grid", "tpe"])
def test_a_death_at_any_write_changes_nothing(name, after):
    whole = search(InMemoryStorage(), samplers()[name]).fit(X, Y).cv_results_["params"]
    n = count_writes(InMemoryStorage(), sampler=samplers()[name])
    assert n > 10
    for dies_at in range(1, n + 1):
        storage = InMemoryStorage()
        with pytest.raises(Death):
            search(dying_storage(storage, dies_at, after), samplers()[name]).fit(X, Y)
        fitted = search(storage, samplers()[name]).fit(X, Y)
        check_usable(fitted)
        assert fitted.cv_results_["params"] == whole, dies_at


@pytest.mark.parametrize("after", [False, True])
def test_a_search_completes_after_repeated_deaths_at_the_same_write(after):
    n = count_writes(InMemoryStorage(), sampler=samplers()["random"])
    for dies_at, times in itertools.product(range(1, n + 1), (3, 5)):
        storage = InMemoryStorage()
        for _ in range(times):
            try:
                search(dying_storage(storage, dies_at, after), samplers()["random"]).fit(X, Y)
            except (Death, ValueError):
                continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fold that died three times counts as failed
            # more trials than can have been given up
            fitted = search(storage, samplers()["random"], n_trials=6).fit(X, Y)
        states = [trial.state for trial in fitted.study_.trials]
        assert TrialState.RUNNING not in states
        assert len(fitted.cv_results_["params"]) == 6
        assert np.isfinite(fitted.cv_results_["mean_test_score"]).sum() >= 4


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_a_death_at_any_write_of_a_file_changes_nothing(kind, tmp_path):
    def location(i):
        return f"sqlite:///{tmp_path}/{i}.db" if kind == "sqlite" else str(tmp_path / f"{i}")

    sampler = samplers()["random"]
    n = count_writes(open_storage(location("count")), sampler=sampler, n_trials=2)
    whole = search(InMemoryStorage(), sampler, n_trials=2).fit(X, Y).cv_results_["params"]
    for dies_at in range(1, n + 1):
        with pytest.raises(Death):
            dying = dying_storage(open_storage(location(dies_at)), dies_at, after=dies_at % 2)
            search(dying, sampler, n_trials=2).fit(X, Y)
        fitted = search(location(dies_at), sampler, n_trials=2).fit(X, Y)
        check_usable(fitted, 2)
        assert fitted.cv_results_["params"] == whole


def die_in_a_process(location, dies_at):
    storage = dying_storage(open_storage(location), dies_at, True, on_death=lambda: os._exit(9))
    search(storage, samplers()["random"]).fit(X, Y)


@pytest.mark.parametrize("dies_at", [1, 3, 4, 7])
def test_a_process_that_dies_at_a_write_is_detected_at_once(dies_at, tmp_path):
    location = str(tmp_path / "journal")
    process = multiprocessing.get_context("fork").Process(
        target=die_in_a_process, args=(location, dies_at)
    )
    process.start()
    process.join(60)
    assert process.exitcode == 9
    check_usable(search(location, samplers()["random"]).fit(X, Y))


def resume(location):
    warnings.simplefilter("ignore")
    search(location, samplers()["random"], n_trials=12).fit(X, Y)


@pytest.mark.parametrize("kind", ["sqlite", "journal"])
def test_random_kills_of_a_process_change_no_draw(kind, tmp_path):
    # benchmarks/search_kills.py is the long version
    location = f"sqlite:///{tmp_path}/s.db" if kind == "sqlite" else str(tmp_path / "journal")
    rng = np.random.default_rng(0)
    for _ in range(6):
        process = multiprocessing.get_context("fork").Process(target=resume, args=(location,))
        process.start()
        process.join(rng.uniform(0.02, 0.4 if kind == "sqlite" else 0.08))
        process.kill()
        process.join()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fold that died three times counts as failed
        fitted = search(location, samplers()["random"], n_trials=12).fit(X, Y)
    whole = search(None, samplers()["random"], n_trials=12).set_params(study_name=None).fit(X, Y)
    assert fitted.cv_results_["params"] == whole.cv_results_["params"]
    assert TrialState.RUNNING not in [trial.state for trial in fitted.study_.trials]


def test_enqueued_parameters_survive_a_death_at_any_write():
    def study(storage):
        study = optuna.create_study(
            storage=storage, direction="maximize", study_name="one", load_if_exists=True
        )
        if not study.trials:
            study.enqueue_trial({"a": 0.25})
            study.enqueue_trial({"a": 0.75, "b": 3, "c": "y"})
        return study

    n = count_writes(InMemoryStorage())
    for dies_at in range(4, n + 1):
        storage = InMemoryStorage()
        study(storage)
        with pytest.raises(Death):
            search(dying_storage(storage, dies_at)).fit(X, Y)
        fitted = search(storage).fit(X, Y)
        check_usable(fitted)
        assert [params["a"] for params in fitted.cv_results_["params"]][:2] == [0.25, 0.75]


@pytest.mark.parametrize("name", ["random", "qmc", "grid"])
def test_the_kth_draw_depends_on_seed_and_k_alone(name):
    n = 6
    runs = []
    for n_jobs in (1, 3):
        pruner = optuna.pruners.MedianPruner()
        fitted = search(InMemoryStorage(), samplers()[name], n, pruner, n_jobs=n_jobs)
        with joblib.parallel_config("threading"):
            runs.append(fitted.fit(X, Y).cv_results_["params"])
    storage = InMemoryStorage()  # killed repeatedly
    rng = np.random.default_rng(0)
    for _ in range(5):
        try:
            search(dying_storage(storage, int(rng.integers(5, 25))), samplers()[name], n).fit(X, Y)
        except Death:
            continue
    runs.append(search(storage, samplers()[name], n).fit(X, Y).cv_results_["params"])
    storage = InMemoryStorage()  # resumed twice
    for part in (2, 5, n):
        fitted = search(storage, samplers()[name], part).fit(X, Y)
    runs.append(fitted.cv_results_["params"])
    assert all(run == runs[0] for run in runs[1:])
    assert len({str(params) for params in runs[0]}) == n
    if name == "grid":
        assert sorted(str(p) for p in runs[0]) == sorted(
            str({"a": a, "b": b, "c": "x"}) for a in GRID["a"] for b in GRID["b"]
        )


def test_another_seed_draws_other_parameters():
    drawn = [
        search(None, RandomSampler(seed=seed)).fit(X, Y).cv_results_["params"] for seed in (0, 1)
    ]
    assert drawn[0] != drawn[1]


def test_a_study_with_a_sampler_draws_the_same_when_resumed():
    whole = optuna.create_study(direction="maximize", sampler=RandomSampler(seed=1))
    parts = optuna.create_study(direction="maximize", sampler=RandomSampler(seed=1))
    expected = search(None, n_trials=4).set_params(study=whole, pruner=None).fit(X, Y)
    for n_trials in (1, 3, 4):
        found = search(None, n_trials=n_trials).set_params(study=parts, pruner=None).fit(X, Y)
    assert found.cv_results_["params"] == expected.cv_results_["params"]


class Interrupted(Scored):
    """Catches an interrupt in one of its fits and continues, as skorch does."""

    fits = 0

    def fit(self, X, y):
        type(self).fits += 1
        if type(self).fits == type(self).interrupted_at:
            try:
                signal.raise_signal(signal.SIGINT)
            except KeyboardInterrupt:
                self.a = -1.0
        return super().fit(X, y)


@pytest.mark.parametrize("interrupted_at", [1, 2, 3, 5])
def test_a_fold_that_was_interrupted_is_never_stored(interrupted_at):
    storage = InMemoryStorage()
    Interrupted.fits, Interrupted.interrupted_at = 0, interrupted_at
    found = search(storage, samplers()["random"]).set_params(estimator=Interrupted())
    with pytest.raises(KeyboardInterrupt):
        found.fit(X, Y)
    assert Interrupted.fits == interrupted_at  # the interrupt stopped the search
    fitted = clone(found).set_params(storage=storage).fit(X, Y)
    check_usable(fitted)
    assert Interrupted.fits == 3 * 2 + 1  # all other folds were kept
    assert (fitted.cv_results_["split0_test_score"] >= 0).all()
    assert (fitted.cv_results_["split1_test_score"] >= 0).all()


def test_interrupts_do_not_count_as_failed_attempts():
    storage = InMemoryStorage()
    for _ in range(5):
        Interrupted.fits, Interrupted.interrupted_at = 0, 1
        with pytest.raises(KeyboardInterrupt):
            search(storage).set_params(estimator=Interrupted()).fit(X, Y)
    fitted = search(storage).set_params(estimator=Interrupted()).fit(X, Y)
    check_usable(fitted)


def test_the_multiprocessing_backend_of_joblib_is_refused_before_anything_runs(tmp_path):
    location = tmp_path / "journal"
    with joblib.parallel_config("multiprocessing"):
        with pytest.raises(ValueError, match="MultiprocessingBackend"):
            search(location, n_jobs=2).fit(X, Y)
        assert not location.exists()
        search(location, n_jobs=1).fit(X, Y)
