"""Names of the metrics that ``score`` methods compute."""

from collections.abc import Callable
from typing import TypeVar

#: Metric of a wrapper that returns the score of its ``estimator``.
OF_ESTIMATOR = "that of the estimator"

Method = TypeVar("Method", bound=Callable[..., float])


def reports(metric: str) -> Callable[[Method], Method]:
    """Name the metric of a ``score`` method, for tables and axis labels.

    Parameters
    ----------
    metric : str

    Returns
    -------
    decorator : callable
        Sets ``metric`` on the method, and returns the method itself.

    Examples
    --------
    >>> @reports("accuracy")
    ... def score(X, y):
    ...     return 1.0
    >>> score.metric
    'accuracy'
    """

    def decorate(method: Method) -> Method:
        vars(method)["metric"] = metric
        return method

    return decorate
