"""Compare text: names in one Unicode form, sentences without case and punctuation.

The same word can be stored in several ways that look alike: "é" as one character or as "e" with
an accent (Unicode's forms NFC and NFD). In many scripts vowels and tones are combining marks,
which regular expressions do not match as word characters (``\\w``). The library therefore
compares text only with the functions of this file.
"""

import re
import unicodedata
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

#: Characters that are typed as an apostrophe; all become "'".
_APOSTROPHES = dict.fromkeys(
    map(
        ord, "\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd`\u00b4\u055a\u05f3\u2032\ua78c\uff07\uff40"
    ),
    "'",
)

#: Characters outside category Cf that do not change how a text reads: tatweel, which stretches
#: an Arabic word, and invisible characters such as variation selectors.
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

#: The zero-width joiner, which combines several emoji into one and is invisible between letters.
_JOINER = "\u200d"

#: Format characters (Cf) that spell the flags of regions.
_FLAG_TAGS = frozenset(map(chr, range(0xE0020, 0xE0080)))

#: Prefixes of the Unicode character names of scripts without spaces between words.
_UNSPACED = ("CJK", "HIRAGANA", "IDEOGRAPHIC", "KATAKANA", "KHMER", "LAO", "MYANMAR", "THAI")


def normalize_name(name: Any) -> Any:
    """Convert a label, speaker or phone to Unicode form NFC; keep case and spaces.

    Parameters
    ----------
    name : object
        Anything other than a str is returned unchanged.

    Returns
    -------
    name : object
        Two strings that differ only in their Unicode form become equal.

    Examples
    --------
    >>> normalize_name("Zoe\\u0308") == "Zo\\u00eb"
    True
    """
    return unicodedata.normalize("NFC", name) if isinstance(name, str) else name


def normalize_names(names: np.ndarray) -> np.ndarray:
    """Apply :func:`normalize_name` to each element of an array.

    Parameters
    ----------
    names : ndarray
        Labels, speakers or phones; numbers are allowed.

    Returns
    -------
    names : ndarray of the same shape
        The same array if it cannot hold strings.

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
    """Convert a sentence to a form in which equal sentences are equal strings.

    Case is folded, so "Straße" equals "STRASSE" and "İzmir" equals "izmir"; "ı" and "i" remain
    different letters. Letters, numbers, symbols (including emoji) and combining marks are kept,
    because vowel signs, tones, harakat and niqqud distinguish words. Punctuation only separates
    words, except that an apostrophe inside a word is kept, in one form. Invisible characters
    (zero-width joiners and non-joiners between letters, variation selectors, soft hyphens,
    direction marks) and the Arabic tatweel are removed, as are spaces next to a word of a
    script that is written without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese).

    Parameters
    ----------
    text : str
        A sentence in any script.

    Returns
    -------
    text : str
        In Unicode form NFC; "" if nothing in `text` is kept.

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
    """Whether a character is part of a word, that is, not punctuation, space or control."""
    category = unicodedata.category(char)
    return category[0] not in "PZ" and category != "Cc"


def _is_inside(text: str, i: int, categories: str) -> bool:
    """Whether both neighbours of a character have one of these categories."""
    neighbours = text[i - 1 : i] + text[i + 1 : i + 2]
    return len(neighbours) == 2 and all(
        unicodedata.category(char)[0] in categories for char in neighbours
    )


@lru_cache(maxsize=4096)
def _is_unspaced(char: str) -> bool:
    return unicodedata.name(char, "").startswith(_UNSPACED)
