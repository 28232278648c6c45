"""What tables and axes call a metric."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from sklearn.base import ClassifierMixin, RegressorMixin, is_classifier, is_regressor
from sklearn.pipeline import Pipeline

from ..utils.sklearn_private import BaseSearchCV, is_made_scorer, parts_of_scorer

#: Metric of an estimator's own ``score`` of which nothing is known.
UNKNOWN = "score"


def name_of_own_score(estimator: Any) -> str:
    """The metric that the ``score`` method of an estimator computes.

    Methods of this package say it by their attribute ``metric``, so a subclass that
    overrides ``score`` does not inherit the name.

    Parameters
    ----------
    estimator : estimator instance
        A pipeline scores as its last step, a search by its scorer, a wrapper without a
        ``score`` method of its own as what it wraps.

    Returns
    -------
    name : str
        "score" where the metric is not known.

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
        # those that override the method document the same metric
        if is_classifier(estimator):
            return "accuracy"
        if is_regressor(estimator):
            return "r2"
    inner = getattr(estimator, "estimator", None)
    if method is None and hasattr(inner, "score"):  # such as FrozenEstimator
        return name_of_own_score(inner)
    return getattr(method, "metric", UNKNOWN)


def name_of_scorer(scorer: Any) -> str:
    """A name for a scorer that was given as an object.

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
    """What a table calls the one metric of several results.

    Parameters
    ----------
    labels : iterable of str
        Of the results; "score" is an estimator's own, which may be any metric.

    Returns
    -------
    label : str

    Raises
    ------
    ValueError
        When the results are of different metrics.
    """
    found = set(labels)
    if len(found) > 1:
        found.discard(UNKNOWN)
    if len(found) > 1:
        raise ValueError(f"the results are of different metrics: {', '.join(sorted(found))}")
    return found.pop()
