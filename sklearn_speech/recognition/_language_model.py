"""How probable a phone is after the phones before it."""

import numpy as np
from sklearn.base import BaseEstimator

#: The code of a sequence's end, which is that of blank elsewhere.
END = 0


class PhoneNGram(BaseEstimator):
    """Phone n-gram, interpolated after Witten and Bell down to equal probabilities.

    Parameters
    ----------
    order : int, default=2
        Phones that count, the predicted one included.
    n_phones : int, default=1

    Attributes
    ----------
    counts_ : dict of tuple to dict of int to float
        Of each context, how often which code came next.

    Notes
    -----
    A context that was seen `n` times, followed by `k` different codes, weighs
    ``n / (n + k)``; the shorter context takes the rest. A context that reaches
    beyond the beginning of a sequence is filled up with ``END``.

    References
    ----------
    I. H. Witten and T. C. Bell, "The zero-frequency problem", IEEE Trans. Inf.
    Theory 37(4), 1991.
    """

    def __init__(self, order=2, n_phones=1):
        self.order = order
        self.n_phones = n_phones

    def fit(self, sequences, y=None):
        """Count; a second call adds to what was counted.

        Parameters
        ----------
        sequences : iterable of list of int
            Codes from 1 to `n_phones`.

        Returns
        -------
        self : object
        """
        self.counts_ = getattr(self, "counts_", {})
        for codes in sequences:
            padded = [END] * (self.order - 1) + list(codes) + [END]
            for i in range(self.order - 1, len(padded)):
                for length in range(self.order):
                    context = tuple(padded[i - length : i])
                    after = self.counts_.setdefault(context, {})
                    after[padded[i]] = after.get(padded[i], 0) + 1
        return self

    def log_proba(self, prefix):
        """Logarithm of the probability of each code after a prefix.

        Parameters
        ----------
        prefix : tuple of int

        Returns
        -------
        log_probabilities : ndarray of shape (n_phones + 1,)
            ``END`` first.
        """
        return np.log(self._proba(((END,) * (self.order - 1) + tuple(prefix))[len(prefix) :]))

    def _proba(self, context):
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
