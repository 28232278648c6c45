"""Words and phones: spelling, and the closest words compared with exhaustive search."""

import itertools
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from sklearn_speech.datasets import (
    digits_from_phones,
    phonemize,
    phonemize_digits,
    words_from_phones,
)
from sklearn_speech.datasets._digit_phones import DIGIT_PHONES
from sklearn_speech.metrics import TIMIT_PHONES

#: Words with common beginnings and ends, one inside another, and two homophones.
LEXICON = {"ab": "ab", "a": "a", "bc": "bc", "abc": "abc", "abc again": "abc"}
LEXICON = {word: list(spelling) for word, spelling in LEXICON.items()}


def all_strings(most_words):
    for n in range(most_words + 1):
        for words in itertools.product(LEXICON, repeat=n):
            yield list(words), [phone for word in words for phone in LEXICON[word]]


#: No string of more than 5 words is closest to 5 phones: each word needs a phone in common.
ALL = list(all_strings(5))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcx"), max_size=5))
def test_the_result_is_the_closest_string_of_words(phones):
    (words,) = words_from_phones([phones], LEXICON)
    found = Levenshtein.distance(phones, [phone for word in words for phone in LEXICON[word]])
    assert found == min(Levenshtein.distance(phones, spelling) for _, spelling in ALL)


@given(st.lists(st.lists(st.integers(0, 9), max_size=8), min_size=1, max_size=3))
def test_digits_spelled_without_errors_are_recovered(digits):
    assert list(digits_from_phones(phonemize_digits(digits))) == digits


def test_among_equally_close_words_those_sharing_more_phones_win():
    lexicon = {"long": ["p", "q"], "two": ["t", "uw"]}
    # deleting "uw" is one error, too
    assert words_from_phones([["uw"]], lexicon)[0] == ["two"]


def test_among_homophones_the_first_in_the_lexicon_wins():
    assert words_from_phones([list("abc")], LEXICON)[0] == ["abc"]
    turned = dict(reversed(LEXICON.items()))
    assert words_from_phones([list("abc")], turned)[0] == ["abc again"]


def test_phones_in_no_word_give_no_words():
    assert list(words_from_phones([["x", "x"], []], LEXICON)) == [[], []]


def test_the_ten_digits_are_spelled_with_timit_phones():
    assert list(phonemize_digits(range(10))) == [list(DIGIT_PHONES[d]) for d in range(10)]
    said = {phone for phones in phonemize_digits(range(10)) for phone in phones}
    assert said < set(TIMIT_PHONES) and len(said) == 22


@pytest.mark.parametrize(
    "digits",
    [[7, 0], ["7", "0"], ["seven", "Zero"], np.array([7, 0]), np.array(["7", "0"]), [[7], [0]]],
    ids=repr,
)
def test_digits_may_be_numbers_or_words_and_single_or_lists(digits):
    assert list(phonemize_digits(digits)) == [list(DIGIT_PHONES[7]), list(DIGIT_PHONES[0])]


def test_words_are_spelled_in_order():
    assert list(phonemize([["ab", "a"], []], LEXICON)) == [["a", "b", "a"], []]


@pytest.mark.parametrize(
    ("digits", "error", "message"),
    [
        ([10], ValueError, r"digits\[0\] is or contains 10"),
        ([[1], [2, "ten"]], ValueError, r"digits\[1\] is or contains 'ten'"),
        ([True], ValueError, "True"),
        ([1.5], ValueError, "1.5"),
        ("12", TypeError, "expected a list"),
        (12, TypeError, "expected a list"),
    ],
)
def test_errors_name_invalid_digits(digits, error, message):
    with pytest.raises(error, match=message):
        phonemize_digits(digits)


@pytest.mark.parametrize(
    ("transcripts", "lexicon", "error", "message"),
    [
        ([["ab", "no"]], LEXICON, ValueError, r"transcripts\[0\] contains the word 'no'"),
        (["ab"], LEXICON, TypeError, r"transcripts\[0\] is 'ab'"),
        ("ab", LEXICON, TypeError, "transcripts='ab'"),
        ([["ab"]], {}, TypeError, "lexicon={}"),
        ([["ab"]], [("ab", "a")], TypeError, "lexicon="),
        ([["ab"]], {"ab": []}, ValueError, "'ab' has no phones"),
        ([["ab"]], {"ab": "ab"}, TypeError, "the lexicon's values"),
    ],
)
def test_errors_name_invalid_lexicons_and_unknown_words(transcripts, lexicon, error, message):
    with pytest.raises(error, match=message):
        phonemize(transcripts, lexicon)


def test_words_and_phones_are_found_in_both_unicode_forms():
    nfc, nfd = (unicodedata.normalize(form, "não") for form in ("NFC", "NFD"))
    phones = unicodedata.normalize("NFD", "ã")
    assert phonemize([[nfd]], {nfc: ["n", phones]})[0] == ["n", "ã"]
    assert words_from_phones([["n", "ã"]], {nfd: ["n", phones]})[0] == [nfc]
    with pytest.raises(ValueError, match="only in their Unicode form"):
        phonemize([[nfc]], {nfc: ["n"], nfd: ["n", "a"]})
