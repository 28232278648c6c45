"""Time of a trial on SQLite compared with plain Optuna, for an estimator without cost.

Plain Optuna here is ``study.optimize`` with an objective that fits three folds, reports after
each and calls the pruner, as in user code. Both run alternately, on new databases.

    python benchmarks/search_storage.py FOLDER_ON_THE_DISK --trials 40 --repeats 5
"""

import argparse
import statistics
import tempfile
import time

import numpy as np
import optuna
from optuna.distributions import FloatDistribution
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from report import write_report
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import KFold

from sklearn_speech import OptunaSearchCV

X, Y = np.zeros((6, 1)), np.tile([0, 1], 3)


class Free(ClassifierMixin, BaseEstimator):
    """Costs nothing to fit."""

    def __init__(self, a=0.0, b=0.0):
        self.a = a
        self.b = b

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X))

    def score(self, X, y):
        return self.a


def plain(storage, n_trials):
    def objective(trial):
        model = Free(a=trial.suggest_float("a", 0, 1), b=trial.suggest_float("b", 0, 1))
        scores = []
        for k, (train, test) in enumerate(KFold(3).split(X)):
            scores.append(clone(model).fit(X[train], Y[train]).score(X[test], Y[test]))
            trial.report(float(np.mean(scores)), k + 1)
            if trial.should_prune():
                raise optuna.TrialPruned
        return float(np.mean(scores))

    study = optuna.create_study(
        storage=storage, direction="maximize", sampler=RandomSampler(seed=0), pruner=NopPruner()
    )
    study.optimize(objective, n_trials=n_trials)


def ours(storage, n_trials):
    space = {"a": FloatDistribution(0, 1), "b": FloatDistribution(0, 1)}
    OptunaSearchCV(
        Free(), space, n_trials=n_trials, cv=KFold(3), storage=storage, refit=False,
        sampler=RandomSampler(seed=0), pruner=NopPruner(),
    ).fit(X, Y)  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="where databases are made")
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    runs = {"plain Optuna": plain, "OptunaSearchCV": ours}
    seconds, processor = ({name: [] for name in runs} for _ in range(2))
    for _ in range(options.repeats):
        for name, function in runs.items():
            with tempfile.TemporaryDirectory(dir=options.folder) as folder:
                wall, cpu = time.perf_counter(), time.process_time()
                function(f"sqlite:///{folder}/search.db", options.trials)
                seconds[name].append((time.perf_counter() - wall) / options.trials)
                processor[name].append((time.process_time() - cpu) / options.trials)
    rows = [
        {
            "search": name,
            "clock, ms per trial": 1000 * statistics.median(seconds[name]),
            "clock / plain Optuna": statistics.median(seconds[name])
            / statistics.median(seconds["plain Optuna"]),
            "processor, ms per trial": 1000 * statistics.median(processor[name]),
        }
        for name in runs
    ]
    caption = f"Medians of {options.repeats} searches of {options.trials} trials, three folds each"
    notes = [
        "The estimator costs nothing, so this is the time of Optuna, the search and SQLite. Both "
        "kinds of searches alternate, each with a new database file."
    ]
    print(write_report("search_storage", "Time of a trial on SQLite", {caption: rows}, notes))


if __name__ == "__main__":
    main()
