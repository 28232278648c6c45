"""Compare published systems and this library's best on the same held-out speakers.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/reference_systems.py
    python benchmarks/reference_systems.py --recipes best spectro-cnn --protocols digits-speakers
    python benchmarks/reference_systems.py --report       # only the table of finished runs

There are five protocols: each of the six speakers of the Free Spoken Digit Dataset held out in
turn; the random split and the test speaker that two of the sources used, on the three speakers
of the data set at that time; and the 12-class task of Speech Commands, reduced to the five words
with enough clips in a subset, with a fifth of the speakers held out at a time. The fifth,
``keywords-many``, runs only if it is named: all settings of the keyword systems with trainable
front ends, on the official lists of 15 words by 1,554 speakers. Test clips are not used for any
choice. Every run (system, protocol, fold, seed, epochs) is saved as a line of
``results/reference_systems.jsonl`` and is not repeated, so that an interrupted benchmark can
continue.
"""

import argparse
import json
from pathlib import Path

import joblib
import numpy as np
import reference_protocols as protocols
import reference_runs
import torch
from reference_tables import write_tables
from report import RESULTS

from sklearn_speech import list_recipes, make_recipe
from sklearn_speech.base import nets_of

LOG = RESULTS / "reference_systems.jsonl"

#: Parameters that some networks did not have at first, and the values that change nothing. With
#: these values they are no part of the digest of settings: finished runs need not be repeated.
NO_EFFECT = {"pretrainer": "None", "pretrained_lr": "None", "freeze_pretrained": "0"}


def jobs(arguments):
    """All requested runs, seed by seed."""
    for seed in range(arguments.seeds):
        for protocol in arguments.protocols:
            for name, (recipe, options) in protocols.systems(protocol).items():
                wanted = arguments.recipes
                if wanted is None or name in wanted or recipe in wanted:
                    yield seed, protocol, name, recipe, options


def read_log(path):
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {key_of(row): row for row in rows}


def key_of(row):
    """Key of a run. It includes all parameters, so that a changed recipe is run again."""
    names = "protocol", "system", "fold", "seed", "epochs", "settings"
    return tuple(row.get(name) for name in names)


def settings_of(made):
    """Digest of the parameters of a pipeline that have an effect."""
    parameters = made.get_params().items()
    return joblib.hash(
        [
            (name, repr(value))
            for name, value in sorted(parameters)
            if NO_EFFECT.get(name.rpartition("__")[2], "no such parameter") != repr(value)
        ]
    )


def run(arguments):
    """Do the missing runs."""
    done, missing = read_log(arguments.log), []
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    for seed, protocol, name, recipe, options in jobs(arguments):
        made = make_recipe(recipe, random_state=seed, **options)
        settings = settings_of(made)
        epochs = next(iter(nets_of(made).values())).max_epochs
        if arguments.max_epochs is not None:
            epochs = min(epochs, arguments.max_epochs)
        for fold in range(len(reference_runs.divided(protocol)[2]))[: arguments.folds]:
            row = {"protocol": protocol, "system": name, "fold": fold, "seed": seed,
                   "epochs": epochs, "settings": settings}  # fmt: skip
            if key_of(row) not in done:
                missing.append((row, made))
    print(f"{len(done)} finished runs, {len(missing)} to do", flush=True)
    left = {key_of(row): row for row, _ in missing}
    work = joblib.Parallel(arguments.n_jobs, batch_size=1, return_as="generator_unordered")
    threads = torch.get_num_threads() if arguments.n_jobs == 1 else 1
    for row in work(
        joblib.delayed(reference_runs.run_row)(*job, arguments.device, threads) for job in missing
    ):
        done[key_of(row)] = row
        del left[key_of(row)]
        with arguments.log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        quality = row.get("accuracy", row.get("restored"))
        print(
            f"{len(missing) - len(left)}/{len(missing)} {row['protocol']}, {row['system']}, "
            f"fold {row['fold']}, seed {row['seed']}: {quality:.3f} in {row['seconds']:.0f} s; "
            f"{time_left(left.values(), done)}",
            flush=True,
        )


def time_left(missing, done):
    """Estimate of the remaining time, from finished runs of the same systems."""
    seconds = {}
    for row in done.values():
        kind = row["protocol"], row["system"], row["epochs"]
        if "seconds" in row:
            seconds.setdefault(kind, []).append(row["seconds"])
    kinds = [(row["protocol"], row["system"], row["epochs"]) for row in missing]
    known = [float(np.median(seconds[kind])) for kind in kinds if kind in seconds]
    left = f"about {sum(known) / 60:.0f} min of work left for {len(known)} runs"
    unknown = len(kinds) - len(known)
    return left + (f", and {unknown} runs of systems not timed yet" if unknown else "")


def of_today(rows):
    """Runs with the current parameters of their recipe."""
    expected, kept = {}, []
    for row in rows:
        key = row["protocol"], row["system"], row["seed"]
        recipe, options = protocols.systems(row["protocol"]).get(row["system"], (None, None))
        if recipe is not None and key not in expected:
            expected[key] = settings_of(make_recipe(recipe, random_state=row["seed"], **options))
        if row.get("settings") == expected.get(key, "no such recipe"):
            kept.append(row)
    return kept


def main():
    every = list(dict.fromkeys(name for p in protocols.TITLES for name in protocols.systems(p)))
    recipes = [r["name"] for r in list_recipes(details=True) if r["task"] not in protocols.OTHERS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="+", choices=list(dict.fromkeys([*recipes, *every])))
    parser.add_argument(
        "--protocols",
        nargs="+",
        choices=list(protocols.TITLES),
        default=[name for name in protocols.TITLES if name != protocols.MANY],
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--max-epochs", type=int, help="upper limit; default: as published")
    parser.add_argument("--folds", type=int, help="number of folds of each protocol")
    parser.add_argument("--n-jobs", type=int, default=1, help="parallel runs, with one thread each")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--log", type=Path, default=LOG)
    parser.add_argument("--folder", type=Path, default=RESULTS, help="folder of the reports")
    parser.add_argument("--report", action="store_true", help="only write the report")
    arguments = parser.parse_args()
    if not arguments.report:
        arguments.protocols = [p for p in arguments.protocols if protocols.at_hand(p)]
        run(arguments)
    rows = of_today(read_log(arguments.log).values())
    of = {protocol for protocol in {r["protocol"] for r in rows} if protocols.at_hand(protocol)}
    write_tables([row for row in rows if row["protocol"] in of], arguments.folder)


if __name__ == "__main__":
    main()
