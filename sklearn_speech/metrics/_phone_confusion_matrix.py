"""Which phones are taken for which, by the alignment that the error rate is counted on."""

import numpy as np
from rapidfuzz.distance import Levenshtein

from ._phone_errors import check_pairs

#: What a phone is paired with that was left out, or added.
NO_PHONE = "-"


def phone_confusion_matrix(y_true, y_pred, *, folding=None):
    """Count which phones were heard as which, left out and added.

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
    matrix : ndarray of int, shape (n_labels, n_labels)
        Entry (i, j): how often the phone ``labels[i]`` was said and ``labels[j]`` heard. The last
        row counts phones that were added, the last column those that were left out.
    labels : list of str
        The phones that occur, sorted; at the end "-", which stands for no phone.

    Raises
    ------
    TypeError, ValueError
        When a sequence is no list of strings, the numbers of clips differ, a phone cannot be
        folded, or one is called "-".

    See Also
    --------
    sklearn_speech.inspection.PhoneConfusionDisplay : Draws it.

    Notes
    -----
    Off the diagonal are the errors that :func:`~sklearn_speech.metrics.phone_errors` counts. Where
    several alignments are equally short, one of them is counted.

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
    y_true, y_pred = check_pairs(y_true, y_pred, folding)
    labels = sorted({phone for side in (y_true, y_pred) for phones in side for phone in phones})
    if NO_PHONE in labels:
        raise ValueError(f"a phone is called {NO_PHONE!r}, which stands for no phone here")
    labels.append(NO_PHONE)
    row = {label: i for i, label in enumerate(labels)}
    matrix = np.zeros((len(labels), len(labels)), dtype=np.int64)
    for said, heard in zip(y_true, y_pred):
        for _, i, i_end, j, j_end in Levenshtein.opcodes(said, heard):
            # blocks are equally long, or one of them is empty
            pairs = max(i_end - i, j_end - j)
            left = said[i:i_end] or [NO_PHONE] * pairs
            right = heard[j:j_end] or [NO_PHONE] * pairs
            for a, b in zip(left, right):
                matrix[row[a], row[b]] += 1
    return matrix, labels
