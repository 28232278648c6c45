import datetime

import numpy as np
import pandas as pd
import pytest

from sklearn_speech.leakage import check_speaker_leakage
from sklearn_speech.model_selection import StratifiedGroupShuffleSplit, cross_validate_by_speaker
from sklearn_speech.utils.speakers import check_speakers

#: Invalid speakers of four clips, and the error messages.
REFUSED = {
    "empty": (["ann", "", "bob", "bob"], "missing values at 1 of 4 .* position 1"),
    "blank": (["ann", "ann", " \t", "bob"], "missing values at 1 of 4 .* position 2"),
    "none": (["ann", None, "bob", "bob"], "missing values at 1 of 4 .* position 1"),
    "nan": ([1.0, 2.0, np.nan, 1.0], "missing values at 1 of 4 .* position 2"),
    "nan_string": (["ann", float("nan"), "bob", "bob"], "missing values at 1 of 4"),
    "na": (pd.array(["ann", pd.NA, "bob", "bob"]), "missing values at 1 of 4"),
    "masked": (np.ma.array([1, 2, 1, 2], mask=[0, 0, 1, 1]), "missing values at 2 of 4"),
    "masked_str": (np.ma.array(list("abab"), mask=[0, 1, 0, 0]), "missing values at 1 of 4"),
    "inf": ([1.0, np.inf, 1.0, 2.0], r"\[1\] is inf: expected a name or a finite number"),
    "inf_object": (np.array([1, -np.inf, 2, 2], dtype=object), r"\[1\] is -inf"),
    "one_inf": (np.inf, r"has shape \(\): expected \(n_clips,\)"),
    "one_name": ("ann", r"has shape \(\): expected \(n_clips,\)"),
    "dates": (np.array(["2026-01-01"] * 4, dtype="M8[D]"), r"has dtype datetime64\[D\]"),
    "date": ([datetime.date(2026, 1, 1)] * 4, "holds date: expected only strings or only numbers"),
    "bytes": (np.array([b"a", b"b", b"a", b"b"]), "has dtype |S1: expected strings or numbers"),
    "complex": ([1j, 2j, 1j, 2j], "has dtype complex128"),
    "mixed": (["ann", 3, "bob", 3], "mixes int, str"),
    "mixed_array": (np.array(["ann", 3.5, "bob", 1], dtype=object), "mixes float, int, str"),
    "long": (["ann"] * 5, "has 5 entries for 4 clips"),
    "table": ([["ann"]] * 4, r"has shape \(4, 1\)"),
}


def by_cross_validation(speakers):
    cross_validate_by_speaker(_Mean(), np.zeros((4, 1)), [0, 1, 0, 1], speakers)


def by_splitter(speakers):
    next(StratifiedGroupShuffleSplit().split(np.zeros(4), [0, 1, 0, 1], groups=speakers))


def by_leakage(speakers):
    X = np.random.default_rng(0).normal(size=(4, 900))
    check_speaker_leakage(X, None, speakers, None, sample_rate=8000)


class _Mean:
    def fit(self, X, y):
        return self


@pytest.mark.parametrize("check", [by_cross_validation, by_splitter, by_leakage])
@pytest.mark.parametrize("kind", REFUSED)
def test_invalid_speakers_are_refused_everywhere_with_the_same_message(kind, check):
    speakers, message = REFUSED[kind]
    with pytest.raises(ValueError, match=f"(speakers|groups).*{message}"):
        check(speakers)


@pytest.mark.parametrize(
    ("speakers", "expected"),
    [
        (["b", "a", "b"], ["a", "b"]),
        ([2, 1, 2], [1, 2]),
        ([True, False, True], [False, True]),
        ([2.5, 1, 2.5], [1.0, 2.5]),
        (np.array([2, 1.0, 2], dtype=object), [1, 2]),
        (pd.Series(["b", "a", "b"], dtype="category"), ["a", "b"]),
        (pd.Series(["b", "a", "b"], dtype="string"), ["a", "b"]),
        (pd.Series([2, 1, 2], dtype="Int64"), [1, 2]),
        (np.ma.array([2, 1, 2]), [1, 2]),
    ],
)
def test_names_of_every_type_are_sorted_and_numbered(speakers, expected):
    names, codes = check_speakers(speakers, 3)
    assert names.tolist() == expected and codes.tolist() == [1, 0, 1]
