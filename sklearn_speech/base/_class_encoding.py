"""Labels of classes as numbers for a network: checks, the sorted classes, their weights."""

import warnings
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, column_or_1d

from ..utils.labels import check_targets, is_unlabelled, spelled_as
from ..utils.text import normalize_name


def check_class_labels(y: Any) -> NDArray[Any]:
    """Check that y has one label per clip, all of one type and none missing.

    Parameters
    ----------
    y : array-like of shape (n_clips,) or (n_clips, 1)

    Returns
    -------
    y : ndarray of shape (n_clips,)
    """
    y = column_or_1d(check_targets(y), warn=True)
    _refuse_mixed(y)
    if y.dtype.kind in "fc":
        assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    return y


def _refuse_mixed(y: NDArray[Any]) -> None:
    """Refuse labels that cannot be sorted, which would fail deep inside numpy."""
    if y.dtype != object:
        return
    kinds = {"numbers" if isinstance(label, (Real, np.bool_)) else type(label) for label in y}
    if len(kinds) > 1:
        shown = sorted(kind if isinstance(kind, str) else kind.__name__ for kind in kinds)
        hint = ""
        if is_unlabelled(y).any():
            hint = "; -1 marks clips without a label only where a pretrainer is set"
        raise ValueError(
            f"y mixes labels of several types ({', '.join(shown)}): expected one type{hint}"
        )


def find_classes(y: Any) -> NDArray[Any]:
    """Return the distinct labels, sorted.

    Raises
    ------
    ValueError
        When there is only one.
    """
    classes = np.unique(y)
    if len(classes) < 2:
        raise ValueError(
            f"y has only 1 class, {classes.tolist()}: a classifier needs at least 2 classes"
        )
    return classes


def warn_of_minus_one(classes: NDArray[Any], takes_autoencoder: bool) -> None:
    """Warn if -1 looks like the mark of clips without a label, but is a class."""
    if classes.dtype.kind not in "if" or len(classes) < 3:
        return  # -1 and 1 are the usual names of two classes
    if classes[0] == -1 and classes[1] >= 0:
        way = "leave them out"
        if takes_autoencoder:
            way = "set a pretrainer, which learns from such clips too, or leave them out"
        warnings.warn(
            f"y contains -1 and {len(classes) - 1} classes from {classes[1]} to {classes[-1]}: "
            "without a pretrainer, -1 is a class like any other; if it means clips without a "
            f"label, {way}",
            UserWarning,
            stacklevel=10,
        )


def encode_classes(y: NDArray[Any], classes: NDArray[Any]) -> NDArray[np.int64]:
    """Return the position of each label among the classes.

    Parameters
    ----------
    y : ndarray of shape (n_clips,)
    classes : ndarray of shape (n_classes,)
        Sorted.

    Returns
    -------
    codes : ndarray of int64 of shape (n_clips,)

    Raises
    ------
    ValueError
        When a label is not among the classes.

    Examples
    --------
    >>> import numpy as np
    >>> encode_classes(np.array(["yes", "no"]), np.array(["no", "up", "yes"]))
    array([2, 0])
    """
    y = spelled_as(y, classes)
    codes = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    unknown = classes[codes] != y
    if np.any(unknown):
        raise ValueError(
            f"y has the labels {np.unique(y[unknown]).tolist()}, which are not among "
            f"the classes {classes.tolist()}"
        )
    return codes.astype(np.int64)


def weight_of_classes(
    class_weight: Any, classes: NDArray[Any], codes: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return the weight of each class.

    Parameters
    ----------
    class_weight : dict or "balanced"
    classes : ndarray of shape (n_classes,)
        Sorted.
    codes : ndarray of int64 of shape (n_clips,)
        Position of each clip's label among the classes.

    Returns
    -------
    weights : ndarray of shape (n_classes,)

    Raises
    ------
    ValueError
        When `class_weight` names an unknown class or holds anything but finite numbers of at
        least 0.
    """
    weights = np.ones(len(classes))
    if isinstance(class_weight, list):
        raise ValueError(
            f"class_weight={class_weight!r:.80} is a list, which is only for an "
            "indicator matrix y: expected a dict or 'balanced'"
        )
    if isinstance(class_weight, dict):
        known = {normalize_name(label): label for label in classes.tolist()}
        given = {normalize_name(label): weight for label, weight in class_weight.items()}
        unknown = set(given) - set(known)
        if unknown:
            raise ValueError(
                f"class_weight names {sorted(unknown, key=str)}, which are not among the "
                f"classes {classes.tolist()}"
            )
        for label, weight in given.items():
            if not isinstance(weight, Real) or not 0 <= float(weight) < np.inf:
                raise ValueError(
                    f"class_weight[{label!r}]={weight!r}: expected a number of at least 0"
                )
            weights[np.searchsorted(classes, known[label])] = weight
    else:
        present = np.unique(codes)
        weights[present] = compute_class_weight("balanced", classes=present, y=codes)
    return weights
