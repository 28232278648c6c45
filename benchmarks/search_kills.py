"""Searches that are killed repeatedly by ``kill -9`` at random moments.

Each run is a search of some trials in a separate process, on a journal file, SQLite, or the
PostgreSQL server that ``SKLEARN_SPEECH_TEST_POSTGRES`` names. The process is killed after a
random time and started again on the same storage, many times; the last process may finish. A run
is successful if its study has all trials, none of them still running, each with the score of its
parameters, and the parameters that the same search draws without kills.

    python benchmarks/search_kills.py --runs 20 --kills 20 --seed 0 --storages journal sqlite
"""

import argparse
import contextlib
import multiprocessing
import os
import signal
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import optuna
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.samplers import RandomSampler
from optuna.trial import TrialState
from report import write_report
from sklearn.base import BaseEstimator, ClassifierMixin

from sklearn_speech import OptunaSearchCV

SPACE = {"quality": FloatDistribution(0.0, 1.0), "tol": IntDistribution(0, 9)}
#: Longest time (seconds) until a kill; opening a storage takes about half of it.
LONGEST = {"journal": 0.25, "sqlite": 0.8, "postgresql": 1.2}
X, Y = np.zeros((6, 1)), np.tile([0, 1], 3)


class Slow(ClassifierMixin, BaseEstimator):
    """Takes some milliseconds to fit; its score is one of its parameters."""

    def __init__(self, quality=0.0, tol=0):
        self.quality = quality
        self.tol = tol

    def fit(self, X, y):
        time.sleep(0.01)
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X))

    def score(self, X, y):
        return self.quality


def search(storage, n_trials):
    return OptunaSearchCV(
        Slow(), SPACE, n_trials=n_trials, cv=3, storage=storage, study_name="one",
        sampler=RandomSampler(seed=0), pruner=optuna.pruners.NopPruner(), refit=False,
    )  # fmt: skip


def fit(storage, n_trials):
    warnings.simplefilter("ignore")
    search(storage, n_trials).fit(X, Y)


def one_run(storage, n_trials, n_kills, longest, rng):
    """Kill a search repeatedly, and let the last process finish.

    Parameters
    ----------
    storage : str
    n_trials : int
    n_kills : int
    longest : float
        Seconds.
    rng : numpy.random.Generator

    Returns
    -------
    row : dict
    """
    context = multiprocessing.get_context("fork")
    kills = 0
    for _ in range(n_kills):
        process = context.Process(target=fit, args=(storage, n_trials))
        process.start()
        process.join(float(rng.uniform(0.0, longest)))
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            kills += 1
        process.join()
    began = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # folds that were killed three times warn
        try:
            fitted = search(storage, n_trials).fit(X, Y)
        except Exception as error:  # noqa: BLE001 any error is a result here
            return {"kills": kills, "usable": False, "error": repr(error), "seconds": 0.0}
    seconds = time.perf_counter() - began
    results = fitted.cv_results_
    expected = search(None, n_trials).set_params(study_name=None).fit(X, Y).cv_results_
    means = results["mean_test_score"]
    quality = np.array([params["quality"] for params in results["params"]])
    finite = np.isfinite(means)
    states = [trial.state for trial in fitted.study_.trials]
    return {
        "kills": kills,
        "usable": len(results["params"]) == n_trials,
        "error": "",
        "seconds": seconds,
        "running": states.count(TrialState.RUNNING),
        "given_up": int((~finite).sum()),
        "scores": bool(np.allclose(means[finite], quality[finite])),
        "draws": results["params"] == expected["params"],
    }


def run(kind, n_runs, n_trials, n_kills, seed):
    """Many runs on one kind of storage.

    Parameters
    ----------
    kind : {"journal", "sqlite", "postgresql"}
    n_runs, n_trials, n_kills, seed : int

    Returns
    -------
    rows : list of dict
    """
    rows = []
    for i in range(n_runs):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "search"
            storage = f"sqlite:///{path}.db" if kind == "sqlite" else str(path)
            if kind == "postgresql":
                storage = os.environ["SKLEARN_SPEECH_TEST_POSTGRES"]
                with contextlib.suppress(KeyError):  # of an earlier run
                    optuna.delete_study(study_name="one", storage=storage)
            rng = np.random.default_rng([seed, i])
            rows.append(one_run(storage, n_trials, n_kills, LONGEST[kind], rng))
            print(kind, i, rows[-1], flush=True)
    return rows


def summary(kind, rows):
    usable = [row for row in rows if row["usable"]]
    return {
        "storage": kind,
        "runs": len(rows),
        "kills": sum(row["kills"] for row in rows),
        "usable": len(usable),
        "trials left running": sum(row["running"] for row in usable),
        "trials given up": sum(row["given_up"] for row in usable),
        "right scores": sum(row["scores"] for row in usable),
        "same draws as without kills": sum(row["draws"] for row in usable),
        "longest last run, s": max(row["seconds"] for row in rows),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--trials", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--storages", nargs="+", default=["journal", "sqlite"], choices=list(LONGEST)
    )
    options = parser.parse_args()
    table = [
        summary(kind, run(kind, options.runs, options.trials, options.kills, options.seed))
        for kind in options.storages
    ]
    caption = (
        f"Searches of {options.trials} trials of three folds; in each, up to {options.kills} kills "
        "at random moments"
    )
    notes = [
        "A run is one search; kills are those of all runs together. A process that ends before its "
        "kill is not counted.",
        "Usable: the search ended normally with all its trials. Given up: a fold during which the "
        "process was killed three times counts as failed.",
    ]
    print(write_report("search_kills", "Searches that are killed", {caption: table}, notes))


if __name__ == "__main__":
    main()
