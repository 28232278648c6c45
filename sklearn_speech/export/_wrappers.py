"""Estimators that hold another one."""

from typing import Any

from sklearn.frozen import FrozenEstimator

from ..utils.parts import final_step


def unwrapped(estimator: Any) -> Any:
    """The estimator that a search found or a frozen one holds; others as they are."""
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator


def last_of(estimator: Any) -> Any:
    """The last step of pipelines, searches and frozen estimators within each other."""
    while (last := final_step(unwrapped(estimator))) is not estimator:
        estimator = last
    return last
