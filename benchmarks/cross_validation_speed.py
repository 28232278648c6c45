"""Time that cross_validate_by_speaker adds to scikit-learn's cross_validate.

The model is trivial, so that mainly the overhead is measured: checks of speakers and splits,
scores and predictions by speaker. Both run alternately in one process, on one thread; the table
shows medians over the rounds.

    python benchmarks/cross_validation_speed.py [--n-clips 100000] [--repeats 7]
"""

import argparse

import numpy as np
from report import write_report
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_validate
from timing import in_turns

from sklearn_speech.model_selection import cross_validate_by_speaker

N_FOLDS = 5


def compare(model, X, y, speakers, scoring, repeats):
    """Seconds of a fold, scikit-learn's and ours, and the ratios of all rounds."""
    cv = GroupKFold(N_FOLDS)
    times = in_turns(
        {
            "theirs": lambda: cross_validate(model, X, y, groups=speakers, cv=cv, scoring=scoring),
            "ours": lambda: cross_validate_by_speaker(
                model, X, y, speakers, cv=cv, scoring=scoring
            ),
        },
        repeats,
    )
    theirs, ours = times["theirs"][0] / N_FOLDS, times["ours"][0] / N_FOLDS
    return theirs, ours, ours / theirs


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
        ("dummy, numbers", DummyClassifier(), y, speakers, "neg_log_loss"),
    ]
    found = []
    for name, model, targets, groups, scoring in rows:
        theirs, ours, ratios = compare(model, X, targets, groups, scoring, options.repeats)
        found.append(
            {
                "model and labels": name,
                "score": scoring,
                "cross_validate, s": float(np.median(theirs)),
                "cross_validate_by_speaker, s": float(np.median(ours)),
                "ratio": float(np.median(ratios)),
                "least and most": f"{ratios.min():.2f} to {ratios.max():.2f}",
                "limit": 2,
            }
        )
        print(found[-1], flush=True)
    write_report(
        "cross_validation_speed",
        "Cross-validation by speaker beside scikit-learn's",
        {f"{n:,} clips, {n_speakers:,} speakers, {N_FOLDS} folds: processor time a fold": found},
    )


if __name__ == "__main__":
    main()
