"""Confusions between phones, from the alignment of the phone error rate."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from rapidfuzz.distance import Levenshtein

from ._phone_errors import check_pairs

#: Partner of a deleted or inserted phone.
NO_PHONE = "-"


def phone_confusion_matrix(
    y_true: ArrayLike, y_pred: ArrayLike, *, folding: Literal[39, 48] | None = None
) -> tuple[np.ndarray, list[str]]:
    """Count how often each phone was recognised as each phone, deleted or inserted.

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
    matrix : ndarray of int, shape (n_labels, n_labels)
        Entry (i, j) counts how often ``labels[i]`` was spoken and ``labels[j]`` recognised. The
        last row counts insertions, the last column deletions.
    labels : list of str
        The phones that occur, sorted, followed by "-", which means no phone.

    Raises
    ------
    TypeError, ValueError
        If a sequence is not a list of strings, the numbers of clips differ, a phone cannot be
        folded, or a phone is called "-".

    See Also
    --------
    sklearn_speech.inspection.PhoneConfusionDisplay : Draws the matrix.

    Notes
    -----
    The entries off the diagonal are the errors that :func:`~sklearn_speech.metrics.phone_errors`
    counts. If several alignments have equally few errors, one of them is counted.

    Examples
    --------
    >>> from sklearn_speech.metrics import phone_confusion_matrix
    >>> matrix, labels = phone_confusion_matrix([["n", "ay", "n"]], [["m", "ay"]])
    >>> labels
    ['ay', 'm', 'n', '-']
    >>> matrix
    array([[1, 0, 0, 0],
           [0, 0, 0, 0],
           [0, 1, 0, 1],
           [0, 0, 0, 0]])
    """
    sides = check_pairs(y_true, y_pred, folding)
    labels = sorted({phone for side in sides for phones in side for phone in phones})
    if NO_PHONE in labels:
        raise ValueError(f"a phone is called {NO_PHONE!r}, which means no phone here")
    labels.append(NO_PHONE)
    row = {label: i for i, label in enumerate(labels)}
    matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for said, heard in zip(*sides):
        for block in Levenshtein.opcodes(said, heard):
            left = said[block.src_start : block.src_end]
            right = heard[block.dest_start : block.dest_end]
            # both parts have the same length, or one of them is empty
            left, right = left or [NO_PHONE] * len(right), right or [NO_PHONE] * len(left)
            for a, b in zip(left, right):
                matrix[row[a], row[b]] += 1
    return matrix, labels
