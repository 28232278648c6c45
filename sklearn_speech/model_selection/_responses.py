"""Cache the predictions of a fitted estimator for the test clips."""

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.pipeline import Pipeline

from ..utils.sklearn_private import safe_indexing

#: Methods whose results are kept.
METHODS = ("predict", "predict_proba", "predict_log_proba", "decision_function")


def of_labels(probabilities: Any, classes: Any) -> npt.NDArray[Any] | None:
    """Probability of each label of a clip, from what a classifier of several labels gives.

    Parameters
    ----------
    probabilities : ndarray of shape (n_clips, n_labels), or list of ndarray
        scikit-learn's forests and neighbours have an array of shape (n_clips, n_values) for each
        label.
    classes : array-like
        Values of each label, in the second case.

    Returns
    -------
    probabilities : ndarray of shape (n_clips, n_labels) or None
        None where a target has other values than 0 and 1.

    Examples
    --------
    >>> half = np.full((2, 2), 0.5)
    >>> of_labels([half, np.ones((2, 1))], [[0, 1], [0]])
    array([[0.5, 0. ],
           [0.5, 0. ]])
    """
    if not isinstance(probabilities, list):
        return np.asarray(probabilities)
    columns = []
    for of_label, values in zip(probabilities, classes):
        values = list(values)
        if not set(values) <= {0, 1}:
            return None
        columns.append(of_label[:, values.index(1)] if 1 in values else np.zeros(len(of_label)))
    return np.stack(columns, axis=1)


class CachedResponses:
    """Wraps a fitted estimator and caches its responses (predictions, probabilities) to the
    test clips.

    Further metrics, scores by speaker and the stored predictions then need no further forward
    pass, and a pipeline computes its features once.

    Parameters
    ----------
    estimator : estimator instance
        A fitted estimator.
    X : array-like of shape (n_clips, ...)
        Test clips. Responses to this object and to its parts are cached.
    """

    def __init__(self, estimator: Any, X: Any) -> None:
        self.fitted = estimator
        self._X = X
        self._rows: dict[int, tuple[Any, npt.NDArray[np.intp]]] = {}
        self._responses: dict[str, Any] = {}
        self._features: tuple[Any] | None = None

    def part(self, rows: npt.NDArray[np.intp]) -> Any:
        """Return some of the clips; responses to them are taken from the cached ones.

        Parameters
        ----------
        rows : ndarray of int of shape (n_some,)
            Positions in X.

        Returns
        -------
        part : array-like of shape (n_some, ...)
        """
        part = safe_indexing(self._X, rows)
        self._rows[id(part)] = part, rows  # keep the part, so that its id stays unique
        return part

    def forget_parts(self) -> None:
        """Forget the parts; they are then treated like any other clips."""
        self._rows.clear()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.fitted, name)
        if name not in METHODS:
            return method

        def respond(X: Any, **kwargs: Any) -> Any:
            if kwargs or (X is not self._X and id(X) not in self._rows):
                return method(X, **kwargs)
            response = self.response(name)
            return response if X is self._X else safe_indexing(response, self._rows[id(X)][1])

        respond.__name__ = name
        return respond

    def response(self, name: str) -> Any:
        """Return the response to all clips.

        Parameters
        ----------
        name : str
            One of `METHODS`.

        Returns
        -------
        response : array-like of shape (n_clips, ...)
        """
        if name not in self._responses:
            estimator, X = self.fitted, self._X
            if type(estimator) is Pipeline and len(estimator.steps) > 1:
                if self._features is None:
                    self._features = (estimator[:-1].transform(X),)
                estimator, X = estimator.steps[-1][1], self._features[0]
            self._responses[name] = getattr(estimator, name)(X)
        return self._responses[name]
