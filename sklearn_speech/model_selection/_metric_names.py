"""Names of metrics in tables and on axes."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier, is_regressor
from sklearn.pipeline import Pipeline

from ..utils.scores import OF_ESTIMATOR
from ..utils.sklearn_private import BaseSearchCV, is_made_scorer, parts_of_scorer

#: Name of the metric of an estimator's own ``score`` if it is unknown.
UNKNOWN = "score"


def name_of_own_score(estimator: Any) -> str:
    """Return the metric that the ``score`` method of an estimator computes.

    Methods of this package name it in their attribute ``metric``, so a subclass that overrides
    ``score`` does not inherit the name.

    Parameters
    ----------
    estimator : estimator instance
        A pipeline uses the metric of its last step, a search that of its scorer, and a wrapper
        without its own ``score`` that of the wrapped estimator.

    Returns
    -------
    name : str
        "score" if the metric is unknown.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from sklearn.pipeline import make_pipeline
    >>> name_of_own_score(make_pipeline(DummyClassifier()))
    'accuracy'
    """
    if isinstance(estimator, Pipeline):
        return name_of_own_score(estimator.steps[-1][1])
    if isinstance(estimator, BaseSearchCV):
        scoring = estimator.scoring
        if isinstance(scoring, (list, tuple, set, dict)):
            scoring = estimator.refit if isinstance(estimator.refit, str) else None
        if scoring is None:
            return name_of_own_score(estimator.estimator)
        return scoring if isinstance(scoring, str) else name_of_scorer(scoring)
    method = getattr(type(estimator), "score", None)
    if method is ClassifierMixin.score:
        return "accuracy"
    if method is RegressorMixin.score:
        return "r2"
    if type(estimator).__module__.startswith("sklearn.") and not hasattr(estimator, "scoring"):
        # classes that override the method document the same metric
        if is_classifier(estimator):
            return "accuracy"
        if is_regressor(estimator):
            return "r2"
    inner = getattr(estimator, "estimator", None)
    metric = getattr(method, "metric", UNKNOWN)
    wraps = method is None or metric == OF_ESTIMATOR  # the first is so of FrozenEstimator
    if wraps and hasattr(inner, "score"):
        return name_of_own_score(inner)
    return metric


def name_of_scorer(scorer: Any) -> str:
    """Return a name for a scorer that was given as an object.

    Parameters
    ----------
    scorer : callable

    Returns
    -------
    name : str

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> name_of_scorer(get_scorer("neg_log_loss"))
    'neg_log_loss'
    """
    if is_made_scorer(scorer):
        parts = parts_of_scorer(scorer)
        function: Any = parts.function
        while isinstance(function, partial):
            function = function.func
        name = getattr(function, "__name__", type(function).__name__).removesuffix("_score")
        listed = ", ".join(f"{key}={value!r}" for key, value in parts.options.items())
        return ("neg_" if parts.sign < 0 else "") + name + (f" ({listed})" if listed else "")
    name = getattr(scorer, "__name__", type(scorer).__name__)
    return name if name.isidentifier() and name != "score" else "custom score"


def common_label(labels: Iterable[str]) -> str:
    """Return the common metric name of several results for a table.

    Parameters
    ----------
    labels : iterable of str
        Metric names of the results; "score" is an estimator's own, which may be any metric.

    Returns
    -------
    label : str

    Raises
    ------
    ValueError
        If the results are of different metrics.
    """
    found = set(labels)
    if len(found) > 1:
        found.discard(UNKNOWN)
    if len(found) > 1:
        raise ValueError(f"the results are of different metrics: {', '.join(sorted(found))}")
    return found.pop()
