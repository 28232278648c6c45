"""The one number that recognisers are compared by."""

import numpy as np
from sklearn.metrics import make_scorer
from sklearn.utils import check_consistent_length

from ._phone_errors import phone_errors

AVERAGES = ("corpus", "utterance")


def phone_error_rate(y_true, y_pred, *, folding=None, average="corpus", sample_weight=None):
    """Share of phones that were heard wrong, left out or added.

    Substitutions, deletions and insertions of the shortest alignment, divided by the number of
    phones that were said. 0 is perfect; with many insertions the rate exceeds 1.

    Parameters
    ----------
    y_true : list or 1-D array of sequences of str, of shape (n_clips,)
        The phones that were said.
    y_pred : list or 1-D array of sequences of str, of shape (n_clips,)
        The phones that were recognised.
    folding : {None, 48, 39}, default=None
        Fold both sides from TIMIT's 61 phones before they are compared; see
        :func:`~sklearn_speech.metrics.fold_phones`. Published rates on TIMIT are of 39.
    average : {"corpus", "utterance"}, default="corpus"
        "corpus" divides all errors by all phones, as published rates do; "utterance" is the mean
        of the clips' rates, in which short clips count as much as long ones.
    sample_weight : array-like of shape (n_clips,), default=None
        Weights of the clips.

    Returns
    -------
    rate : float
        At least 0.

    Raises
    ------
    TypeError, ValueError
        When a sequence is no list of strings, a phone cannot be folded, the numbers of clips
        differ, a parameter is unknown, or no phone was said in any clip that has a weight.

    See Also
    --------
    phone_errors : The three kinds of errors, for each clip.
    phone_confusion_matrix : Which phones are taken for which.

    Notes
    -----
    A clip in which nothing was said adds its insertions to the errors and nothing to the phones;
    with ``average="utterance"`` its rate is the number of its insertions.

    As a scorer, with the sign turned so that more is better, it is
    ``sklearn_speech.metrics.phone_error_rate_scorer``; for other settings call
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
        raise ValueError("y_true holds no phone (in clips of weight above 0): no rate is defined")
    if average == "utterance":
        return float(np.average(errors / phones, weights=weight))
    return float(weight @ errors / (weight @ phones))


def _check_weight(sample_weight, n_clips):
    if sample_weight is None:
        return np.ones(n_clips)
    weight = np.asarray(sample_weight)
    if weight.ndim != 1 or weight.dtype.kind not in "fiub":
        raise ValueError(
            f"sample_weight has shape {weight.shape} and dtype {weight.dtype}: expected one "
            "number a clip"
        )
    check_consistent_length(np.empty(n_clips), weight)
    weight = weight.astype(float)
    if not np.isfinite(weight).all() or (weight < 0).any():
        raise ValueError("sample_weight: expected finite numbers of at least 0")
    return weight


phone_error_rate_scorer = make_scorer(
    phone_error_rate, greater_is_better=False, response_method="predict"
)
