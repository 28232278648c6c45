"""Metrics that have no value where all clips have the same target."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn import metrics

from ..utils.sklearn_private import is_made_scorer, parts_of_scorer

#: Metrics that compare errors with how much the true numbers differ.
OF_NUMBERS = (
    metrics.d2_absolute_error_score,
    metrics.d2_pinball_score,
    metrics.d2_tweedie_score,
    metrics.explained_variance_score,
    metrics.r2_score,
)

#: Metrics that compare the clips of a class or label with the others.
OF_LABELS = (
    metrics.average_precision_score,
    metrics.d2_brier_score,
    metrics.d2_log_loss_score,
    metrics.matthews_corrcoef,
    metrics.roc_auc_score,
)


def has_no_value(scorer: Any, y: Any, classes: Any = None) -> bool:
    """Whether a metric has no value for some clips, by their true targets alone.

    scikit-learn gives a number in most of these cases, such as an R2 of 0 where all true numbers
    are the same, or an average precision of 0 where no clip has the label; that number says
    nothing about the predictions.

    Parameters
    ----------
    scorer : callable
    y : ndarray of shape (n_clips,) or (n_clips, n_targets)
        True targets.
    classes : array-like of shape (n_classes,), default=None
        All classes, where y holds classes.

    Returns
    -------
    undefined : bool
        False for scorers that :func:`sklearn.metrics.make_scorer` did not make.

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> has_no_value(get_scorer("r2"), np.array([120.0, 120.0]))
    True
    >>> has_no_value(get_scorer("average_precision"), np.array([[0, 1], [0, 0]]))
    True
    >>> has_no_value(get_scorer("neg_mean_absolute_error"), np.array([120.0, 120.0]))
    False
    """
    if not is_made_scorer(scorer):
        return False
    parts = parts_of_scorer(scorer)
    y = np.asarray(y)
    if y.ndim not in (1, 2) or len(y) == 0:
        return False
    if parts.function in OF_NUMBERS:
        return bool((y == y[:1]).all(axis=0).any())
    if parts.function not in OF_LABELS:
        return False
    if y.ndim == 2:
        return _labels_have_no_value(y, parts.options.get("average", "macro"))
    if parts.function is metrics.average_precision_score and np.ndim(classes) == 1:
        return not set(np.asarray(classes).tolist()) <= set(y.tolist())
    return bool((y == y[0]).all())


def _labels_have_no_value(y: npt.NDArray[Any], average: str | None) -> bool:
    if average in ("macro", None):
        return bool((y == y[:1]).all(axis=0).any())
    if average == "micro":
        return bool((y == y.flat[0]).all())
    return False  # weighted by label, or clip by clip: a mean over what there is
