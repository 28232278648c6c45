"""Speed of a recipe on all cores: fit and predict, from sound files.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/recipe_speed.py
    python benchmarks/recipe_speed.py --recipes best --n-jobs 4

Trains on the 2,500 recordings of five speakers of the Free Spoken Digit Dataset and predicts
the 500 of the sixth speaker. Both include reading files and computing spectrograms. Run it on
an otherwise idle machine. ``reference_systems.py`` measures the accuracy.
"""

import argparse
import os
import statistics
import time

import numpy as np
import torch
from report import write_report
from sklearn.model_selection import LeaveOneGroupOut

from sklearn_speech import fetch_fsdd, list_recipes, make_recipe

#: Limits: seconds of training on 2,500 clips, and predictions per second.
FIT_LIMIT, RATE_LIMIT = 300, 500


def measure(name, n_jobs, n_repeats, speech):
    """Duration of one fit, and the median number of predictions per second."""
    train, test = next(LeaveOneGroupOut().split(speech.data, speech.target, speech.speaker))
    X, y = np.asarray(speech.data), speech.target
    (options,) = (row["options"] for row in list_recipes(details=True) if row["name"] == name)
    parallel = {"n_jobs": n_jobs} if "n_jobs" in options else {}
    recipe = make_recipe(name, random_state=0, **parallel)
    start = time.perf_counter()
    recipe.fit(X[train], y[train])
    fit = time.perf_counter() - start
    rates = []
    for _ in range(n_repeats):
        start = time.perf_counter()
        recipe.predict(X[test])
        rates.append(len(test) / (time.perf_counter() - start))
    return {
        "recipe": name,
        "clips learned from": len(train),
        "clock s of fit": round(fit, 1),
        "limit": FIT_LIMIT,
        "clips answered a second": round(statistics.median(rates)),
        "slowest and fastest": f"{min(rates):.0f} to {max(rates):.0f}",
        "asked for": RATE_LIMIT,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="+", default=["best", "best-waveform"])
    parser.add_argument("--n-jobs", type=int, default=os.cpu_count())
    parser.add_argument("--repeats", type=int, default=5, help="number of timed predictions")
    arguments = parser.parse_args()
    speech = fetch_fsdd()
    table = []
    for name in arguments.recipes:
        table.append(measure(name, arguments.n_jobs, arguments.repeats, speech))
        print(table[-1], flush=True)
    note = (
        f"Networks are fitted in {arguments.n_jobs} parallel processes; predictions use "
        f"{torch.get_num_threads()} threads of torch. Wall-clock times, including file reading."
    )
    write_report("recipe_speed", "Recipes with all cores", {"FSDD, five speakers": table}, [note])


if __name__ == "__main__":
    main()
