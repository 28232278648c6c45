"""Clips and labels where some clips have no label."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..utils.labels import as_targets
from ..utils.sklearn_private import safe_indexing


def labels_of(y: Any, labelled: NDArray[np.bool_]) -> Any:
    """Labels of the labelled clips, as an array of strings if all are strings."""
    y = y[labelled]
    if y.dtype == object and all(isinstance(label, str) for label in y):
        return np.array(y.tolist())
    return y


def as_array(y: Any) -> NDArray[Any]:
    """Targets as an array; an indicator matrix of any form becomes two-dimensional."""
    targets = as_targets(y)
    if targets.ndim == 1 and len(targets) and isinstance(targets[0], (list, tuple, np.ndarray)):
        if len({len(row) for row in targets}) == 1:
            return np.array(targets.tolist())
    return targets


def clips_of(X: Any, chosen: NDArray[np.bool_]) -> Any:
    """The chosen clips."""
    return X if chosen.all() else safe_indexing(X, np.flatnonzero(chosen))
