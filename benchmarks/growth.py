"""Growth of time and memory with the number of clips or trials.

    python benchmarks/growth.py

Each measurement is a new process of one thread: processor time of the call, and peak memory
beyond what the process had before it. Free memory of earlier calls goes back to the system first:
otherwise the call fills it before the process grows, which hides the same few MiB at every size
and makes the growth look faster than it is. Calls of less than five seconds are measured in several
processes; the table has the shortest time and the median of memory. The exponent is that of the
best fitting power of the size (least squares of logarithms): 1 is linear. scikit-learn and Optuna
alone show what grows in them: Optuna's sampler compares each new trial with all earlier ones.
"""

import argparse
import ctypes
import gc
import json
import statistics
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
from report import write_report

#: What is measured, and the sizes.
SIZES = {
    "fit": (2000, 8000, 32_000),
    "predict": (2000, 8000, 32_000),
    "cross_validate_by_speaker": (10_000, 40_000, 160_000, 640_000),
    "cross_validate (scikit-learn)": (10_000, 40_000, 160_000, 640_000),
    "check_speaker_leakage": (250, 1000, 4000),
    "OptunaSearchCV": (10, 100, 1000),
    "study.optimize (Optuna)": (10, 100, 1000),
}
UNITS = {"OptunaSearchCV": "trials", "study.optimize (Optuna)": "trials"}


def spectrograms(n):
    rng = np.random.default_rng(0)
    return rng.standard_normal((n, 40, 26), dtype=np.float32), np.arange(n) % 10


def network():
    from sklearn_speech import SpectrogramCNNClassifier

    return SpectrogramCNNClassifier(n_layers=2, n_filters=8, max_epochs=1, random_state=0)


def prepare_fit(n):
    X, y = spectrograms(n)
    network().fit(X[:64], y[:64])
    return lambda: network().fit(X, y)


def prepare_predict(n):
    X, y = spectrograms(n)
    net = network().fit(X[:64], y[:64])
    return lambda: net.predict(X)


def table(n):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 4)), rng.integers(0, 10, n), np.arange(n) % (n // 50)


def prepare_cross_validate_by_speaker(n):
    from sklearn.dummy import DummyClassifier
    from sklearn.model_selection import GroupKFold

    from sklearn_speech import cross_validate_by_speaker

    X, y, speakers = table(n)
    return lambda: cross_validate_by_speaker(
        DummyClassifier(), X, y, speakers, cv=GroupKFold(5), scoring="accuracy"
    )


def prepare_cross_validate(n):
    from sklearn.dummy import DummyClassifier
    from sklearn.model_selection import GroupKFold, cross_validate

    X, y, speakers = table(n)
    return lambda: cross_validate(
        DummyClassifier(), X, y, groups=speakers, cv=GroupKFold(5), scoring="accuracy"
    )


def prepare_check_speaker_leakage(n):
    from sklearn_speech import check_speaker_leakage

    rng = np.random.default_rng(0)
    clips = 0.1 * rng.standard_normal((n, 8000), dtype=np.float32)
    speakers = np.arange(n) % (n // 10)
    test = speakers < n // 50
    train, test = np.flatnonzero(~test), np.flatnonzero(test)
    return lambda: check_speaker_leakage(clips, None, speakers, [(train, test)], sample_rate=8000)


def task():
    rng = np.random.default_rng(0)
    return rng.normal(size=(120, 4)), np.arange(120) % 2, np.arange(120) // 20


def prepare_search(n):
    import optuna
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    from sklearn_speech import OptunaSearchCV

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    X, y, speakers = task()
    search = OptunaSearchCV(
        LogisticRegression(),
        {"C": optuna.distributions.FloatDistribution(0.01, 100, log=True)},
        n_trials=n,
        cv=GroupKFold(3),
        random_state=0,
    )
    return lambda: search.fit(X, y, groups=speakers)


def prepare_optuna(n):
    import optuna
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold, cross_val_score

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    X, y, speakers = task()

    def objective(trial):
        model = LogisticRegression(C=trial.suggest_float("C", 0.01, 100, log=True))
        return cross_val_score(model, X, y, groups=speakers, cv=GroupKFold(3)).mean()

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=0))
    return lambda: study.optimize(objective, n_trials=n)


PREPARE = {
    "fit": prepare_fit,
    "predict": prepare_predict,
    "cross_validate_by_speaker": prepare_cross_validate_by_speaker,
    "cross_validate (scikit-learn)": prepare_cross_validate,
    "check_speaker_leakage": prepare_check_speaker_leakage,
    "OptunaSearchCV": prepare_search,
    "study.optimize (Optuna)": prepare_optuna,
}


def measure_here(name, size):
    """Seconds and MiB of one call in this process."""
    import torch

    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    PREPARE[name](max(SIZES[name][0] // 2, 4))()  # imports
    call = PREPARE[name](size)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak
    before = _peak()
    start = time.process_time()
    call()
    return {"seconds": time.process_time() - start, "MiB": (_peak() - before) / 1024}


def _peak():
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def measure(name, size, n_processes):
    """The same in new processes: the shortest time, and the median of memory."""
    command = [sys.executable, __file__, "--only", name, str(size)]
    found = []
    for _ in range(n_processes):
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        found.append(json.loads(out.splitlines()[-1]))
        if found[-1]["seconds"] > 5:
            break
    return {
        "seconds": min(each["seconds"] for each in found),
        "MiB": statistics.median(each["MiB"] for each in found),
    }


def exponent(sizes, values):
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs=2, metavar=("WHAT", "SIZE"), help="measure here and print")
    parser.add_argument("--n-processes", type=int, default=3)
    options = parser.parse_args()
    if options.only:
        name, size = options.only
        print(json.dumps(measure_here(name, int(size))))
        return
    rows = []
    for name, sizes in SIZES.items():
        found = [measure(name, size, options.n_processes) for size in sizes]
        seconds = [each["seconds"] for each in found]
        memory = [max(each["MiB"], 0.1) for each in found]
        rows.append(
            {
                "": name,
                "sizes": f"{', '.join(map(str, sizes))} {UNITS.get(name, 'clips')}",
                "seconds": ", ".join(f"{value:.3g}" for value in seconds),
                "exponent of time": round(exponent(sizes, seconds), 2),
                "MiB": ", ".join(f"{value:.3g}" for value in memory),
                "exponent of memory": round(exponent(sizes, memory), 2),
            }
        )
        print(rows[-1], flush=True)
    notes = [
        "Processor time of one thread and peak memory beyond the input, one new process each.",
        "Above 1.05: before each trial, Optuna's sampler reads all earlier trials, and so do the "
        "pruner of OptunaSearchCV and its count of trials that are left. The 32,000 clips that are "
        "predicted take 133 MB, which no cache holds.",
    ]
    write_report("growth", "Growth with the size", {"Time and memory": rows}, notes)


if __name__ == "__main__":
    main()
