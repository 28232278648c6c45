"""Confidence intervals and tests over speakers."""

from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

#: Number of speakers from which intervals are bootstrapped.
MIN_BOOTSTRAP = 20

#: On either side, a bootstrapped interval is at most this many times as wide as Student's t.
MAX_STRETCH = 3.0

#: The permutation test is exact for at most this many speakers (2**16 sign flips).
MAX_EXACT = 16


def mean_of(values: npt.NDArray[Any]) -> float:
    """Mean over speakers; NaN of none."""
    return float(values.mean()) if len(values) else np.nan


def deviation_of(values: npt.NDArray[Any]) -> float:
    """Standard deviation over speakers (n - 1); NaN of fewer than two."""
    return float(values.std(ddof=1)) if len(values) > 1 else np.nan


def mean_interval(
    values: npt.ArrayLike,
    level: float = 0.95,
    *,
    method: str = "auto",
    within: tuple[float, float] = (-np.inf, np.inf),
    n_resamples: int = 9999,
    random_state: int = 0,
) -> tuple[float, float]:
    """Return the confidence interval of a mean over speakers.

    Parameters
    ----------
    values : array-like of shape (n_speakers,)
        One score, or difference of scores, per speaker.
    level : float, default=0.95
        Between 0 and 1.
    method : {"auto", "t", "bootstrap"}, default="auto"
        Student's t, or the studentised bootstrap over speakers; "auto" uses the bootstrap for
        20 or more speakers.
    within : (float, float), default=(-inf, inf)
        Least and largest value that a score can have. The interval is cut there: a mean is
        never beyond, so that it holds the mean exactly as often as the whole one.
    n_resamples : int, default=9999
        Bootstrap samples.
    random_state : int, default=0
        Seed of the bootstrap.

    Returns
    -------
    low, high : float
        NaN if a value is NaN.

    Raises
    ------
    ValueError
        With fewer than two speakers.

    References
    ----------
    Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 12.5
    (bootstrap-t).

    Examples
    --------
    >>> low, high = mean_interval([0.90, 0.94, 0.92, 0.96])
    >>> round(low, 3), round(high, 3)
    (0.889, 0.971)
    """
    values = np.asarray(values, dtype=float)
    n = len(values)
    if not isinstance(level, Real) or not 0 < level < 1:
        raise ValueError(f"level={level!r}: expected a number between 0 and 1, such as 0.95")
    if n < 2:
        raise ValueError(f"an interval over speakers needs at least two of them, got {n}")
    if np.isnan(values).any():
        return np.nan, np.nan
    mean, error = values.mean(), values.std(ddof=1) / np.sqrt(n)
    if method not in ("auto", "t", "bootstrap"):
        raise ValueError(f"method={method!r}: expected 'auto', 't' or 'bootstrap'")
    slack = 1e-9  # of rounding; beyond it, this is another metric of that name
    if values.min() < within[0] - slack or values.max() > within[1] + slack:
        within = (-np.inf, np.inf)
    reach = stats.t.ppf((1 + level) / 2, n - 1) * error
    if method == "t" or (method == "auto" and n < MIN_BOOTSTRAP) or error == 0:
        return _cut(mean - reach, mean + reach, within)
    rng = np.random.default_rng(random_state)
    samples = values[rng.integers(n, size=(n_resamples, n))]
    errors = samples.std(axis=1, ddof=1) / np.sqrt(n)
    spread = errors > 1e-6 * error  # a resample of equal values has no ratio
    ratios = (samples.mean(axis=1)[spread] - mean) / errors[spread]
    far, near = np.quantile(ratios, [(1 + level) / 2, (1 - level) / 2]) * error
    # resamples without an outlying speaker are nearly constant, and their ratios huge
    far, near = min(far, MAX_STRETCH * reach), max(near, -MAX_STRETCH * reach)
    return _cut(mean - far, mean - near, within)


def _cut(low: float, high: float, within: tuple[float, float]) -> tuple[float, float]:
    return max(float(low), within[0]), min(float(high), within[1])


def adjust_p_values(p_values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Adjust p-values for several tests by Holm's method.

    Parameters
    ----------
    p_values : array-like of shape (n_tests,)

    Returns
    -------
    adjusted : ndarray of shape (n_tests,)

    Examples
    --------
    >>> adjust_p_values([0.01, 0.04, 0.03])
    array([0.03, 0.06, 0.06])
    """
    p_values = np.asarray(p_values, dtype=float)
    order = np.argsort(p_values)
    steps = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty_like(p_values)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return adjusted


def paired_p_value(differences: npt.ArrayLike) -> tuple[float, str]:
    """Return the two-sided p-value of "no difference", from one difference per speaker.

    For up to 16 speakers, it is the share of all sign flips whose mean is at least as far from
    zero (exact; assumes only symmetry); for more, it comes from Student's paired t-test.

    Parameters
    ----------
    differences : array-like of shape (n_speakers,)

    Returns
    -------
    p_value : float
        NaN if a difference is NaN.
    method : str

    Examples
    --------
    >>> paired_p_value([0.02, 0.03, 0.01])
    (0.25, 'exact sign-flip permutation')
    """
    differences = np.asarray(differences, dtype=float)
    n = len(differences)
    if n < 2:
        raise ValueError(f"a test over speakers needs at least two of them, got {n}")
    method = "exact sign-flip permutation" if n <= MAX_EXACT else "paired t"
    if np.isnan(differences).any():
        return np.nan, method
    if n > MAX_EXACT:
        if differences.std() == 0:
            return float(differences.mean() == 0), method
        return float(stats.ttest_1samp(differences, 0.0).pvalue), method
    # exact, because there are fewer sign flips (2**n) than allowed resamples
    result = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=2**MAX_EXACT,
        vectorized=True,
    )
    return float(result.pvalue), method
