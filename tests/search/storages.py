"""Storages that die, and estimators and spaces for searches over them."""

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
    """A process ends here."""


class Scored(ClassifierMixin, BaseEstimator):
    """Its score is one of its parameters."""

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


def mortal(storage, dies_at=None, after=False, really=None):
    """A storage whose n-th write kills, before or after it is done; it stays dead then."""

    class Mortal(BaseStorage):
        n_writes = 0

    def through(name):
        writes = name.startswith(("set_", "create_"))

        def method(self, *args, **kwargs):
            cls = type(self)
            cls.n_writes += writes
            if dies_at is not None and cls.n_writes >= dies_at:
                if writes and after and cls.n_writes == dies_at:
                    getattr(storage, name)(*args, **kwargs)
                if really is not None:
                    really()
                raise Death
            result = getattr(storage, name)(*args, **kwargs)
            return copy.deepcopy(result) if name == "get_trial" else result

        return method

    for name in BaseStorage.__abstractmethods__:
        setattr(Mortal, name, through(name))
    Mortal.__abstractmethods__ = frozenset()
    return Mortal()
