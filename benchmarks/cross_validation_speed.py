"""Time that cross_validate_by_speaker adds to scikit-learn's cross_validate.

The model is trivial, so that mainly the overhead is measured: checks of speakers and splits,
scores and predictions by speaker. Both run alternately in one process; the table shows the
median processor time of a fold and the median of the ratios.

    python benchmarks/cross_validation_speed.py [--n-clips 100000] [--repeats 7]
"""

import argparse
import statistics
import time

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_validate

from sklearn_speech.model_selection import cross_validate_by_speaker

N_FOLDS = 5


def seconds_a_fold(function):
    start = time.process_time()
    function()
    return (time.process_time() - start) / N_FOLDS


def compare(model, X, y, speakers, scoring, repeats):
    """Median seconds of a fold, scikit-learn's and ours, and the median ratio."""
    cv = GroupKFold(N_FOLDS)
    theirs, ours = [], []
    for i in range(repeats + 1):
        pair = (
            seconds_a_fold(
                lambda: cross_validate(model, X, y, groups=speakers, cv=cv, scoring=scoring)
            ),
            seconds_a_fold(
                lambda: cross_validate_by_speaker(model, X, y, speakers, cv=cv, scoring=scoring)
            ),
        )
        if i:  # the first run imports and warms up
            theirs.append(pair[0])
            ours.append(pair[1])
    ratios = [b / a for a, b in zip(theirs, ours)]
    return statistics.median(theirs), statistics.median(ours), statistics.median(ratios)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-clips", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    n = options.n_clips
    n_speakers = max(n // 50, N_FOLDS)
    X = rng.normal(size=(n, 4)).astype(np.float32)
    y, speakers = rng.integers(0, 10, n), rng.integers(0, n_speakers, n)
    names = np.array([f"speaker{i}" for i in range(n_speakers)])[speakers]
    words = np.array([f"word{i}" for i in range(10)])[y]
    rows = [
        ("dummy, numbers", DummyClassifier(), y, speakers, "accuracy"),
        ("dummy, strings", DummyClassifier(), words, names, "accuracy"),
        ("logistic, strings", LogisticRegression(max_iter=20), words, names, "accuracy"),
        ("dummy, log loss", DummyClassifier(), y, speakers, "neg_log_loss"),
    ]
    print(f"{n} clips, {n_speakers} speakers, {N_FOLDS} folds, seconds of one processor a fold")
    print(f"{'':18}{'scikit-learn':>14}{'by speaker':>12}{'ratio':>8}")
    for name, model, targets, groups, scoring in rows:
        theirs, ours, ratio = compare(model, X, targets, groups, scoring, options.repeats)
        print(f"{name:18}{theirs:14.4f}{ours:12.4f}{ratio:8.2f}", flush=True)


if __name__ == "__main__":
    main()
