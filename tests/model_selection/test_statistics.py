from itertools import product

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import make_multilabel_classification
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import get_scorer, get_scorer_names

from sklearn_speech.model_selection._score_ranges import score_range
from sklearn_speech.model_selection._statistics import (
    adjust_p_values,
    mean_interval,
    paired_p_value,
)


@pytest.mark.parametrize(("n_speakers", "n_repeats"), [(3, 2000), (6, 2000), (20, 500), (60, 400)])
def test_the_interval_holds_the_mean_of_all_speakers_as_often_as_it_says(n_speakers, n_repeats):
    rng = np.random.default_rng(n_speakers)
    held = 0
    for _ in range(n_repeats):
        low, high = mean_interval(rng.normal(0.8, 0.06, n_speakers), n_resamples=499)
        held += low <= 0.8 <= high
    # three standard errors of the simulation, and what 499 resamples cost
    assert held / n_repeats == pytest.approx(0.95, abs=0.03)


def test_the_interval_of_six_speakers_holds_where_a_percentile_bootstrap_is_too_narrow():
    rng = np.random.default_rng(0)
    held = {"ours": 0, "percentile": 0}
    for _ in range(500):
        values = rng.normal(0.8, 0.06, 6)
        low, high = mean_interval(values)
        held["ours"] += low <= 0.8 <= high
        bounds = stats.bootstrap(
            (values,), np.mean, method="percentile", n_resamples=499, random_state=rng
        )
        low, high = bounds.confidence_interval
        held["percentile"] += low <= 0.8 <= high
    assert held["ours"] / 500 == pytest.approx(0.95, abs=0.03)
    assert held["percentile"] / 500 < 0.9


def test_the_bootstrap_follows_the_skew_of_the_scores():
    # most speakers near the ceiling, a few far below it: the mean may well be lower
    values = np.r_[np.linspace(0.96, 1.0, 20), 0.5, 0.6, 0.7]
    low, high = mean_interval(values)
    assert values.mean() - low > high - values.mean()


def test_one_odd_speaker_does_not_stretch_the_interval_without_end():
    values = np.r_[np.linspace(0.9999, 1.0, 24), 0.3]
    low, _ = mean_interval(values)
    t_low, _ = mean_interval(values, method="t")
    assert values.mean() - low <= 3.001 * (values.mean() - t_low)


def test_equal_scores_leave_a_point_and_missing_ones_nothing():
    for n in (3, 30):
        np.testing.assert_allclose(mean_interval(np.full(n, 0.5)), 0.5)
        assert np.isnan(mean_interval([0.5] * (n - 1) + [np.nan])).all()


def test_the_same_seed_gives_the_same_interval():
    values = np.random.default_rng(0).random(25)
    assert mean_interval(values) == mean_interval(values) != mean_interval(values, random_state=1)


@pytest.mark.parametrize("n", [2, 5, 8])
def test_sign_flips_are_counted_as_by_enumeration(n):
    differences = np.random.default_rng(n).normal(0.3, 1, n).round(1)
    sums = [abs(np.dot(signs, differences)) for signs in product([-1, 1], repeat=n)]
    expected = np.mean(np.array(sums) >= abs(differences.sum()) - 1e-12)
    p_value, method = paired_p_value(differences)
    assert p_value == expected and "exact" in method


def test_six_speakers_all_better_give_the_least_p_value_there_is():
    assert paired_p_value([0.1, 0.2, 0.1, 0.3, 0.2, 0.1])[0] == 2 / 2**6


def test_many_speakers_have_the_paired_t_test():
    rng = np.random.default_rng(0)
    a, b = rng.random(40), rng.random(40)
    p_value, method = paired_p_value(a - b)
    assert p_value == pytest.approx(stats.ttest_rel(a, b).pvalue) and method == "paired t"


def test_p_values_are_right_as_often_as_they_say_where_nothing_differs():
    rng = np.random.default_rng(0)
    p_values = np.array([paired_p_value(rng.normal(0, 1, 8))[0] for _ in range(1000)])
    assert np.mean(p_values <= 0.05) == pytest.approx(0.05, abs=0.025)


def test_holm_adjusts_as_in_its_paper():
    # four tests: smallest times 4, next times 3, ..., never decreasing
    np.testing.assert_allclose(adjust_p_values([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02])


def test_bad_levels_methods_and_too_few_speakers_are_refused():
    with pytest.raises(ValueError, match="level=95"):
        mean_interval([0.1, 0.2], 95)
    with pytest.raises(ValueError, match="method='bca'"):
        mean_interval([0.1, 0.2], method="bca")
    for function in (mean_interval, paired_p_value):
        with pytest.raises(ValueError, match="at least two of them, got 1"):
            function([0.1])


@pytest.mark.parametrize("n_speakers", [3, 30])
def test_an_interval_of_scores_with_bounds_stays_within_and_is_the_same_otherwise(n_speakers):
    values = np.linspace(0.9, 1.0, n_speakers) ** 3
    values[-1] = 0.2  # one voice is hardly understood
    low, high = mean_interval(values)
    cut = mean_interval(values, within=(0.0, 1.0))
    assert cut == (max(low, 0.0), min(high, 1.0))
    assert mean_interval(values, within=(0.0, 0.5)) == (low, high)  # not its bounds


def test_an_interval_ends_at_the_largest_score():
    low, high = mean_interval([0.9, 1.0, 1.0], within=(0.0, 1.0))
    assert high == 1.0 < mean_interval([0.9, 1.0, 1.0])[1]
    assert low == mean_interval([0.9, 1.0, 1.0])[0]


@pytest.mark.filterwarnings("ignore")  # of metrics that have no value for such answers
@pytest.mark.parametrize("name", sorted(get_scorer_names()))
def test_no_score_of_scikit_learn_is_beyond_its_range(name):
    low, high = score_range(name)
    rng = np.random.default_rng(0)
    X, many = make_multilabel_classification(40, n_classes=3, random_state=0)
    classes, numbers = rng.integers(0, 2, 40), rng.normal(size=40) ** 2
    found = []
    for y in (classes, rng.integers(0, 3, 40), many, numbers):
        for strategy in ("prior", "stratified", "uniform", "constant"):
            constant = {"constant": np.flip(y, 0)[0]} if strategy == "constant" else {}
            model = DummyClassifier(strategy=strategy, random_state=0, **constant)
            model = DummyRegressor(strategy="constant", constant=50.0) if y is numbers else model
            try:
                found.append(get_scorer(name)(model.fit(X, y), X, y))
            except (ValueError, TypeError, AttributeError):  # not a metric of such targets
                continue
    found = np.array(found)[np.isfinite(found)]
    assert (found >= low).all()
    assert (found <= high).all()


def test_ranges_are_found_whatever_a_metric_is_called():
    assert score_range("Balanced accuracy") == score_range("balanced_accuracy") == (0, 1)
    assert score_range("f1 (average='macro')") == (0, 1)
    assert score_range("balanced_accuracy (adjusted=True)")[0] < 0
    assert score_range("1 - phone error rate") == (-np.inf, 1)
    assert score_range("custom score") == (-np.inf, np.inf)
