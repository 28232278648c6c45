"""Substitutions, deletions and insertions between phone sequences."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from rapidfuzz.distance import Levenshtein
from sklearn.utils import Bunch, check_consistent_length

from ..utils.phones import check_phone_sequences
from ._phone_sets import check_folding, fold_checked


def phone_errors(
    y_true: ArrayLike, y_pred: ArrayLike, *, folding: Literal[39, 48] | None = None
) -> Bunch:
    """Count the substituted, deleted and inserted phones of each clip.

    Parameters
    ----------
    y_true : list or 1-D array of sequences of str, of shape (n_clips,)
        Spoken phones (reference).
    y_pred : list or 1-D array of sequences of str, of shape (n_clips,)
        Recognised phones.
    folding : {None, 48, 39}, default=None
        Fold both sequences before the comparison; see
        :func:`~sklearn_speech.metrics.fold_phones`.

    Returns
    -------
    errors : :class:`~sklearn.utils.Bunch`
        Four integer arrays of shape (n_clips,):

        substitutions : ndarray of shape (n_clips,)
            Phones recognised as other phones.
        deletions : ndarray of shape (n_clips,)
            Spoken phones that were not recognised.
        insertions : ndarray of shape (n_clips,)
            Recognised phones that were not spoken.
        n_phones : ndarray of shape (n_clips,)
            Spoken phones, after folding.

    Raises
    ------
    TypeError, ValueError
        If a sequence is not a list of strings, the numbers of clips differ, or a phone cannot
        be folded.

    Notes
    -----
    The sum of the three kinds is the Levenshtein distance. If several alignments have equally
    few errors, one of them is counted: the sum is unique, but its division into the three kinds
    is not. Scoring tools with different weights for substitutions than for deletions and
    insertions may divide it differently. Phones are compared in Unicode form NFC.

    Examples
    --------
    >>> from sklearn_speech.metrics import phone_errors
    >>> errors = phone_errors([["th", "r", "iy"]], [["f", "r", "iy", "n"]])
    >>> int(errors.substitutions[0]), int(errors.deletions[0]), int(errors.insertions[0])
    (1, 0, 1)
    """
    references, recognised = check_pairs(y_true, y_pred, folding)
    kinds = ("replace", "delete", "insert")
    counts = np.zeros((3, len(references)), dtype=np.int64)
    for i, (said, heard) in enumerate(zip(references, recognised)):
        for operation in Levenshtein.editops(said, heard):
            counts[kinds.index(operation.tag), i] += 1
    return Bunch(
        substitutions=counts[0],
        deletions=counts[1],
        insertions=counts[2],
        n_phones=np.array([len(said) for said in references], dtype=np.int64),
    )


def check_pairs(
    y_true: ArrayLike, y_pred: ArrayLike, folding: int | None
) -> tuple[np.ndarray, np.ndarray]:
    """Check both sequences and, if `folding` is given, fold them."""
    check_folding(folding)
    said = check_phone_sequences(y_true, "y_true")
    heard = check_phone_sequences(y_pred, "y_pred")
    check_consistent_length(said, heard)
    if folding is not None:
        said = fold_checked(said, folding, "y_true")
        heard = fold_checked(heard, folding, "y_pred")
    return said, heard
