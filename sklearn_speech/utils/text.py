"""Comparison of text: names in one Unicode form, sentences without case and punctuation.

The same word can be stored in several ways that look alike: "é" as one character or as "e" with
an accent (Unicode's forms NFC and NFD). In many scripts vowels and tones are combining marks,
which regular expressions do not count as word characters (``\\w``). Both matter wherever text is
compared, so the library compares text with the functions of this file only.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

#: Characters that people type for an apostrophe; all become "'".
_APOSTROPHES = dict.fromkeys(
    map(
        ord, "\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd`\u00b4\u055a\u05f3\u2032\ua78c\uff07\uff40"
    ),
    "'",
)

#: Characters that change nothing in what is read, besides Unicode's category Cf: tatweel, which
#: stretches an Arabic word, and invisible characters such as variation selectors.
_IGNORED = frozenset(
    map(
        chr,
        [
            *(0x0640, 0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180F, 0x3164, 0xFFA0),
            *range(0x180B, 0x180E),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ],
    )
)

#: The zero-width joiner: it makes one emoji of several, and is invisible between letters.
_JOINER = "\u200d"

#: Format characters (Cf) that spell the flags of regions.
_FLAG_TAGS = frozenset(map(chr, range(0xE0020, 0xE0080)))

#: How Unicode's names of characters begin in scripts without spaces between words.
_UNSPACED = ("CJK", "HIRAGANA", "IDEOGRAPHIC", "KATAKANA", "KHMER", "LAO", "MYANMAR", "THAI")


def normalize_name(name: Any) -> Any:
    """A label, speaker or phone in Unicode's form NFC; case and spaces stay.

    Parameters
    ----------
    name : object
        Anything but a str is returned as it is.

    Returns
    -------
    name : object
        Two strings that look alike because they differ in their Unicode form only are equal
        afterwards.

    Examples
    --------
    >>> normalize_name("Zoe\\u0308") == "Zo\\u00eb"
    True
    """
    return unicodedata.normalize("NFC", name) if isinstance(name, str) else name


def normalize_names(names: np.ndarray) -> np.ndarray:
    """Each name of an array by :func:`normalize_name`.

    Parameters
    ----------
    names : ndarray
        Labels, speakers or phones; numbers are allowed.

    Returns
    -------
    names : ndarray of the same shape
        The same array when it can hold no strings.

    Examples
    --------
    >>> normalize_names(np.array(["Zoe\\u0308", "Zo\\u00eb"])).tolist()
    ['Zoë', 'Zoë']
    """
    if names.dtype.kind not in "UOT":
        return names
    normalized = [normalize_name(name) for name in names.ravel().tolist()]
    if names.dtype.kind == "O":
        result = np.empty(len(normalized), dtype=object)
        result[:] = normalized
    else:
        result = np.array(normalized, dtype=str)
    return result.reshape(names.shape)


def comparable_text(text: str) -> str:
    """A sentence in a form in which equal sentences are equal strings.

    Case is folded, so that "Straße" equals "STRASSE" and "İzmir" equals "izmir"; "ı" and "i" stay
    two letters. Letters, numbers, symbols (also emoji) and combining marks count: vowel signs,
    tones, harakat and niqqud tell words apart. Punctuation separates words and does not count
    itself, except an apostrophe inside a word, which is the same however it was typed. Invisible
    characters (zero-width joiners and non-joiners between letters, variation selectors, soft
    hyphens, direction marks) and the Arabic tatweel do not count, nor do spaces next to a word of
    a script that is written without them (Chinese, Japanese, Thai, Lao, Khmer, Burmese).

    Parameters
    ----------
    text : str
        A sentence in any script.

    Returns
    -------
    text : str
        In Unicode's form NFC; "" when nothing in `text` counts.

    Examples
    --------
    >>> comparable_text("\\u201cDon\\u2019t!\\u201d, he said.")
    "don't he said"
    >>> comparable_text("你好，世界。") == comparable_text("你好世界")
    True
    >>> comparable_text("कि") == comparable_text("की")
    False
    """
    # Unicode's caseless matching: decompose, fold case, decompose what folding composed
    text = unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
    text = re.sub("i\u0307+", "i", text).translate(_APOSTROPHES)
    text = unicodedata.normalize("NFC", "".join(filter(_is_visible, text)))
    words = "".join(
        "" if char == _JOINER and not _is_inside(text, i, "S")
        else char if _counts(char) or (char == "'" and _is_inside(text, i, "LMN"))
        else " "
        for i, char in enumerate(text)
    ).split(" ")  # fmt: skip
    words = [word for word in words if word]
    kept = words[:1]
    for before, word in pairwise(words):
        kept += [word] if _is_unspaced(before[-1]) or _is_unspaced(word[0]) else [" ", word]
    return unicodedata.normalize("NFC", "".join(kept))


@lru_cache(maxsize=4096)
def _is_visible(char: str) -> bool:
    if char in _FLAG_TAGS or char == _JOINER:
        return True
    return char not in _IGNORED and unicodedata.category(char) != "Cf"


@lru_cache(maxsize=4096)
def _counts(char: str) -> bool:
    """Whether a character is part of a word: neither punctuation, space nor control."""
    category = unicodedata.category(char)
    return category[0] not in "PZ" and category != "Cc"


def _is_inside(text: str, i: int, categories: str) -> bool:
    """Whether both neighbours of a character are of these categories."""
    neighbours = text[i - 1 : i] + text[i + 1 : i + 2]
    return len(neighbours) == 2 and all(
        unicodedata.category(char)[0] in categories for char in neighbours
    )


@lru_cache(maxsize=4096)
def _is_unspaced(char: str) -> bool:
    return unicodedata.name(char, "").startswith(_UNSPACED)
