import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sklearn_speech.utils.labels import as_targets, check_targets, is_unlabelled

CONTAINERS = [list, tuple, lambda y: np.array(y, dtype=object), pd.Series]


@pytest.mark.parametrize("container", CONTAINERS)
@given(st.lists(st.one_of(st.integers(-2, 2), st.sampled_from(["-1", "no", "yes"]), st.just(-1.0))))
def test_only_the_number_minus_one_means_unlabelled(container, labels):
    expected = [not isinstance(label, str) and label == -1 for label in labels]
    assert is_unlabelled(container(labels)).tolist() == expected


def test_unlabelled_clips_are_found_in_typed_arrays_and_columns():
    assert is_unlabelled(np.array([[-1.0], [2.0]])).tolist() == [True, False]
    assert is_unlabelled(np.array(["-1", "a"])).tolist() == [False, False]
    assert is_unlabelled(np.array([-1, 0], dtype=np.int8)).tolist() == [True, False]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (["no", 3, "yes"], r"mixes strings with int \(y\[1\] is 3\)"),
        ([2.5, "no", "yes"], r"mixes strings with float \(y\[0\] is 2.5\)"),
        (["no", ["y", "eh", "s"]], r"mixes strings with list"),
        (["no", None, "yes"], r"y\[1\] is (None|nan)"),
        ([0.0, 1.0, np.nan], r"y\[2\] is nan"),
        (["no", float("nan")], r"y\[1\] is nan"),
    ],
)
def test_errors_name_the_position_of_missing_and_mixed_targets(container, y, message):
    with pytest.raises(ValueError, match=message):
        check_targets(container(y))


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.ma.array([0, 1, 1], mask=[0, 1, 0]), "masked at 1 of 3 values, the first in clip 1"),
        (np.array(["2026-01-01"], dtype="M8[D]"), r"dtype datetime64\[D\]"),
        (np.array([1], dtype="m8[s]"), r"dtype timedelta64\[s\]"),
        (np.array([1j]), "dtype complex128"),
        (None, "y=None"),
    ],
)
def test_invalid_types_of_targets_are_refused(y, message):
    with pytest.raises(ValueError, match=message):
        check_targets(y)


@pytest.mark.parametrize("container", CONTAINERS)
def test_unlabelled_marks_stay_numbers_among_strings(container):
    assert check_targets(container(["no", -1, "yes"])).tolist() == ["no", -1, "yes"]


def test_sequences_of_equal_length_stay_sequences():
    phones = [["n", "ow"], ["g", "ow"]]
    assert as_targets(phones).tolist() == phones and as_targets(phones).shape == (2,)
    assert check_targets([[], ["g"]]).tolist() == [[], ["g"]]
