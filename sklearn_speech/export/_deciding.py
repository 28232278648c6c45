"""How classifiers choose labels that are not those of their largest probabilities or scores."""

from typing import Any

import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import SVC, NuSVC

from ..utils.sklearn_private import label_above_threshold

#: Classifiers of two classes that compare the scores of another one with a threshold.
THRESHOLDED = (FixedThresholdClassifier, TunedThresholdClassifierCV)


def thresholded(estimator: Any) -> Any:
    """The fitted classifier whose scores are compared with a threshold."""
    return getattr(estimator, "estimator_", estimator.estimator)


def decision_of(estimator: Any) -> Any:
    """What a fitted classifier chooses labels by.

    Parameters
    ----------
    estimator : estimator instance
        The last step of a pipeline.

    Returns
    -------
    how : None, str or tuple
        None: by the largest probability or score that is exported. "votes": by the number of
        pairs of classes that each class wins. "decision_function": by its largest value; the
        probabilities of several classes may be equal to 1 before they are normalised. A tuple
        (classifier, method, column, threshold): by whether the class of that column has at
        least this score.
    """
    if isinstance(estimator, THRESHOLDED):
        return _threshold_of(estimator)
    if len(getattr(estimator, "classes_", ())) <= 2:
        return None
    if isinstance(estimator, (SVC, NuSVC)) and not estimator.break_ties:
        return "votes"
    by_class = isinstance(estimator, (SGDClassifier, OneVsRestClassifier))
    both = hasattr(estimator, "predict_proba") and hasattr(estimator, "decision_function")
    return "decision_function" if by_class and both else None


def _threshold_of(estimator: Any) -> tuple[Any, str, int, float]:
    inner = thresholded(estimator)
    methods: Any = estimator.response_method
    if methods == "auto":
        methods = ("predict_proba", "decision_function")
    methods = (methods,) if isinstance(methods, str) else methods
    method = next(name for name in methods if hasattr(inner, name))
    if isinstance(estimator, TunedThresholdClassifierCV):
        threshold, label = estimator.best_threshold_, label_above_threshold(estimator)
    else:
        threshold, label = estimator.threshold, estimator.pos_label
    if threshold == "auto":
        threshold = 0.5 if method == "predict_proba" else 0.0
    column = 1 if label is None else int(np.flatnonzero(estimator.classes_ == label)[0])
    return inner, method, column, float(threshold)
