"""Decoding of frame posteriors into phones: best path, or prefix beam search."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._language_model import END, PhoneNGram

BLANK = 0
_LOG_2 = math.log(2)


def greedy_decode(log_probs: ArrayLike) -> list[int]:
    """Decode the most probable path: merge repeated labels, then drop blanks.

    Parameters
    ----------
    log_probs : ndarray of shape (n_frames, n_labels)
        Log probability of each label in each frame; column 0 is blank.

    Returns
    -------
    codes : list of int

    Examples
    --------
    >>> greedy_decode(np.eye(3)[[0, 1, 1, 0, 1, 2]])
    [1, 1, 2]
    """
    best = np.asarray(log_probs).argmax(1)
    changed = np.ones(len(best), dtype=bool)
    changed[1:] = best[1:] != best[:-1]
    return best[changed & (best != BLANK)].tolist()


# Compared and hashed by identity: the tree holds each prefix once.
@dataclass(eq=False, slots=True)
class _Prefix:
    """A sequence of phones, stored as its last phone and a link to the prefix before it."""

    code: int
    parent: "_Prefix | None"
    prior: float  # log prior of the sequence: language model and bonus
    context: tuple[int, ...]  # the phones that the language model looks at
    children: "dict[int, _Prefix] | None" = None  # most prefixes are given up before they have any

    def codes(self) -> list[int]:
        codes, prefix = [], self
        while prefix.parent is not None:
            codes.append(prefix.code)
            prefix = prefix.parent
        return codes[::-1]


class _PrefixPriors:
    """Log priors of prefixes: language model and bonus."""

    def __init__(self, language_model: PhoneNGram | None, weight: float, bonus: float):
        self.language_model, self.weight, self.bonus = language_model, weight, bonus
        self.context_length = 0 if language_model is None else language_model.order - 1
        self._next: dict[tuple[int, ...], list[float]] = {}

    def next_code(self, prefix: _Prefix, code: int) -> float:
        """Weighted log probability of a code after a prefix; 0 without a language model."""
        if self.language_model is None:
            return 0.0
        if prefix.context not in self._next:
            log_proba = self.language_model.log_proba(prefix.context)
            self._next[prefix.context] = (self.weight * log_proba).tolist()
        return self._next[prefix.context][code]

    def extend(self, prefix: _Prefix, code: int) -> _Prefix:
        """The prefix with one more phone; always the same object for the same phones."""
        if prefix.children is None:
            prefix.children = {}
        child = prefix.children.get(code)
        if child is None:
            prior = prefix.prior + self.bonus + self.next_code(prefix, code)
            context = (*prefix.context, code)[-self.context_length :] if self.context_length else ()
            child = prefix.children[code] = _Prefix(code, prefix, prior, context)
        return child


def beam_decode(
    log_probs: ArrayLike,
    beam_width: int = 16,
    language_model: PhoneNGram | None = None,
    weight: float = 0.0,
    bonus: float = 0.0,
    threshold: float = 1e-4,
) -> list[int]:
    """Find the most probable sequence by prefix beam search, summing over its paths.

    Parameters
    ----------
    log_probs : ndarray of shape (n_frames, n_labels)
        Log probability of each label in each frame; column 0 is blank.
    beam_width : int, default=16
        Number of prefixes kept after each frame.
    language_model : PhoneNGram, default=None
        Its log probabilities, times `weight`, are added for each phone and for the
        end of the sequence.
    weight : float, default=0.0
    bonus : float, default=0.0
        Added for each phone, since language models favour short sequences.
    threshold : float, default=1e-4
        A frame starts only phones of at least this probability, or the most probable
        phone when there are none. 0 allows every phone.

    Returns
    -------
    codes : list of int

    Notes
    -----
    The time for a frame does not depend on the length of the prefixes: a prefix is a
    node of a tree, and only its last phones are looked at.

    References
    ----------
    A. Hannun et al., "First-pass large vocabulary continuous speech recognition
    using bi-directional recurrent DNNs", arXiv:1408.2873, 2014.
    """
    log_probs = np.asarray(log_probs, dtype=float)
    priors = _PrefixPriors(language_model, weight, bonus)
    with np.errstate(divide="ignore"):
        floor = np.log(threshold)
    # of each prefix: log probability of its paths that end in blank, and in its last phone
    beam = {_Prefix(BLANK, None, 0.0, ()): (0.0, -math.inf)}
    for frame in log_probs:
        row = frame.tolist()
        starting = [(code, row[code]) for code in _starting_phones(frame, floor)]
        new: dict[_Prefix, tuple[float, float]] = {}
        for prefix, (blank, last) in beam.items():
            both = _logaddexp(blank, last)
            repeated = -math.inf if prefix.parent is None else last + row[prefix.code]
            _add(new, prefix, both + row[BLANK], repeated)
            for code, value in starting:
                # a phone follows itself only after a blank
                before = blank if prefix.code == code else both
                if before > -math.inf:
                    _add(new, priors.extend(prefix, code), -math.inf, before + value)
        ranked = sorted(
            new.items(), key=lambda item: _logaddexp(*item[1]) + item[0].prior, reverse=True
        )
        left, beam = beam, dict(ranked[:beam_width])
        for prefix in left:
            _forget(prefix, beam)

    def total(item: tuple[_Prefix, tuple[float, float]]) -> float:
        prefix, (blank, last) = item
        return _logaddexp(blank, last) + prefix.prior + priors.next_code(prefix, END)

    return max(beam.items(), key=total)[0].codes()


def _forget(prefix: _Prefix, beam: dict[_Prefix, tuple[float, float]]) -> None:
    """Remove from the tree what no prefix of the beam needs, so that memory stays small."""
    while prefix not in beam and prefix.parent is not None:
        prefix.children = {
            code: child
            for code, child in (prefix.children or {}).items()
            if child in beam or child.children
        } or None
        if prefix.children:
            return
        if prefix.parent.children:
            prefix.parent.children.pop(prefix.code, None)
        prefix = prefix.parent


def _starting_phones(frame: NDArray[np.float64], floor: float) -> list[int]:
    """Phones that are probable enough to start in a frame."""
    codes = (np.flatnonzero(frame[1:] >= floor) + 1).tolist()
    if not codes and len(frame) > 1:
        codes = [int(frame[1:].argmax()) + 1]
    return codes


def _add(
    beam: dict[_Prefix, tuple[float, float]], prefix: _Prefix, blank: float, last: float
) -> None:
    if prefix in beam:
        old_blank, old_last = beam[prefix]
        blank, last = _logaddexp(old_blank, blank), _logaddexp(old_last, last)
    beam[prefix] = (blank, last)


def _logaddexp(a: float, b: float) -> float:
    """numpy.logaddexp of two floats, without the overhead of a ufunc call."""
    if a == b:
        return a + _LOG_2
    if a > b:
        return a + math.log1p(math.exp(b - a))
    return b + math.log1p(math.exp(a - b))
