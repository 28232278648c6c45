"""Phone n-gram language model."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator

from ..utils.sklearn_private import DocumentedMixin

#: Code of the end of a sequence. Network outputs use the same column for blank.
END = 0


class PhoneNGram(DocumentedMixin, BaseEstimator):
    """Phone n-gram with Witten-Bell smoothing, interpolated down to the uniform distribution.

    Parameters
    ----------
    order : int, default=2
        Length of the n-grams: the predicted phone and the ``order - 1`` before it.
    n_phones : int, default=1
        Number of different phones.

    Attributes
    ----------
    counts_ : dict of tuple to dict of int to float
        For each context, the number of times that each code followed it.

    Notes
    -----
    A context seen `n` times, followed by `k` different codes, has the weight
    ``n / (n + k)``; the next shorter context has the remaining weight. At the beginning
    of a sequence, contexts are padded with ``END``.

    References
    ----------
    I. H. Witten and T. C. Bell, "The zero-frequency problem", IEEE Trans. Inf.
    Theory 37(4), 1991.
    """

    def __init__(self, order: int = 2, n_phones: int = 1):
        self.order = order
        self.n_phones = n_phones

    def fit(self, sequences: Iterable[list[int]], y: None = None) -> "PhoneNGram":
        """Count n-grams; further calls add to the counts.

        Parameters
        ----------
        sequences : iterable of list of int
            Codes from 1 to `n_phones`.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        self.counts_: dict[tuple[int, ...], dict[int, int]] = getattr(self, "counts_", {})
        for codes in sequences:
            padded = [END] * (self.order - 1) + list(codes) + [END]
            for i in range(self.order - 1, len(padded)):
                for length in range(self.order):
                    context = tuple(padded[i - length : i])
                    after = self.counts_.setdefault(context, {})
                    after[padded[i]] = after.get(padded[i], 0) + 1
        return self

    def log_proba(self, prefix: tuple[int, ...]) -> NDArray[np.float64]:
        """Log probability of each code after a prefix.

        Parameters
        ----------
        prefix : tuple of int
            Only its last ``order - 1`` codes have an influence.

        Returns
        -------
        log_probabilities : ndarray of shape (n_phones + 1,)
            ``END`` first.
        """
        return np.log(self._proba(((END,) * (self.order - 1) + tuple(prefix))[len(prefix) :]))

    def _proba(self, context: tuple[int, ...]) -> NDArray[np.float64]:
        if len(context) == 0:
            lower = np.full(self.n_phones + 1, 1 / (self.n_phones + 1))
        else:
            lower = self._proba(context[1:])
        after = self.counts_.get(context)
        if not after:
            return lower
        seen, kinds = sum(after.values()), len(after)
        proba = kinds * lower
        for code, count in after.items():
            proba[code] += count
        return proba / (seen + kinds)
