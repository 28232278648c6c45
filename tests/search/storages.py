"""Storages that fail at a given write, and estimators and spaces for searches over them."""

import copy

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage
from sklearn.base import BaseEstimator, ClassifierMixin

SPACE = {
    "a": FloatDistribution(0.0, 1.0),
    "b": IntDistribution(0, 9),
    "c": CategoricalDistribution(["x", "y"]),
}


class Death(BaseException):
    """Stands in for the end of a process."""


class Scored(ClassifierMixin, BaseEstimator):
    """Its score is its parameter `a`."""

    def __init__(self, a=0.0, b=0, c="x"):
        self.a = a
        self.b = b
        self.c = c

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.zeros(len(X))

    def score(self, X, y):
        return self.a


def dying_storage(storage, dies_at=None, after=False, on_death=None):
    """A storage that raises Death at a given write, before or after it, and at each later call."""

    class DyingStorage(BaseStorage):
        n_writes = 0

    def forward(name):
        writes = name.startswith(("set_", "create_"))

        def method(self, *args, **kwargs):
            cls = type(self)
            cls.n_writes += writes
            if dies_at is not None and cls.n_writes >= dies_at:
                if writes and after and cls.n_writes == dies_at:
                    getattr(storage, name)(*args, **kwargs)
                if on_death is not None:
                    on_death()
                raise Death
            result = getattr(storage, name)(*args, **kwargs)
            return copy.deepcopy(result) if name == "get_trial" else result

        return method

    for name in BaseStorage.__abstractmethods__:
        setattr(DyingStorage, name, forward(name))
    DyingStorage.__abstractmethods__ = frozenset()
    return DyingStorage()
