import unicodedata
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
import sklearn
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupShuffleSplit, check_cv, cross_val_score

from sklearn_speech.splits import StratifiedGroupShuffleSplit
from sklearn_speech.utils.speakers import check_speakers


@st.composite
def labelled_groups(draw, max_groups=7):
    """Targets and groups in which every class belongs to two groups or more."""
    n_groups, n_classes = draw(st.integers(2, max_groups)), draw(st.integers(1, 4))
    counts = np.array(
        draw(
            st.lists(
                st.lists(st.integers(0, 6), min_size=n_classes, max_size=n_classes),
                min_size=n_groups,
                max_size=n_groups,
            )
        )
    )
    assume((counts.sum(axis=1) > 0).all() and ((counts > 0).sum(axis=0) >= 2).all())
    group, label = np.nonzero(counts)
    repeats = counts[group, label]
    order = np.random.default_rng(draw(st.integers(0, 9))).permutation(repeats.sum())
    return np.repeat(label, repeats)[order], np.repeat(group, repeats)[order]


def unlike(y, test):
    """Largest difference between a class's share of the test clips and of all clips."""
    shares = [np.mean(y[test] == label) - np.mean(y == label) for label in np.unique(y)]
    return np.abs(shares).max()


@settings(max_examples=150, deadline=None)
@given(labelled_groups(), st.floats(0.05, 0.6), st.integers(0, 3))
def test_no_group_is_on_both_sides_and_every_clip_on_one(data, test_size, seed):
    y, groups = data
    cv = StratifiedGroupShuffleSplit(3, test_size=test_size, random_state=seed)
    try:
        splits = list(cv.split(y, y, groups))
    except ValueError as error:
        assert "choose other sizes" in str(error) or "at least one" in str(error)
        return
    assert len(splits) == cv.get_n_splits() == 3
    for train, test in splits:
        assert not set(groups[train]) & set(groups[test])
        assert sorted([*train, *test]) == list(range(len(y)))
        assert len(np.unique(groups[test])) == np.ceil(np.round(test_size * len(set(groups)), 9))
        assert set(y[train]) == set(y)


@settings(max_examples=100, deadline=None)
@given(labelled_groups(), st.integers(1, 3), st.integers(0, 3))
def test_class_proportions_are_as_near_as_the_groups_allow(data, n_test, seed):
    y, groups = data
    names = np.unique(groups)
    assume(n_test < len(names))
    best = {}  # by classes left out of training, and of test: the least imbalance
    for chosen in combinations(names, n_test):
        test = np.isin(groups, chosen)
        key = (len(set(y) - set(y[~test])), len(set(y) - set(y[test])))
        best[key] = min(best.get(key, np.inf), unlike(y, test))
    fewest = min(best)
    cv = StratifiedGroupShuffleSplit(4, test_size=n_test, random_state=seed)
    if fewest[0] > 0:
        with pytest.raises(ValueError, match="every class on the training side"):
            list(cv.split(y, y, groups))
        return
    for train, test in cv.split(y, y, groups):
        assert (len(set(y) - set(y[train])), len(set(y) - set(y[test]))) == fewest
        assert unlike(y, test) <= max(0.02, 1.5 * best[fewest]) + 1e-12


def test_many_groups_come_within_two_percent_where_a_blind_split_does_not():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(60), 20)
    y = rng.random(len(groups)) < np.repeat(rng.random(60), 20)  # each speaker leans to a side
    ours = StratifiedGroupShuffleSplit(10, test_size=0.2, random_state=0)
    blind = GroupShuffleSplit(10, test_size=0.2, random_state=0)
    assert max(unlike(y, test) for _, test in ours.split(y, y, groups)) <= 0.02
    assert np.mean([unlike(y, test) for _, test in blind.split(y, y, groups)]) > 0.04


def test_groups_of_one_class_each_are_shared_out_by_class():
    # as when the target is the speaker's own: accent, sex, diagnosis
    groups = np.repeat(np.arange(12), 5)
    y = np.where(groups < 8, "well", "ill")
    for _, test in StratifiedGroupShuffleSplit(5, test_size=3, random_state=1).split(y, y, groups):
        assert np.mean(y[test] == "ill") == pytest.approx(1 / 3)


@settings(max_examples=50, deadline=None)
@given(labelled_groups(), st.integers(1, 2), st.integers(0, 3))
def test_the_only_group_of_a_class_is_never_held_out(data, test_size, seed):
    y, groups = data
    y, groups = np.append(y, [99, 99]), np.append(groups, [99, 99 if seed else groups[0]])
    cv = StratifiedGroupShuffleSplit(3, test_size=test_size, random_state=seed)
    assume(test_size < len(np.unique(groups)) - 1)
    y[-1] = 99 if seed else y[0]
    try:
        with pytest.warns(UserWarning, match=r"class 99 occurs in one group only \('99'\)"):
            splits = list(cv.split(y, y, groups))
    except ValueError as error:
        assert "every class on the training side" in str(error)
        return
    for train, test in splits:
        assert 99 in groups[train] and 99 not in groups[test]
        assert 99 not in y[test] and set(y[train]) == set(y)


def test_same_seed_same_splits_and_seeds_differ():
    groups = np.repeat(np.arange(20), 4)
    y = np.tile([0, 1], 40)

    def sides(seed):
        cv = StratifiedGroupShuffleSplit(5, test_size=0.3, random_state=seed)
        return [test.tolist() for _, test in cv.split(y, y, groups)]

    assert sides(0) == sides(0)
    assert sides(0) != sides(1)
    assert len({tuple(test) for test in sides(0)}) > 1


def test_both_sizes_given_leave_groups_out_of_both_sides():
    groups = np.repeat(list("abcdefghij"), 4)
    y = np.tile(["x", "y"], 20)
    cv = StratifiedGroupShuffleSplit(4, test_size=2, train_size=0.5, random_state=0)
    for train, test in cv.split(y, y, groups):
        assert len(set(groups[train])) == 5 and len(set(groups[test])) == 2
        assert not set(groups[train]) & set(groups[test])


@pytest.mark.parametrize(
    ("sizes", "n_test"),
    [({}, 1), ({"test_size": 0.3}, 3), ({"train_size": 0.75}, 3), ({"train_size": 6}, 4)],
)
def test_sizes_count_groups(sizes, n_test):
    groups = np.repeat(np.arange(10), 2)
    y = np.tile([0, 1], 10)
    _, test = next(StratifiedGroupShuffleSplit(**sizes).split(y, y, groups))
    assert len(np.unique(groups[test])) == n_test


def test_impossible_splits_say_why():
    y, groups = np.array(["a", "b", "a", "b", "c"]), np.array(["s", "s", "t", "t", "t"])

    def first(y=y, groups=groups, **sizes):
        return next(StratifiedGroupShuffleSplit(**sizes).split(y, y, groups))

    with pytest.warns(UserWarning, match="occurs in one group only"):
        with pytest.raises(ValueError, match=r"on the training side.* use GroupShuffleSplit"):
            first(y[:2], np.array(["s", "t"]))
    with pytest.raises(ValueError, match="contains only one group"):
        first(y[:2], groups[:2])
    with pytest.raises(ValueError, match="test_size=2: expected a share"):
        first(test_size=2)
    with pytest.raises(ValueError, match=r"test_size=1.5: expected a share"):
        first(test_size=1.5)
    with pytest.raises(ValueError, match="ask for 1 test and 0 training groups"):
        first(train_size=0.3, test_size=0.5)
    with pytest.raises(ValueError, match="'groups' parameter should not be None"):
        next(StratifiedGroupShuffleSplit().split(y, y))
    with pytest.raises(ValueError, match="'y' parameter should not be None"):
        next(StratifiedGroupShuffleSplit().split(y, groups=groups))
    with pytest.raises(ValueError, match=r"has dtype .*, but n_bins"):
        first(n_bins=3)
    with pytest.raises(ValueError, match="n_bins=0: expected a whole number"):
        first(n_bins=0)


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
@pytest.mark.parametrize("kind", [list, pd.Series, lambda v: np.array(v, dtype=object)])
def test_a_speaker_without_a_name_is_an_error_that_says_where(missing, kind):
    with pytest.raises(ValueError, match=r"missing values at 1 of 3 clips .* position 1"):
        check_speakers(kind(["ann", missing, "bob"]), 3)


def test_speakers_of_mixed_kinds_or_wrong_shape_are_refused():
    with pytest.raises(ValueError, match="mixes int, str"):
        check_speakers(np.array(["ann", 3], dtype=object), 2)
    with pytest.raises(ValueError, match="2 entries for 3 clips"):
        check_speakers(["ann", "bob"], 3)
    with pytest.raises(ValueError, match=r"shape \(2, 1\)"):
        check_speakers([["ann"], ["bob"]], 2)


def test_it_keeps_the_splitter_contract():
    cv = StratifiedGroupShuffleSplit(3, test_size=0.25, random_state=0)
    assert check_cv(cv) is cv
    assert " ".join(repr(cv).split()) == (
        "StratifiedGroupShuffleSplit(n_bins=None, n_splits=3, random_state=0, test_size=0.25, "
        "train_size=None)"
    )
    y, groups = np.tile([0, 1], 20), np.repeat(np.arange(8), 5)
    X = pd.DataFrame({"a": y + np.random.default_rng(0).normal(size=40)})
    assert len(cross_val_score(LogisticRegression(), X, y, groups=groups, cv=cv)) == 3
    search = GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=cv)
    assert search.fit(X, y, groups=groups).n_splits_ == 3
    with sklearn.config_context(enable_metadata_routing=True):
        assert search.fit(X, y, groups=groups).n_splits_ == 3  # asked for by default


def test_unlabelled_clips_may_stand_among_strings():
    y = np.array(["a", "b", -1] * 4, dtype=object)
    groups = np.repeat(["s", "t"], 6)
    train, test = next(StratifiedGroupShuffleSplit(test_size=1).split(y, y, groups))
    assert len(train) == len(test) == 6


# Numbers and several labels


def quarters(values):
    """Quarter of all values that each value lies in."""
    return np.searchsorted(np.quantile(values, [0.25, 0.5, 0.75]), values)


@pytest.mark.parametrize("seed", range(3))
def test_sides_have_the_quarters_of_numbers_in_proportion(seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(30), 8)
    pitch = rng.uniform(80, 300, 30)[groups]  # one a speaker
    seconds = rng.gamma(5.0, 0.1, 240) * (1 + groups % 3)
    worst = {"ours": [], "by chance": []}
    for y in (pitch, np.column_stack([pitch, seconds])):
        for name, kind in (("ours", StratifiedGroupShuffleSplit), ("by chance", GroupShuffleSplit)):
            for _, test in kind(4, test_size=8, random_state=seed).split(y, y, groups):
                bins = [quarters(column) for column in y.reshape(240, -1).T]
                shares = [np.bincount(b[test], minlength=4) / len(test) for b in bins]
                worst[name].append(np.abs(np.array(shares) - 0.25).max())
    assert max(worst["ours"]) < 0.06 < np.mean(worst["by chance"])


@pytest.mark.parametrize("seed", range(3))
def test_sides_have_each_label_in_proportion(seed):
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(20), 10)
    prone = rng.uniform(size=(20, 3))  # how often each speaker says each word
    y = (rng.uniform(size=(200, 3)) < prone[groups]).astype(int)
    cv = StratifiedGroupShuffleSplit(4, test_size=6, random_state=seed)
    for train, test in cv.split(y, y, groups):
        np.testing.assert_allclose(y[test].mean(axis=0), y.mean(axis=0), atol=0.05)
        np.testing.assert_allclose(y[train].mean(axis=0), y.mean(axis=0), atol=0.05)


@pytest.mark.parametrize(
    "form", [np.asarray, lambda y: y.tolist(), csr_matrix, pd.DataFrame, lambda y: y.astype(float)]
)
def test_the_form_of_an_indicator_matrix_changes_no_split(form):
    rng = np.random.default_rng(0)
    groups, y = np.repeat(np.arange(8), 5), rng.integers(0, 2, (40, 2))
    cv = StratifiedGroupShuffleSplit(3, test_size=3, random_state=0)
    for (_, ours), (_, plain) in zip(cv.split(y, form(y), groups), cv.split(y, y, groups)):
        assert ours.tolist() == plain.tolist()


def test_splits_of_numbers_are_those_of_numbers_in_another_unit():
    rng = np.random.default_rng(0)
    groups, y = np.repeat(np.arange(9), 5), rng.normal(size=45)
    cv = StratifiedGroupShuffleSplit(3, test_size=3, random_state=0)
    for (_, hertz), (_, kilohertz) in zip(cv.split(y, y, groups), cv.split(y, y / 1000, groups)):
        assert hertz.tolist() == kilohertz.tolist()


def test_the_only_group_with_a_label_stays_on_the_training_side():
    groups = np.repeat(["a", "b", "c", "d"], 3)
    y = np.column_stack([np.tile([0, 1, 1], 4), groups == "c"]).astype(int)
    cv = StratifiedGroupShuffleSplit(6, test_size=1, random_state=0)
    with pytest.warns(UserWarning, match=r"label 1 occurs in one group only \('c'\)"):
        splits = list(cv.split(y, y, groups))
    assert all("c" in groups[train] for train, _ in splits)


def test_whole_numbers_are_classes_unless_bins_are_asked_for():
    ages = np.repeat([20, 31, 44, 45, 58, 70], 4)
    with pytest.warns(UserWarning, match=r"class \d+ occurs in one group only.*set n_bins"):
        with pytest.raises(ValueError, match="set n_bins"):
            next(StratifiedGroupShuffleSplit(random_state=0).split(ages, ages, ages))
    cv = StratifiedGroupShuffleSplit(5, test_size=2, n_bins=2, random_state=0)
    for _, test in cv.split(ages, ages, ages):
        assert (ages[test] < 45).mean() == 0.5  # as among all speakers


def test_clips_without_a_number_are_spread_as_a_bin_of_their_own():
    groups = np.repeat(np.arange(8), 10)
    numbers = np.random.default_rng(0).uniform(size=80)
    y = np.where(np.arange(80) % 10 < groups, np.nan, numbers)
    cv = StratifiedGroupShuffleSplit(4, test_size=4, random_state=0)
    for train, test in cv.split(y, y, groups):
        assert abs(np.isnan(y[test]).mean() - np.isnan(y[train]).mean()) < 0.15
    with pytest.raises(ValueError, match=r"y\[1\] is \[1.0, nan\]"):
        next(cv.split(y[:2], [[0.5, 1.0], [1.0, np.nan]], [0, 1]))


def test_one_speaker_written_in_two_ways_of_unicode_is_one():
    written = [unicodedata.normalize(form, "josé") for form in ("NFC", "NFD")]
    names, codes = check_speakers([*written, "ann"], 3)
    assert names.tolist() == ["ann", "josé"] and codes.tolist() == [1, 1, 0]


def test_strings_of_numpy_among_strings_are_strings():
    names, _ = check_speakers(np.array(["ann", np.str_("bob")], dtype=object), 2)
    assert names.tolist() == ["ann", "bob"]
