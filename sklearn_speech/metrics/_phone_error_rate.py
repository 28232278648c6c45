"""Phone error rate, the standard score of phone recognisers."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from sklearn.metrics import make_scorer
from sklearn.utils import check_consistent_length

from ..utils.values import check_mask
from ._phone_errors import phone_errors

AVERAGES = ("corpus", "utterance")


def phone_error_rate(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    folding: Literal[39, 48] | None = None,
    average: Literal["corpus", "utterance"] = "corpus",
    sample_weight: ArrayLike | None = None,
) -> float:
    """Compute the number of phone errors divided by the number of spoken phones.

    Errors are the substitutions, deletions and insertions in the alignment with the fewest
    errors. 0 is perfect; with many insertions, the rate may exceed 1.

    Parameters
    ----------
    y_true : list or 1-D array of sequences of str, of shape (n_clips,)
        Spoken phones (reference).
    y_pred : list or 1-D array of sequences of str, of shape (n_clips,)
        Recognised phones.
    folding : {None, 48, 39}, default=None
        Fold both sequences from TIMIT's 61 phones before the comparison; see
        :func:`~sklearn_speech.metrics.fold_phones`. Published rates on TIMIT use 39.
    average : {"corpus", "utterance"}, default="corpus"
        "corpus" divides all errors by all phones, as published rates do; "utterance" averages the
        rates of the clips, so that short clips count as much as long ones.
    sample_weight : array-like of shape (n_clips,), default=None
        Weights of the clips.

    Returns
    -------
    rate : float
        At least 0.

    Raises
    ------
    TypeError, ValueError
        If a sequence is not a list of strings, a phone cannot be folded, the numbers of clips
        differ, a parameter is unknown, or no clip with a weight above 0 contains a spoken
        phone.

    See Also
    --------
    phone_errors : The three kinds of errors of each clip.
    phone_confusion_matrix : How often each phone is recognised as each phone.

    Notes
    -----
    A clip without spoken phones adds its insertions to the errors and nothing to the phones;
    with ``average="utterance"`` its rate is the number of its insertions.

    ``sklearn_speech.metrics.phone_error_rate_scorer`` is the scorer with the default settings; it
    negates the rate, so that higher is better. For other settings, call
    :func:`sklearn.metrics.make_scorer` with ``greater_is_better=False``.

    Examples
    --------
    >>> from sklearn_speech.metrics import phone_error_rate
    >>> said = [["th", "r", "iy"], ["w", "ah", "n"]]
    >>> phone_error_rate(said, [["f", "r", "iy"], ["w", "ah", "n"]])
    0.16666666666666666
    >>> phone_error_rate([["ix"]], [["ih"]]), phone_error_rate([["ix"]], [["ih"]], folding=39)
    (1.0, 0.0)
    """
    if average not in AVERAGES:
        raise ValueError(f"average={average!r}: expected 'corpus' or 'utterance'")
    found = phone_errors(y_true, y_pred, folding=folding)
    errors = found.substitutions + found.deletions + found.insertions
    weight = _check_weight(sample_weight, len(errors))
    phones = np.maximum(found.n_phones, 1) if average == "utterance" else found.n_phones
    if weight @ found.n_phones == 0:
        raise ValueError(
            "y_true contains no phone (in clips of weight above 0): the rate is undefined"
        )
    if average == "utterance":
        return float(np.average(errors / phones, weights=weight))
    return float(weight @ errors / (weight @ phones))


def _check_weight(sample_weight: ArrayLike | None, n_clips: int) -> np.ndarray:
    if sample_weight is None:
        return np.ones(n_clips)
    check_mask(sample_weight, "sample_weight")
    weight = np.asarray(sample_weight)
    if weight.ndim != 1 or weight.dtype.kind not in "fiub":
        raise ValueError(
            f"sample_weight has shape {weight.shape} and dtype {weight.dtype}: expected one "
            "number for each clip"
        )
    check_consistent_length(np.empty(n_clips), weight)
    weight = weight.astype(float)
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError("sample_weight: expected finite numbers of at least 0")
    return weight / max(weight.max(initial=0), 1)  # so that no sum is infinite


#: The scorer of :func:`phone_error_rate` with its default settings, for cross-validations and
#: searches; it returns the negative rate, since scorers are maximised.
phone_error_rate_scorer = make_scorer(
    phone_error_rate, greater_is_better=False, response_method="predict"
)
