"""Forms of targets: indicator matrices of labels, and numbers in their units."""

import warnings
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import issparse
from sklearn.preprocessing import StandardScaler
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import assert_all_finite, check_array

from ..utils.values import check_container, check_mask


def indicator_matrix(y: Any, name: str) -> NDArray[np.int64] | None:
    """Convert targets with several labels per clip to a matrix of 0 and 1.

    Parameters
    ----------
    y : array-like or sparse matrix of shape (n_clips,) or (n_clips, n_labels)
    name : str
        Name of the estimator, for errors.

    Returns
    -------
    labels : ndarray of int64 of shape (n_clips, n_labels) or None
        None if y has one label per clip.

    Raises
    ------
    ValueError
        When a matrix holds anything but 0 and 1.

    Examples
    --------
    >>> indicator_matrix([[0, 1], [1, 1]], "Net")
    array([[0, 1],
           [1, 1]])
    >>> indicator_matrix(["no", "yes"], "Net") is None
    True
    """
    if issparse(y):
        y = y.toarray()
    if not _has_columns(y):
        return None
    if hasattr(y, "dtype") and y.dtype.kind == "f":
        assert_all_finite(y, input_name="y")
    kind = type_of_target(y, input_name="y")  # refuses lists of lists of labels
    values = np.asarray(y)
    if kind == "multilabel-indicator" and np.isin(values, (0, 1)).all():
        return values.astype(np.int64)
    if kind.startswith("continuous"):
        check_classification_targets(values)
    raise ValueError(
        f"y of shape {values.shape} has {kind} targets, first {values[:1].tolist()!r:.80}: "
        f"{name} takes one label per clip, of shape (n_clips,), or an indicator matrix of 0 and 1 "
        "of shape (n_clips, n_labels), such as MultiLabelBinarizer returns"
    )


def _has_columns(y: Any) -> bool:
    """Whether y has more than one column, or is a list of lists."""
    if hasattr(y, "shape"):
        return len(y.shape) == 2 and y.shape[1] != 1
    if not isinstance(y, (list, tuple)) or not all(map(_is_row, y)):
        return False
    widths = {len(row) for row in y}
    return bool(widths) and widths != {1}


def _is_row(row: Any) -> bool:
    return isinstance(row, (list, tuple)) or (isinstance(row, np.ndarray) and row.ndim > 0)


def warn_of_constant_labels(labels: NDArray[np.int64]) -> None:
    """Warn of labels that no clip has, or that all clips have, as OneVsRestClassifier does."""
    for j, n in enumerate(labels.sum(axis=0)):
        if n in (0, len(labels)):
            warnings.warn(
                f"Label {'not ' if n == 0 else ''}{j} is present in all training examples.",
                UserWarning,
                stacklevel=7,
            )


def weight_of_labels(class_weight: Any, labels: NDArray[np.int64]) -> NDArray[np.float64] | None:
    """Factors of the loss of each label, for its absence and its presence.

    Parameters
    ----------
    class_weight : None, "balanced" or list of dict
        As in scikit-learn's forests: a dict ``{0: weight, 1: weight}`` for each label.
    labels : ndarray of shape (n_clips, n_labels)
        Labels of the training clips.

    Returns
    -------
    weight : ndarray of shape (2, n_labels) or None
        Scaled to mean 1 over the clips and labels.

    Examples
    --------
    >>> weight_of_labels("balanced", np.array([[0, 1], [0, 1], [0, 0], [1, 0]]))
    array([[0.66666667, 1.        ],
           [2.        , 1.        ]])
    """
    if class_weight is None:
        return None
    n_labels = labels.shape[1]
    weight = np.ones((2, n_labels))
    if isinstance(class_weight, dict):
        raise ValueError(
            f"class_weight={class_weight!r} is a dict, but y is an indicator matrix of {n_labels} "
            "labels: expected 'balanced', or a list with one dict {0: weight, 1: weight} per label"
        )
    if isinstance(class_weight, list):
        if len(class_weight) != n_labels:
            raise ValueError(
                f"class_weight has {len(class_weight)} entries, but y has {n_labels} labels"
            )
        for j, entry in enumerate(class_weight):
            for value, factor in _checked(entry, j).items():
                weight[int(value), j] = factor
    else:
        for j in range(n_labels):
            present = np.unique(labels[:, j])
            weight[present, j] = compute_class_weight("balanced", classes=present, y=labels[:, j])
    mean = np.take_along_axis(weight, labels, axis=0).mean()
    if mean == 0:
        raise ValueError("class_weight gives all labels of all clips the weight 0")
    return weight / mean


def _checked(entry: Any, j: int) -> dict[int, float]:
    if not isinstance(entry, dict) or not set(entry) <= {0, 1}:
        raise ValueError(
            f"class_weight[{j}]={entry!r}: expected a dict with the keys 0 (absent) and 1 (present)"
        )
    for value, factor in entry.items():
        if not isinstance(factor, Real) or not 0 <= float(factor) < np.inf:
            raise ValueError(
                f"class_weight[{j}][{value}]={factor!r}: expected a number of at least 0"
            )
    return entry


def numbers_of(y: Any, estimator: Any) -> NDArray[np.float64]:
    """Check the targets of a regressor, and convert them to float64.

    Parameters
    ----------
    y : array-like of shape (n_clips,) or (n_clips, n_outputs)
    estimator : estimator instance
        Named in errors.

    Returns
    -------
    y : ndarray of float64 of shape (n_clips,) or (n_clips, n_outputs)
    """
    name = type(estimator).__name__
    check_container(y, "y")
    check_mask(y, "y")
    if getattr(getattr(y, "dtype", None), "kind", "") in ("m", "M", "V"):
        raise ValueError(f"y has dtype {y.dtype}: {name} learns real numbers")
    try:
        y = check_array(y, ensure_2d=False, dtype="numeric", input_name="y", estimator=estimator)
        numbers = y.astype(np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        if "NaN" in str(error) or "infinity" in str(error) or "dim" in str(error):
            raise
        raise ValueError(
            f"{str(error).rstrip('.')}; {name} predicts numbers: for labels, use the "
            "classifiers of sklearn_speech.classification"
        ) from error
    if y.ndim == 0 or (y.ndim == 2 and y.shape[1] == 0):
        raise ValueError(f"y has shape {y.shape}: {name} takes (n_clips,) or (n_clips, n_outputs)")
    y = numbers
    # None becomes NaN only here
    if not np.isfinite(y).all():
        i = int(np.argwhere(~np.isfinite(y))[0, 0])
        kind = "NaN" if np.isnan(y[i]).any() else "infinity"
        raise ValueError(f"Input y contains {kind}: y[{i}] is {y[i]}; leave this clip out")
    return y


def fit_scaler(numbers: NDArray[np.float64], weight: NDArray[np.float64] | None) -> StandardScaler:
    """Learn mean and standard deviation of targets in any unit.

    Parameters
    ----------
    numbers : ndarray of shape (n_clips, n_outputs)
    weight : ndarray of shape (n_clips,) or None

    Returns
    -------
    scaler : StandardScaler
        The scale of numbers that are all the same is their magnitude, but at most 1.

    Examples
    --------
    >>> fit_scaler(np.array([[1e-200], [3e-200]]), None).scale_
    array([1.e-200])
    """
    # squares of the numbers themselves could overflow or vanish; powers of 2 divide exactly
    peak = np.abs(numbers).max(axis=0)
    unit = np.ldexp(1.0, np.frexp(peak)[1] - 1)
    scaler = StandardScaler().fit(numbers / unit, sample_weight=weight)
    constant = (scaler.scale_ == 1) & (scaler.var_ < 0.5)
    magnitude = np.where(peak > 0, np.minimum(peak, 1), 1)
    scaler.scale_ = np.where(constant, magnitude, scaler.scale_ * unit)
    scaler.mean_ = scaler.mean_ * unit
    with np.errstate(over="ignore"):
        scaler.var_ = scaler.var_ * unit * unit
    return scaler


class InUnits:
    """Lookup of numbers in their units by standardised numbers.

    It is indexed like the array of classes of a classifier.

    Parameters
    ----------
    scaler : StandardScaler
        Fitted to the targets.
    ndim : int
        Number of dimensions of the targets.
    """

    def __init__(self, scaler: Any, ndim: int):
        self.scaler, self.ndim = scaler, ndim

    def __getitem__(self, standardised: ArrayLike) -> NDArray[np.float64]:
        numbers = self.scaler.inverse_transform(np.asarray(standardised, dtype=np.float64))
        return numbers[:, 0] if self.ndim == 1 else numbers
