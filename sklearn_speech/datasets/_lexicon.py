"""Convert words to phones with a lexicon, and phones to the closest words."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..utils.phones import check_phone_sequences
from ..utils.text import normalize_name
from ..utils.validation import make_ragged

#: Costs of a phone error, of a phone in common, and of a word. Each is larger than any sum of
#: the following ones.
ERROR, HIT, WORD = 10**12, -(10**6), 1

#: Cost, and positions of words in the lexicon; smaller is better.
_Path = tuple[int, tuple[int, ...]]


def phonemize(
    transcripts: Iterable[Iterable[Any]], lexicon: Mapping[Any, Sequence[str]]
) -> np.ndarray:
    """Convert words to phones.

    Parameters
    ----------
    transcripts : list or 1-D array of sequences, of shape (n_clips,)
        The words of each clip, as keys of `lexicon`.
    lexicon : dict of word to sequence of str
        The phones of each word, at least one.

    Returns
    -------
    sequences : ndarray of shape (n_clips,), dtype object
        The phones of each clip, a list of str.

    Raises
    ------
    TypeError, ValueError
        If a word is not in the lexicon, or an argument has the wrong form.

    See Also
    --------
    words_from_phones : The inverse.

    Examples
    --------
    >>> from sklearn_speech.datasets import phonemize
    >>> phonemize([["oh", "no"], []], {"oh": ["ow"], "no": ["n", "ow"]})
    array([list(['ow', 'n', 'ow']), list([])], dtype=object)
    """
    spellings = _check_lexicon(lexicon)
    if isinstance(transcripts, str) or not hasattr(transcripts, "__len__"):
        raise TypeError(
            f"transcripts={transcripts!r:.100}: expected one list of words for each clip"
        )
    sequences = []
    for i, words in enumerate(transcripts):
        if isinstance(words, str) or not hasattr(words, "__len__"):
            raise TypeError(f"transcripts[{i}] is {words!r:.100}: expected a list of words")
        names = [normalize_name(word) for word in words]
        for word in names:
            if word not in spellings:
                raise ValueError(
                    f"transcripts[{i}] contains the word {word!r}, which is not in the lexicon of "
                    f"{len(spellings)} words"
                )
        sequences.append([phone for word in names for phone in spellings[word]])
    return make_ragged(sequences)


def words_from_phones(sequences: ArrayLike, lexicon: Mapping[Any, Sequence[str]]) -> np.ndarray:
    """Find the words whose phones are closest to the recognised ones.

    The result is the word sequence, of any length, whose phones have the smallest edit distance
    to the given phones. Ties go to the one with the most phones in common, then to the one with
    fewer words, then to the one whose words come first in the lexicon.

    Parameters
    ----------
    sequences : list or 1-D array of sequences of str, of shape (n_clips,)
        The phones of each clip. Silences that are not in the lexicon count as insertions, so
        remove them first.
    lexicon : dict of word to sequence of str
        The phones of each word, at least one.

    Returns
    -------
    words : ndarray of shape (n_clips,), dtype object
        Each a list of keys of `lexicon`; empty if no word explains any phone.

    Raises
    ------
    TypeError, ValueError
        When a sequence or the lexicon has another form.

    Notes
    -----
    Edit-distance libraries compare two given sequences; here, one of them may be any sequence
    of words of the lexicon. The alignment therefore advances through all words at once, and any
    word may follow another. The cost is one step per recognised phone and phone of the lexicon.

    Examples
    --------
    >>> from sklearn_speech.datasets import words_from_phones
    >>> lexicon = {"oh": ["ow"], "no": ["n", "ow"]}
    >>> words_from_phones([["n", "ow", "m", "n", "ow"]], lexicon)[0]
    ['no', 'no']
    """
    spellings = _check_lexicon(lexicon)
    return make_ragged(
        _closest_words(phones, spellings)
        for phones in check_phone_sequences(sequences, "sequences")
    )


def _closest_words(phones: list[str], lexicon: dict[Any, list[str]]) -> list[Any]:
    """Return the words of one clip."""
    spellings = list(lexicon.values())
    best: _Path = (0, ())
    # paths[w][k]: the best path that has passed k phones of word w
    paths = [_enter(best, w, spelling) for w, spelling in enumerate(spellings)]
    for phone in phones:
        ends = [(best[0] + ERROR, best[1])]  # the phone is in no word
        moved = []
        for spelling, before in zip(spellings, paths):
            cost, words = before[0]
            after = [(cost + ERROR, words)]
            for k, expected in enumerate(spelling):
                inserted = before[k + 1]
                deleted = after[k]
                cost, words = before[k]
                after.append(
                    min(
                        (inserted[0] + ERROR, inserted[1]),
                        (deleted[0] + ERROR, deleted[1]),
                        (cost + (HIT if phone == expected else ERROR), words),
                    )
                )
            moved.append(after)
            ends.append(after[-1])
        best = min(ends)
        paths = [
            list(map(min, after, _enter(best, w, spelling)))
            for w, (spelling, after) in enumerate(zip(spellings, moved))
        ]
    names = list(lexicon)
    return [names[w] for w in best[1]]


def _enter(path: _Path, w: int, spelling: list[str]) -> list[_Path]:
    """Begin word w with any number of its first phones deleted."""
    cost, words = path
    return [(cost + WORD + k * ERROR, (*words, w)) for k in range(len(spelling) + 1)]


def _check_lexicon(lexicon: Mapping[Any, Sequence[str]]) -> dict[Hashable, list[str]]:
    if not isinstance(lexicon, dict) or not lexicon:
        raise TypeError(
            f"lexicon={lexicon!r:.100}: expected a dict of at least one word, such as "
            "{{'no': ['n', 'ow']}}"
        )
    spellings = check_phone_sequences(list(lexicon.values()), "the lexicon's values")
    for word, spelling in zip(lexicon, spellings):
        if not spelling:
            raise ValueError(f"lexicon: the word {word!r} has no phones")
    checked = {normalize_name(word): spelling for word, spelling in zip(lexicon, spellings)}
    if len(checked) < len(lexicon):
        raise ValueError("lexicon: two words differ only in their Unicode form")
    return checked
