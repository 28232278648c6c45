"""TIMIT's phones and the folding of Lee and Hon."""

import numpy as np
import pytest

from sklearn_speech.metrics import TIMIT_PHONES, fold_phones

#: Table 1 of Lee and Hon (1989): each of the 48, and what it is written for besides itself.
LEE_AND_HON_48 = {
    "iy": "", "ih": "", "eh": "", "ae": "", "ix": "", "ax": "ax-h", "ah": "", "uw": "ux",
    "uh": "", "ao": "", "aa": "", "ey": "", "ay": "", "oy": "", "aw": "", "ow": "",
    "er": "axr", "l": "", "el": "", "r": "", "w": "", "y": "", "m": "em", "n": "nx", "en": "",
    "ng": "eng", "ch": "", "jh": "", "dh": "", "b": "", "d": "", "dx": "", "g": "", "p": "",
    "t": "", "k": "", "z": "", "zh": "", "v": "", "f": "", "th": "", "s": "", "sh": "",
    "hh": "hv", "cl": "pcl tcl kcl", "vcl": "bcl dcl gcl", "epi": "", "sil": "h# pau",
}  # fmt: skip

#: Their groups within which confusions do not count.
LEE_AND_HON_GROUPS = (
    "sil cl vcl epi", "el l", "en n", "sh zh", "ao aa", "ih ix", "ah ax",
)  # fmt: skip


def fold_one(phone, folding):
    return tuple(fold_phones([[phone]], folding=folding)[0])


def test_timit_has_61_symbols_in_alphabetical_order():
    assert len(TIMIT_PHONES) == len(set(TIMIT_PHONES)) == 61
    assert list(TIMIT_PHONES) == sorted(TIMIT_PHONES)


def test_every_symbol_of_timit_is_folded_to_48_as_published():
    expected = {
        phone: (folded,)
        for folded, others in LEE_AND_HON_48.items()
        for phone in [folded, *others.split()]
        if phone in TIMIT_PHONES
    }
    assert len(LEE_AND_HON_48) == 48
    assert {phone: fold_one(phone, 48) for phone in TIMIT_PHONES} == expected | {"q": ()}


@pytest.mark.parametrize("folding", [48, 39])
def test_folding_leaves_exactly_so_many_phones(folding):
    left = {fold_one(phone, folding) for phone in TIMIT_PHONES} - {()}
    assert len(left) == folding


def test_39_classes_are_the_48_with_the_published_groups_merged():
    group = {phone: g for g in LEE_AND_HON_GROUPS for phone in g.split()}
    for a in LEE_AND_HON_48:
        for b in LEE_AND_HON_48:
            merged = a == b or (a in group and group[a] == group.get(b))
            assert (fold_one(a, 39) == fold_one(b, 39)) == merged, (a, b)


def test_folding_to_39_is_the_same_by_way_of_48_and_twice_is_as_once():
    everything = [list(TIMIT_PHONES)]
    once = fold_phones(everything, folding=39)
    assert fold_phones(fold_phones(everything, folding=48), folding=39)[0] == once[0]
    assert fold_phones(once, folding=39)[0] == once[0]


def test_silences_side_by_side_stay_as_many_as_they_were():
    assert fold_phones([["kcl", "tcl", "t", "h#"]])[0] == ["sil", "sil", "t", "sil"]


def test_an_utterance_of_glottal_stops_is_left_empty():
    folded = fold_phones([["q"], ["q", "aa"]])
    assert folded.dtype == object and list(folded) == [[], ["aa"]]


def test_a_phone_that_is_not_timits_is_named():
    with pytest.raises(ValueError, match=r"sequences\[1\] contains the phone 'AH'.*mean 'ah'"):
        fold_phones([["ah"], ["ah", "AH"]])


@pytest.mark.parametrize("folding", [None, 40, True, "39"])
def test_other_foldings_are_refused(folding):
    with pytest.raises(ValueError, match="folding="):
        fold_phones([["aa"]], folding=folding)


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        ("sh iy", "'sh iy' of type str"),
        (["sh iy"], r"sequences\[0\] is 'sh iy' of type str"),
        ([["sh"], None], r"sequences\[1\] is None"),
        ([["sh", 3]], r"sequences\[0\]\[1\] is 3 of type int"),
        ([[["sh"]]], r"sequences\[0\]\[0\] is \['sh'\]"),
        (np.array("sh"), "expected a list or 1-D array"),
    ],
)
def test_what_is_no_list_of_lists_of_strings_is_refused_by_its_place(sequences, message):
    with pytest.raises(TypeError, match=message):
        fold_phones(sequences)


def test_the_empty_string_is_kept_for_the_blank():
    with pytest.raises(ValueError, match=r"sequences\[0\]\[1\] is the empty string.*blank"):
        fold_phones([["sh", ""]])


def test_sequences_may_come_in_any_usual_container():
    pandas = pytest.importorskip("pandas")
    expected = [["sh", "iy"], ["w", "ah"]]
    ragged = np.empty(2, dtype=object)
    ragged[:] = [tuple(expected[0]), np.array(expected[1])]
    for container in (expected, tuple(expected), ragged, np.array(expected), pandas.Series(ragged)):
        folded = fold_phones(container)
        assert list(folded) == expected
        assert all(type(phone) is str for phones in folded for phone in phones)
