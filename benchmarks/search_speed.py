"""Time of hyperparameter searches on real digits, six speakers held out in turn.

``OptunaSearchCV`` of this library against ``RandomizedSearchCV`` and, where it is
installed, against optuna-integration's ``OptunaSearchCV``, over the same settings
and the same folds: wall time for an equal number of trials, and time until the score
of the random search was reached.

    python benchmarks/search_speed.py FOLDER_OF_FSDD --model linear --trials 20
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.pruners import NopPruner
from optuna.samplers import RandomSampler
from report import write_report
from scipy.stats import loguniform, randint
from sklearn.model_selection import GroupKFold, RandomizedSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.classification import SpectrogramCNNClassifier, SpectrogramLinearClassifier
from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.model_selection import OptunaSearchCV


def build(kind, max_epochs):
    options = {"max_epochs": max_epochs, "random_state": 0}
    models = {
        "linear": lambda: SpectrogramLinearClassifier(**options),
        "small": lambda: SpectrogramCNNClassifier(n_layers=2, n_filters=8, **options),
        "cnn": lambda: SpectrogramCNNClassifier(**options),
    }
    return make_pipeline(
        AudioReader(8000), PadOrTrim(n_times=8000), MelSpectrogram(8000), models[kind]()
    )


def spaces(model):
    """The same space for Optuna and for SciPy."""
    last = model.steps[-1][0]
    ours = {
        "melspectrogram__n_mels": IntDistribution(24, 48, step=8),
        "melspectrogram__hop_length": CategoricalDistribution([64, 80, 128]),
        f"{last}__lr": FloatDistribution(1e-3, 3e-2, log=True),
        f"{last}__dropout": FloatDistribution(0.0, 0.5),
    }
    theirs = {
        "melspectrogram__n_mels": [24, 32, 40, 48],
        "melspectrogram__hop_length": [64, 80, 128],
        f"{last}__lr": loguniform(1e-3, 3e-2),
        f"{last}__dropout": np.linspace(0.0, 0.5, 51),
    }
    if last.startswith("spectrogramcnn"):
        ours[f"{last}__n_layers"] = IntDistribution(2, 4)
        theirs[f"{last}__n_layers"] = randint(2, 5)
    return ours, theirs


def searches(model, n_trials, cv):
    ours, theirs = spaces(model)
    same = {"cv": cv, "refit": False, "error_score": "raise"}
    share = {"n_trials": n_trials, "random_state": 0, **same}
    found = {
        "RandomizedSearchCV": RandomizedSearchCV(
            model, theirs, n_iter=n_trials, random_state=0, **same
        ),
        # from left to right, what the features shared between folds and trials, the
        # pruner and the sampler bring
        "ours, random, no pruning": OptunaSearchCV(
            model, ours, sampler=RandomSampler(seed=0), pruner=NopPruner(), **share
        ),
        "ours, random, pruned": OptunaSearchCV(model, ours, sampler=RandomSampler(seed=0), **share),
        "ours": OptunaSearchCV(model, ours, **share),
        "ours, pruned by epoch": OptunaSearchCV(model, ours, prune_by_epoch=True, **share),
    }
    try:
        from optuna_integration import OptunaSearchCV as Integration
    except ImportError:
        return found
    found["optuna-integration"] = Integration(
        model, ours, n_trials=n_trials, cv=cv, refit=False, random_state=0, error_score="raise"
    )
    return found


def run(search, paths, digits, speakers):
    """Wall and processor time, best score, and when each best score so far was reached."""
    reached = []
    began, processor = time.perf_counter(), time.process_time()

    def note(study, trial):
        try:
            reached.append((time.perf_counter() - began, study.best_value))
        except ValueError:  # none so far
            return

    if isinstance(search, OptunaSearchCV):
        search.set_params(callbacks=[note])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        search.fit(paths, digits, groups=speakers)
    seconds = time.perf_counter() - began, time.process_time() - processor
    results = getattr(search, "cv_results_", None)
    best = np.nanmax(results["mean_test_score"]) if results is not None else search.best_score_
    folds = results.get("n_folds_run") if results is not None else None
    return *seconds, float(best), reached, None if folds is None else int(folds.sum())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="of the Free Spoken Digit Dataset")
    parser.add_argument("--model", choices=["linear", "small", "cnn"], default="linear")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--every", type=int, default=1, help="take every so manieth recording")
    options = parser.parse_args()
    paths = sorted((options.folder / "recordings").glob("*.wav"))[:: options.every]
    if not paths:
        parser.error(f"no recordings/*.wav under {options.folder}")
    digits = np.array([int(path.name.split("_")[0]) for path in paths])
    speakers = np.array([path.name.split("_")[1] for path in paths])
    cv = GroupKFold(len(set(speakers)))
    model = build(options.model, options.epochs)
    rows = []
    for name, search in searches(model, options.trials, cv).items():
        seconds, processor, best, reached, folds = run(search, paths, digits, speakers)
        if not rows:
            first, target = (seconds, processor), best
        until = next((at for at, score in reached if score >= target), None)
        rows.append(
            {
                "search": name,
                "seconds": seconds,
                "times less": first[0] / seconds,
                "processor seconds": processor,
                "times less of them": first[1] / processor,
                "seconds until the first one's score": "-" if until is None else until,
                "folds run": "-" if folds is None else folds,
                "best mean score": best,
            }
        )
        print(rows[-1], flush=True)
    caption = (
        f"{options.trials} trials of the {options.model} model, {options.epochs} epochs, "
        f"{len(paths)} recordings, {cv.get_n_splits()} speakers held out in turn"
    )
    report = write_report(f"search_speed_{options.model}", "Searches", {caption: rows})
    print(report.read_text())


if __name__ == "__main__":
    main()
