"""Time of cross-validation with folds one after another, and side by side on one device.

    python benchmarks/folds_side_by_side.py --device cuda --n-jobs 1 2 4

A small network leaves most of a GPU idle: folds in several processes share it, each with its own
copy of its clips. With ``--store``, clips are larger than ``max_ram``, so that all processes read
batches from the same files. Each process computes with one thread. The scores are the same in
each case, which is checked. Time is that by the clock, and the median of `--repeats` rounds in
which all cases alternate.
"""

import argparse
import tempfile

import numpy as np
import torch
from report import write_report
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from timing import in_turns

from sklearn_speech import (
    ClipStore,
    MelSpectrogram,
    SpectrogramCNNClassifier,
    SpectrogramScaler,
    cross_validate_by_speaker,
)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cuda")
    parser.add_argument("--n-jobs", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--n-clips", type=int, default=8000)
    parser.add_argument("--n-folds", type=int, default=4)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--store", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    X = 0.1 * rng.standard_normal((options.n_clips, 8000), dtype=np.float32)
    y, speakers = np.arange(len(X)) % 10, np.arange(len(X)) // 10 % 50
    scores = {}
    with tempfile.TemporaryDirectory() as folder:
        first = [ClipStore(folder, max_ram=0)] if options.store else []
        model = make_pipeline(
            *first,
            MelSpectrogram(sample_rate=8000),
            SpectrogramScaler(),
            SpectrogramCNNClassifier(
                max_epochs=options.epochs, device=options.device, random_state=0
            ),
        )

        def validate(n_jobs):
            cv = GroupKFold(options.n_folds)
            found = cross_validate_by_speaker(model, X, y, speakers, cv=cv, n_jobs=n_jobs)
            scores[n_jobs] = found["test_score"]

        cases = {n: lambda n=n: validate(n) for n in options.n_jobs}
        times = in_turns(cases, options.repeats)
    seconds = {n: float(np.median(clock)) for n, (_, clock) in times.items()}
    rows = [
        {
            "folds side by side": n,
            "seconds": seconds[n],
            "times faster": round(seconds[options.n_jobs[0]] / seconds[n], 2),
            "same scores": bool(np.array_equal(scores[n], scores[options.n_jobs[0]])),
        }
        for n in options.n_jobs
    ]
    where = "from files" if options.store else "in memory"
    caption = f"{options.n_folds} folds, {options.n_clips} clips {where}, {options.epochs} epochs"
    name = f"folds_side_by_side_{options.device}" + "_store" * options.store
    print(rows)
    write_report(name, "Folds side by side on one device", {caption: rows})


if __name__ == "__main__":
    main()
