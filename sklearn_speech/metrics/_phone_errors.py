"""What an alignment of two phone sequences finds: substitutions, deletions, insertions."""

import numpy as np
from rapidfuzz.distance import Levenshtein
from sklearn.utils import Bunch, check_consistent_length

from ..utils.validation import check_phone_sequences
from ._phone_sets import check_folding, fold_checked


def phone_errors(y_true, y_pred, *, folding=None):
    """Count what was heard wrong, left out and added in each clip.

    Parameters
    ----------
    y_true : list or 1-D array of sequences of str, of shape (n_clips,)
        The phones that were said.
    y_pred : list or 1-D array of sequences of str, of shape (n_clips,)
        The phones that were recognised.
    folding : {None, 48, 39}, default=None
        Fold both sides before they are compared; see
        :func:`~sklearn_speech.metrics.fold_phones`.

    Returns
    -------
    errors : :class:`~sklearn.utils.Bunch`
        Four integer arrays of shape (n_clips,):

        substitutions : ndarray of shape (n_clips,)
            Phones heard as others.
        deletions : ndarray of shape (n_clips,)
            Phones left out.
        insertions : ndarray of shape (n_clips,)
            Phones added.
        n_phones : ndarray of shape (n_clips,)
            Phones that were said, after folding.

    Raises
    ------
    TypeError, ValueError
        When a sequence is no list of strings, the numbers of clips differ, or a phone cannot be
        folded.

    Notes
    -----
    The sum of the three is the Levenshtein distance. Where several alignments are equally short,
    one of them is counted: the sum is certain, how it divides is not. Scoring tools that weigh
    substitutions otherwise than deletions and insertions may divide it otherwise.

    Examples
    --------
    >>> from sklearn_speech.metrics import phone_errors
    >>> errors = phone_errors([["th", "r", "iy"]], [["f", "r", "iy", "n"]])
    >>> int(errors.substitutions[0]), int(errors.deletions[0]), int(errors.insertions[0])
    (1, 0, 1)
    """
    y_true, y_pred = check_pairs(y_true, y_pred, folding)
    kinds = ("replace", "delete", "insert")
    counts = np.zeros((3, len(y_true)), dtype=np.int64)
    for i, (said, heard) in enumerate(zip(y_true, y_pred)):
        for operation in Levenshtein.editops(said, heard):
            counts[kinds.index(operation.tag), i] += 1
    return Bunch(
        substitutions=counts[0],
        deletions=counts[1],
        insertions=counts[2],
        n_phones=np.array([len(said) for said in y_true], dtype=np.int64),
    )


def check_pairs(y_true, y_pred, folding):
    """Both sides checked and, if wanted, folded."""
    check_folding(folding)
    y_true = check_phone_sequences(y_true, "y_true")
    y_pred = check_phone_sequences(y_pred, "y_pred")
    check_consistent_length(y_true, y_pred)
    if folding is not None:
        y_true = fold_checked(y_true, folding, "y_true")
        y_pred = fold_checked(y_pred, folding, "y_pred")
    return y_true, y_pred
