"""The least and the largest value that a metric can have."""

import re

#: Metrics by name, as in tables, with their least and largest value. "f1_macro" and
#: "f1 (average='macro')" are the same metric.
_RANGES = {
    r"(accuracy|balanced_accuracy|top_k_accuracy|average_precision)": (0.0, 1.0),
    r"(f1|fbeta|precision|recall|jaccard)(_binary|_micro|_macro|_samples|_weighted)?": (0.0, 1.0),
    r"roc_auc(_ovr|_ovo|_ovr_weighted|_ovo_weighted)?": (0.0, 1.0),
    r"(homogeneity|completeness|v_measure|rand|fowlkes_mallows)(_score)?": (0.0, 1.0),
    r"normalized_mutual_info(_score)?": (0.0, 1.0),
    r"adjusted_(rand|mutual_info)(_score)?": (-1.0, 1.0),
    r"(matthews_corrcoef|cohen_kappa)": (-1.0, 1.0),
    r"(r2|explained_variance|d2_.*|1_-_phone_error_rate)": (-float("inf"), 1.0),
    r"neg_.*": (-float("inf"), 0.0),
}


def score_range(name: str) -> tuple[float, float]:
    """Return the least and the largest value of a metric.

    Parameters
    ----------
    name : str
        As in tables or on an axis: "f1_macro", "f1 (average='macro')" or "Balanced accuracy".

    Returns
    -------
    low, high : float
        Infinite where the metric has no bound, or is not known.

    Examples
    --------
    >>> score_range("accuracy"), score_range("r2")
    ((0.0, 1.0), (-inf, 1.0))
    """
    base, _, options = name.partition(" (")
    base = base.strip().lower().replace(" ", "_")
    if "adjusted=True" in options:  # for chance, so that it can be negative
        return -float("inf"), 1.0
    for pattern, bounds in _RANGES.items():
        if re.fullmatch(pattern, base):
            return bounds
    return -float("inf"), float("inf")
