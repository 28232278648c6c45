# ruff: noqa: RUF001 - the tests need letters that look alike
"""Text in many scripts: spellings that count as one sentence, and those that do not."""

import unicodedata

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_speech.utils.text import comparable_text, normalize_name, normalize_names

#: Sentences of many scripts, each with combining marks, joiners, apostrophes or cases of its own.
SENTENCES = {
    "Devanagari": "नमस्ते दुनिया क्या हाल है",
    "Devanagari with nukta": "क़लम फ़ोन",
    "Tamil": "வணக்கம் உலகம் கொடு",
    "Bengali": "আমি বাংলায় গান গাই",
    "Malayalam": "മലയാളം അവൻ",
    "Thai": "สวัสดีชาวโลก น้ำ",
    "Burmese": "မင်္ဂလာပါ",
    "Arabic": "كتب الولد الدرس",
    "Arabic with harakat": "كَتَبَ الوَلَدُ الدَّرْسَ",
    "Hebrew": "שלום עולם",
    "Hebrew with niqqud": "שָׁלוֹם עוֹלָם",
    "Vietnamese": "Tiếng Việt rất đẹp",
    "Korean": "안녕하세요 세계",
    "Chinese": "你好世界",
    "Japanese": "こんにちは世界 ガガ",
    "Turkish": "İstanbul ve Iğdır ılık",
    "German": "Die Straße ist groß",
    "Greek": "Ὀδυσσεύς λόγος",
    "Russian": "Ёлка и йод",
    "French": "L’été déjà là",
    "emoji": "yes 👍🏽 👩‍🚀 ❤️",
    "Yoruba": "ẹ̀kọ́ ọ̀rọ̀",
}

sentences = pytest.mark.parametrize("text", SENTENCES.values(), ids=SENTENCES)


@sentences
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_the_unicode_form_does_not_matter(text, form):
    assert comparable_text(unicodedata.normalize(form, text)) == comparable_text(text)


@sentences
def test_no_letter_mark_or_symbol_is_lost(text):
    def counted(text):
        decomposed = unicodedata.normalize("NFD", text.casefold())
        selectors = dict.fromkeys((0xFE0F, 0x0307))  # invisible; Turkish dots are tested below
        return [c for c in decomposed.translate(selectors) if unicodedata.category(c)[0] in "LMNS"]

    assert counted(comparable_text(text)) == counted(text)


@sentences
def test_punctuation_around_and_between_words_does_not_matter(text):
    words = text.split()
    assert comparable_text("«" + " – ".join(words) + "!؟»") == comparable_text(text)


@sentences
def test_removing_a_combining_mark_changes_the_sentence(text):
    decomposed = unicodedata.normalize("NFD", text).replace("\u0307", "")
    for i, char in enumerate(decomposed):
        if unicodedata.category(char) in ("Mn", "Mc") and char != "\ufe0f":
            changed = decomposed[:i] + decomposed[i + 1 :]
            assert comparable_text(changed) != comparable_text(decomposed), f"{char!r} at {i}"


def test_sentences_of_different_words_stay_different():
    texts = [
        *SENTENCES.values(),
        *("कि", "की", "कु", "क", "को"),  # Devanagari vowel signs
        *("படி", "பாடி", "பாடு"),  # Tamil
        *("มา", "ม้า", "หมา", "ไม่", "ไม้", "ใหม่"),  # Thai tones
        *("كتب", "كَتَبَ", "كُتُب", "كُتِبَ", "كَتَّبَ"),  # harakat
        *("ספר", "סֵפֶר", "סַפָּר"),  # niqqud
        *("ma", "má", "mà", "mả", "mã", "mạ"),  # Vietnamese tones
        *("kis", "kıs", "on", "ön"),  # Turkish
        *("its", "it's", "well", "we'll"),
        *("👍", "👎", "👍🏽", "👩‍🚀", "👩🚀", "❤"),
        *("1", "2", "+", "C", "C++"),
        *("to get her", "together"),
        *("각", "가"),
    ]
    assert len({comparable_text(text) for text in texts}) == len(texts)


@pytest.mark.parametrize(
    "one, other",
    [
        ("Straße", "STRASSE"),
        ("İSTANBUL", "istanbul"),
        ("ΛΌΓΟΣ", "λόγος"),
        ("Don't!", "don’t"),
        ("你好，世界。", "你好 世界"),
        ("我用 Python", "我用Python"),
        ("สวัสดี ชาวโลก", "สวัสดีชาวโลก"),
        ("می\u200cخواهم", "میخواهم"),  # zero-width non-joiner
        ("ക്\u200dഷ", "ക്ഷ"),  # zero-width joiner
        ("co\u00adoperate", "cooperate"),  # soft hyphen
        ("كتـــاب", "كتاب"),  # tatweel
        ("\u200fשלום\u200e", "שלום"),  # direction marks
        ("❤\ufe0f", "❤"),
        ("well-known", "well known"),
        ("‘quoted’ words", "'quoted' words"),
        ("‘quoted’ words", "quoted words"),
        ("line\nbreak\ttab\u00a0space", "line break tab space"),
        ("ﬁsh", "fish"),
    ],
)
def test_different_spellings_of_one_sentence_are_equal(one, other):
    assert comparable_text(one) == comparable_text(other) != ""


@pytest.mark.parametrize("apostrophe", "'’‘‛`´ʼʻʽʹ′＇｀ꞌ՚׳")
def test_all_apostrophes_are_equal_within_a_word_and_ignored_around_it(apostrophe):
    assert comparable_text(f"don{apostrophe}t") == "don't"
    assert comparable_text(f"{apostrophe}yes{apostrophe} no") == "yes no"


@pytest.mark.parametrize("text", ["", " ", "...", "?!", "\u200b\u200d", "—"])
def test_text_without_words_is_empty(text):
    assert comparable_text(text) == ""


@given(st.text())
def test_any_text_has_one_comparable_form(text):
    result = comparable_text(text)
    assert comparable_text(result) == result
    assert unicodedata.is_normalized("NFC", result)
    for form in ("NFC", "NFD"):
        assert comparable_text(unicodedata.normalize(form, text)) == result
    assert comparable_text(text.casefold()) == result


@given(st.text(st.characters(categories=["L", "M", "N", "S"]), min_size=1))
def test_names_are_equal_exactly_when_they_are_canonically_equivalent(text):
    for form in ("NFC", "NFD"):
        assert normalize_name(unicodedata.normalize(form, text)) == normalize_name(text)
    assert unicodedata.normalize("NFD", normalize_name(text)) == unicodedata.normalize("NFD", text)


def test_arrays_keep_their_shape_and_other_values_than_text():
    numbers = np.arange(3)
    assert normalize_names(numbers) is numbers
    mixed = normalize_names(np.array([["e\u0301", 1], [None, -1]], dtype=object))
    assert mixed.tolist() == [["é", 1], [None, -1]]
    assert normalize_names(np.array([], dtype=str)).shape == (0,)
    assert normalize_names(np.array(["e\u0301", "é"])).dtype == np.dtype("<U1")
