"""From words to phones by a lexicon, and back to the words that fit best."""

from ..utils.text import normalize_name
from ..utils.validation import check_phone_sequences, make_ragged

#: Costs of a phone wrong, left out or added, of one in common, and of a word: each outweighs
#: any number of the next.
ERROR, HIT, WORD = 10**12, -(10**6), 1


def phonemize(transcripts, lexicon):
    """Spell words as phones.

    Parameters
    ----------
    transcripts : list or 1-D array of sequences, of shape (n_clips,)
        The words of each clip, as keys of `lexicon`.
    lexicon : dict of word to sequence of str
        Phones of each word; at least one.

    Returns
    -------
    sequences : ndarray of shape (n_clips,), dtype object
        Phones of each clip, each a list of str.

    Raises
    ------
    TypeError, ValueError
        When a word is not in the lexicon, or one of them is not what is said above.

    See Also
    --------
    words_from_phones : The way back.

    Examples
    --------
    >>> from sklearn_speech.datasets import phonemize
    >>> phonemize([["oh", "no"], []], {"oh": ["ow"], "no": ["n", "ow"]})
    array([list(['ow', 'n', 'ow']), list([])], dtype=object)
    """
    lexicon = _check_lexicon(lexicon)
    if isinstance(transcripts, str) or not hasattr(transcripts, "__len__"):
        raise TypeError(f"transcripts={transcripts!r:.100}: expected one list of words a clip")
    sequences = []
    for i, words in enumerate(transcripts):
        if isinstance(words, str) or not hasattr(words, "__len__"):
            raise TypeError(f"transcripts[{i}] is {words!r:.100}: expected a list of words")
        words = [normalize_name(word) for word in words]
        for word in words:
            if word not in lexicon:
                raise ValueError(
                    f"transcripts[{i}] holds the word {word!r}, which is not in the lexicon of "
                    f"{len(lexicon)} words"
                )
        sequences.append([phone for word in words for phone in lexicon[word]])
    return make_ragged(sequences)


def words_from_phones(sequences, lexicon):
    """Find the words whose phones are closest to what was recognised.

    Of all strings of words, of any length, the one whose phones have the smallest edit distance
    to the sequence. Among equally close ones that with the most phones in common wins, then the
    shorter, then the one whose words stand further ahead in the lexicon.

    Parameters
    ----------
    sequences : list or 1-D array of sequences of str, of shape (n_clips,)
        The phones of each clip. Silences that the lexicon does not know count as phones too
        many: remove them before.
    lexicon : dict of word to sequence of str
        Phones of each word; at least one.

    Returns
    -------
    words : ndarray of shape (n_clips,), dtype object
        Each a list of keys of `lexicon`; empty where no word explains any phone.

    Raises
    ------
    TypeError, ValueError
        When a sequence or the lexicon is not what is said above.

    Notes
    -----
    Edit-distance libraries compare two given sequences; here one side is all strings over the
    lexicon. The alignment therefore runs through every word at once, and wherever one ends any
    may begin: each phone costs one step for each phone of the lexicon.

    Examples
    --------
    >>> from sklearn_speech.datasets import words_from_phones
    >>> lexicon = {"oh": ["ow"], "no": ["n", "ow"]}
    >>> words_from_phones([["n", "ow", "m", "n", "ow"]], lexicon)[0]
    ['no', 'no']
    """
    lexicon = _check_lexicon(lexicon)
    return make_ragged(
        _closest_words(phones, lexicon) for phones in check_phone_sequences(sequences, "sequences")
    )


def _closest_words(phones, lexicon):
    """One clip's words. A path is (cost, positions of words in the lexicon); the least is best."""
    spellings = list(lexicon.values())
    best = (0, ())
    # paths[w][k]: the best one of those that stand behind phone k of word w
    paths = [_enter(best, w, spelling) for w, spelling in enumerate(spellings)]
    for phone in phones:
        ends = [(best[0] + ERROR, best[1])]  # the phone belongs to no word
        moved = []
        for spelling, before in zip(spellings, paths):
            cost, words = before[0]
            after = [(cost + ERROR, words)]
            for k, expected in enumerate(spelling):
                added = before[k + 1]
                left_out = after[k]
                cost, words = before[k]
                after.append(
                    min(
                        (added[0] + ERROR, added[1]),
                        (left_out[0] + ERROR, left_out[1]),
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
    words = list(lexicon)
    return [words[w] for w in best[1]]


def _enter(path, w, spelling):
    """Begin word w, and leave out as many of its phones as may be."""
    cost, words = path
    return [(cost + WORD + k * ERROR, (*words, w)) for k in range(len(spelling) + 1)]


def _check_lexicon(lexicon):
    if not isinstance(lexicon, dict) or not lexicon:
        raise TypeError(
            f"lexicon={lexicon!r:.100}: expected a dict such as {{'no': ['n', 'ow']}} of at least "
            "one word"
        )
    spellings = check_phone_sequences(list(lexicon.values()), "the lexicon's values")
    for word, spelling in zip(lexicon, spellings):
        if not spelling:
            raise ValueError(f"lexicon: the word {word!r} has no phones")
    checked = {normalize_name(word): spelling for word, spelling in zip(lexicon, spellings)}
    if len(checked) < len(lexicon):
        raise ValueError("lexicon: two words differ in their Unicode form only")
    return checked
