"""Convert the ten English digits to phones, and phones to digits."""

import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ._digit_phones import DIGIT_PHONES
from ._lexicon import phonemize, words_from_phones

DIGIT_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")

_BY_NAME = {name: i for i, word in enumerate(DIGIT_WORDS) for name in (word, str(i))}


def phonemize_digits(digits: Iterable[Any]) -> np.ndarray:
    """Convert digits to phones in TIMIT's notation.

    Parameters
    ----------
    digits : array-like of shape (n_clips,), or list of sequences
        One digit or a sequence of digits for each clip. A digit is a whole number from 0 to 9,
        or a string such as "7" or "seven".

    Returns
    -------
    sequences : ndarray of shape (n_clips,), dtype object
        The phones of each clip, a list of str, without silence around or between digits. There
        are 22 different phones.

    Raises
    ------
    TypeError, ValueError
        If an entry is not a digit; the message names its position.

    See Also
    --------
    digits_from_phones : The inverse.

    Notes
    -----
    Each digit has one American pronunciation. A speaker may pronounce it differently.

    Examples
    --------
    >>> from sklearn_speech.datasets import phonemize_digits
    >>> phonemize_digits([3, 8])
    array([list(['th', 'r', 'iy']), list(['ey', 'tcl', 't'])], dtype=object)
    >>> phonemize_digits([[2, 3]])[0]
    ['t', 'uw', 'th', 'r', 'iy']
    """
    if isinstance(digits, str) or not hasattr(digits, "__len__"):
        raise TypeError(f"digits={digits!r:.100}: expected a list with one entry for each clip")
    return phonemize(
        [
            [as_digit(digit, f"digits[{i}]") for digit in (clip if _is_sequence(clip) else [clip])]
            for i, clip in enumerate(digits)
        ],
        DIGIT_PHONES,
    )


def digits_from_phones(sequences: ArrayLike) -> np.ndarray:
    """Find the digits whose phones are closest to the recognised ones.

    The result is the digit sequence with the smallest edit distance; see
    :func:`words_from_phones`.

    Parameters
    ----------
    sequences : list or 1-D array of sequences of str, of shape (n_clips,)
        The phones of each clip.

    Returns
    -------
    digits : ndarray of shape (n_clips,), dtype object
        Each a list of int.

    Raises
    ------
    TypeError, ValueError
        When a sequence is not a list of phones.

    Examples
    --------
    >>> from sklearn_speech.datasets import digits_from_phones
    >>> digits_from_phones([["t", "uw", "f", "r", "iy"], ["ey", "t"]])
    array([list([2, 3]), list([8])], dtype=object)
    """
    return words_from_phones(sequences, DIGIT_PHONES)


def as_digit(label: Any, name: str) -> int:
    """Convert a digit such as 7, "7" or "seven" to int; errors contain `name`."""
    if isinstance(label, numbers.Integral) and not isinstance(label, bool):
        if int(label) in DIGIT_PHONES:
            return int(label)
    elif isinstance(label, str) and label.lower() in _BY_NAME:
        return _BY_NAME[label.lower()]
    raise ValueError(
        f"{name} is or contains {label!r:.100}: expected a digit, 0 to 9, '0' to '9' or 'zero' to "
        "'nine'"
    )


def _is_sequence(clip: Any) -> bool:
    return hasattr(clip, "__len__") and not isinstance(clip, str) and getattr(clip, "ndim", 1) > 0
