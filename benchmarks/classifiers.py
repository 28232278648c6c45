"""All classifiers with default parameters on spoken digits of held-out speakers.

    python benchmarks/classifiers.py
    python benchmarks/classifiers.py --classifiers SpectrogramLinearClassifier WaveformMLPClassifier

The result of each classifier is saved, so that an interrupted run can continue.
"""

import argparse
import json
import time
from pathlib import Path

import torch
from report import RESULTS, write_report

from sklearn_speech import classification, cross_validate_by_speaker, fetch_fsdd
from sklearn_speech.recipes import make_speech_pipeline


def score(name, n_jobs):
    """One row of the table: accuracy by speaker, seconds, parameters."""
    speech = fetch_fsdd()
    classifier = getattr(classification, name)(random_state=0)
    pipeline = make_speech_pipeline(classifier, sample_rate=8000, duration=1.0)
    start = time.perf_counter()
    scores = cross_validate_by_speaker(
        pipeline,
        speech.data,
        speech.target,
        speech.speaker,
        n_jobs=n_jobs,
        verbose=1,
        return_estimator=True,
    )
    seconds = time.perf_counter() - start
    module = scores["estimator"][0][-1].module_
    by_speaker = dict(zip(scores.speakers, map(float, scores.speaker_scores())))
    return {
        "classifier": name,
        "parameters": sum(p.numel() for p in module.parameters()),
        "mean": float(scores.mean),
        "worst": min(by_speaker.values()),
        **by_speaker,
        "seconds": round(seconds),
    }


def main():
    names = [name for name in classification.__all__ if name.endswith("Classifier")]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--classifiers", nargs="+", choices=names, default=names)
    parser.add_argument("--n-jobs", type=int, default=-1)
    options = parser.parse_args()
    path = Path(RESULTS) / "classifiers.json"
    rows = {}
    if path.exists():
        (table,) = json.loads(path.read_text())["tables"].values()
        rows = {row["classifier"]: row for row in table}
    for name in options.classifiers:
        if name in rows:
            continue
        rows[name] = score(name, options.n_jobs)
        write_report(
            "classifiers",
            "Classifiers with their defaults on speakers held out",
            {"Accuracy on the Free Spoken Digit Dataset, one seed": list(rows.values())},
            [
                f"Six speakers held out in turn, no augmentation, {torch.get_num_threads()} "
                "threads; seconds are of the whole cross-validation."
            ],
        )
    print(path.with_suffix(".md").read_text())


if __name__ == "__main__":
    main()
