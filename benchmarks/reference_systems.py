"""Published systems and this library's best, on the same held-out speakers, in one table.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/reference_systems.py
    python benchmarks/reference_systems.py --recipes best spectro-cnn --protocols digits-speakers
    python benchmarks/reference_systems.py --report       # only the table, of what has been run

Four protocols: each of the six speakers of the Free Spoken Digit Dataset held out in turn; the
random split and the test speaker with which two of the sources judged themselves, on the three
speakers that there were then; and twelve classes of Speech Commands, less the words that a slice
of it lacks, with speakers held out five at a time by GroupKFold. Nothing about a network is chosen
by what it is judged on. Every run (system, protocol, fold, seed, epochs) is a line of
``results/reference_systems.jsonl`` and never repeated: an interrupted run goes on where it stopped.
"""

import argparse
import json
import time
from pathlib import Path

import joblib
import numpy as np
import torch
from report import RESULTS, write_report
from sklearn.base import clone, is_classifier
from sklearn.metrics import f1_score
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, StratifiedShuffleSplit

from sklearn_speech import fetch_fsdd, fetch_speech_commands, list_recipes, make_recipe
from sklearn_speech.base import nets_of
from sklearn_speech.modules.augmentations import FrameShift, TimeStretch, VocalTractWarp

LOG = RESULTS / "reference_systems.jsonl"

#: Systems that differ from the recipe of their name: recipe and overrides.
VARIANTS = {
    f"{name} {setting}{', normalised' if norm else ''}": (
        name,
        {"setting": setting, **({"input_norm": norm} if norm else {})},
    )
    for name in ("kws-linear", "kws-bcresnet")
    for setting in "ABCD"
    for norm in (None, "batch")
}

#: BC-ResNet-1 with the learning rate of its paper, and with augmentation.
VARIANTS["kws-bcresnet A, lr 0.1, augmented"] = (
    "kws-bcresnet",
    {
        "variant": "paper",
        "input_norm": "clip",
        "bcresnetclassifier__lr": 0.1,
        "bcresnetclassifier__lr_schedule": "one_cycle",
        "bcresnetclassifier__augment": [
            TimeStretch(factor=(0.75, 1.3)),
            VocalTractWarp(sample_rate=16000, factor=(0.85, 1.18)),
            FrameShift(),
        ],
    },
)

#: The speaker theo is quiet: what becomes of him where weights begin with random biases.
QUIET = {
    "basics-stft-cnn, torch's weights": (
        "basics-stft-cnn",
        {"spectrogramcnnclassifier__weight_init": "torch"},
    )
}

DIGITS = ("digits-speakers", "digits-random", "digits-theo")
COMMANDS = "commands"

#: How the sources divided the clips of three speakers, and what they report of it.
REPORTED = {
    ("sample-cnn", "digits-random"): "0.60",
    ("spectro-cnn", "digits-random"): "0.70",
    ("basics-mlp", "digits-theo"): "horrible",
    ("basics-stft-cnn", "digits-theo"): "0.616",
    ("basics-mel-cnn", "digits-theo"): "0.188",
}

OF_THREE = ["jackson", "nicolas", "theo"]


def systems(protocol):
    """Recipe and overrides of each system that a protocol is for, by name."""
    rows = {row["name"]: row for row in list_recipes(details=True) if row["task"] != "phones"}
    plain = {name: (name, {}) for name in rows if not name.startswith("kws-")}
    if protocol == COMMANDS:
        own = {name: (name, {"sample_rate": 16000}) for name in ("best", "best-waveform")}
        return {**VARIANTS, **own}
    if protocol == "digits-speakers":
        return {**plain, **{name: (name, {}) for name in ("kws-linear", "kws-bcresnet")}}
    restored = {name for name, row in rows.items() if "restored" in row["task"]}
    judged = {name: plain[name] for name in plain if name not in restored}
    return {**judged, **QUIET} if protocol == "digits-theo" else judged


def clips(protocol):
    """Paths, labels and speakers of a protocol."""
    if protocol == COMMANDS:
        speech = fetch_speech_commands(
            "v0.01", words=["down", "go", "left", "right", "up"], download_if_missing=False
        )
    else:
        speech = fetch_fsdd(speakers=None if protocol == "digits-speakers" else OF_THREE)
    return speech.data, np.asarray(speech.target), np.asarray(speech.speaker)


def folds(protocol, y, speakers):
    """(train, test) positions of each fold."""
    if protocol == "digits-random":
        return list(StratifiedShuffleSplit(3, test_size=150, random_state=0).split(y, y))
    if protocol == COMMANDS:
        splitter = GroupKFold(5, shuffle=True, random_state=0)
    else:
        splitter = LeaveOneGroupOut()
    found = list(splitter.split(y, y, speakers))
    if protocol == "digits-theo":
        return [split for split in found if speakers[split[1][0]] == "theo"]
    return found


class Features:
    """What the steps before the network make of all clips, kept for the system in work.

    No step may look at more than one clip at a time: fitted on all clips, it learns nothing.
    """

    def __init__(self):
        self.key, self.made = None, None

    def of(self, key, pipeline, data):
        if key != self.key:
            steps = pipeline[:-1]
            for _, step in steps.steps:
                if not getattr(step, "_treats_clips_alone", False):
                    raise TypeError(f"{step!r} may learn from clips: features cannot be shared")
            start = time.perf_counter()
            self.made = steps.fit_transform(data), time.perf_counter() - start
            self.key = key
        return self.made


def run_fold(network, X, y, train, test):
    """Fit and judge a network once."""
    start, began = time.perf_counter(), time.process_time()
    network.fit(X[train], y[train])
    fitted = time.perf_counter()
    nets = nets_of(network).values()
    row = {
        "processor_seconds": round(time.process_time() - began, 2),
        "parameters": sum(
            p.numel() for net in nets for p in net.module_.parameters() if p.requires_grad
        ),
        "seconds": round(fitted - start, 2),
    }
    if is_classifier(network):
        answers = network.predict(X[test])
        row["clips_per_second"] = round(len(test) / (time.perf_counter() - fitted), 1)
        row["accuracy"] = float(np.mean(answers == y[test]))
        row["train_accuracy"] = float(np.mean(network.predict(X[train]) == y[train]))
        row["test"], row["answers"] = test.tolist(), answers.tolist()
    else:
        errors = -network.score_samples(X[test])
        row["restored"] = float(1 - errors.mean() / X[test].var())
    return row


def jobs(arguments):
    """Every run asked for, seed by seed."""
    for seed in range(arguments.seeds):
        for protocol in arguments.protocols:
            for name, (recipe, options) in systems(protocol).items():
                wanted = arguments.recipes
                if wanted is None or name in wanted or recipe in wanted:
                    yield seed, protocol, name, recipe, options


def read_log(path):
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return {key_of(row): row for row in rows}


def key_of(row):
    """What a run is: also every setting, so that a recipe that has changed is run anew."""
    names = "protocol", "system", "fold", "seed", "epochs", "settings"
    return tuple(row.get(name) for name in names)


def settings_of(made):
    """Digest of all parameters of a pipeline."""
    parameters = made.get_params().items()
    return joblib.hash([(name, repr(value)) for name, value in sorted(parameters)])


def run(arguments):
    """Run what is missing."""
    done, features = read_log(arguments.log), Features()
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    data, missing = {}, []
    for seed, protocol, name, recipe, options in jobs(arguments):
        if protocol not in data:
            X, y, speakers = clips(protocol)
            data[protocol] = X, y, speakers, folds(protocol, y, speakers)
        made = make_recipe(recipe, random_state=seed, **options)
        settings = settings_of(made)
        epochs = next(iter(nets_of(made).values())).max_epochs
        if arguments.max_epochs is not None:
            epochs = min(epochs, arguments.max_epochs)
        for fold in range(len(data[protocol][3]))[: arguments.folds]:
            row = {"protocol": protocol, "system": name, "fold": fold, "seed": seed,
                   "epochs": epochs, "settings": settings}  # fmt: skip
            if key_of(row) not in done:
                missing.append((row, made))
    print(f"{len(done)} runs at hand, {len(missing)} to do", flush=True)
    for i, (row, made) in enumerate(missing):
        X, y, speakers, splits = data[row["protocol"]]
        key = row["protocol"], row["system"]
        front, seconds = features.of(key, made, X)
        network = clone(made[-1])
        for net in nets_of(network).values():
            net.set_params(max_epochs=row["epochs"], device=arguments.device)
        row |= run_fold(network, front, y, *splits[row["fold"]])
        row["feature_seconds"] = round(seconds, 2)
        done[key_of(row)] = row
        with arguments.log.open("a") as file:
            file.write(json.dumps(row) + "\n")
        quality = row.get("accuracy", row.get("restored"))
        print(
            f"{i + 1}/{len(missing)} {row['protocol']}, {row['system']}, fold {row['fold']}, "
            f"seed {row['seed']}: {quality:.3f} in {row['seconds']:.0f} s; "
            f"{time_left([row for row, _ in missing[i + 1 :]], done)}",
            flush=True,
        )


def time_left(missing, done):
    """What the runs still to do will take, by those already done of the same system."""
    seconds = {}
    for row in done.values():
        kind = row["protocol"], row["system"], row["epochs"]
        seconds.setdefault(kind, []).append(row["seconds"])
    kinds = [(row["protocol"], row["system"], row["epochs"]) for row in missing]
    known = [float(np.median(seconds[kind])) for kind in kinds if kind in seconds]
    left = f"about {sum(known) / 60:.0f} min left for {len(known)} runs"
    unknown = len(kinds) - len(known)
    return left + (f", and {unknown} runs of systems not timed yet" if unknown else "")


def summary(rows, protocol):
    """One row a system: mean, worst speaker and spread over seeds, beside what it costs."""
    _, y, speakers = clips(protocol)
    n_folds = len(folds(protocol, y, speakers))
    known = {row["name"]: row for row in list_recipes(details=True)}
    table = []
    for system, (recipe, _) in systems(protocol).items():
        runs = [r for r in rows if (r["protocol"], r["system"]) == (protocol, system)]
        for epochs in sorted({r["epochs"] for r in runs}):
            group = [r for r in runs if r["epochs"] == epochs]
            seeds = sorted({r["seed"] for r in group})
            whole = [s for s in seeds if sum(r["seed"] == s for r in group) == n_folds]
            if whole:
                group = [r for r in group if r["seed"] in whole]
                table.append(
                    {
                        "system": system,
                        **_quality(group, whole, y, speakers, protocol),
                        "parameters": group[0]["parameters"],
                        "epochs": epochs,
                        "processor s a fit": _median(group, "processor_seconds"),
                        "clock s a fit": _median(group, "seconds"),
                        "seeds": len(whole),
                        "its source reports": REPORTED.get((system, protocol), "-")
                        if protocol in DIGITS[1:]
                        else known[recipe]["published"] or "-",
                    }
                )
    return table


def of_today(rows):
    """Runs whose settings are those that their recipe has now."""
    expected, kept = {}, []
    for row in rows:
        key = row["protocol"], row["system"], row["seed"]
        recipe, options = systems(row["protocol"]).get(row["system"], (None, None))
        if recipe is not None and key not in expected:
            expected[key] = settings_of(make_recipe(recipe, random_state=row["seed"], **options))
        if row.get("settings") == expected.get(key, "no such recipe"):
            kept.append(row)
    return kept


def _median(group, name):
    return round(float(np.median([r[name] for r in group])), 1)


def _quality(group, seeds, y, speakers, protocol):
    by_seed = {s: [r for r in group if r["seed"] == s] for s in seeds}
    if "restored" in group[0]:
        by_fold = [[r["restored"] for r in sorted(g, key=lambda r: r["fold"])]
                   for g in by_seed.values()]  # fmt: skip
    else:
        by_fold = [[r["accuracy"] for r in sorted(g, key=lambda r: r["fold"])]
                   for g in by_seed.values()]  # fmt: skip
    means = np.mean(by_fold, axis=1)
    spread = f"{np.std(means, ddof=1):.3f}" if len(seeds) > 1 else "-"
    quality = {"mean": f"{means.mean():.3f}", "sd over seeds": spread}
    if protocol == "digits-speakers":
        quality["worst speaker"] = f"{np.mean(by_fold, axis=0).min():.3f}"
    if "answers" in group[0]:
        trained = np.mean([r["train_accuracy"] for r in group])
        quality["on training clips"] = f"{trained:.3f}"
        quality["clips a second"] = round(np.median([r["clips_per_second"] for r in group]))
    if protocol == COMMANDS:
        scores = []
        for rows in by_seed.values():
            test = np.concatenate([r["test"] for r in rows])
            answers = np.concatenate([r["answers"] for r in rows])
            scores.append(f1_score(y[test], answers, average="macro"))
        quality["macro F1"] = f"{np.mean(scores):.3f}"
    return quality


TITLES = {
    "digits-speakers": "FSDD, each of six speakers held out in turn: accuracy",
    "digits-random": "FSDD, three speakers, 150 of 1,500 clips drawn at random: accuracy",
    "digits-theo": "FSDD, trained on jackson and nicolas, tested on theo: accuracy",
    COMMANDS: "Speech Commands slice, five words, unknown and silence, speakers held out: accuracy",
}


def report(arguments):
    """Write the tables and pictures of all runs in the log."""
    rows = of_today(read_log(arguments.log).values())
    tables, notes = {}, []
    for protocol in TITLES:
        table = summary(rows, protocol) if any(r["protocol"] == protocol for r in rows) else []
        restored = [row for row in table if "autoencoder" in row["system"]]
        judged = [row for row in table if row not in restored]
        if judged:
            tables[TITLES[protocol]] = judged
        if restored:
            caption = (
                "FSDD, each of six speakers held out: share of the picture's variance restored"
            )
            tables[caption] = restored
    if not tables:
        print("no system has run on all folds of a protocol yet")
        return
    if COMMANDS in {r["protocol"] for r in rows}:
        notes.append(
            "Speech Commands: sources report on all of v0.02 and its ten words; the slice has "
            "2,035 clips of v0.01, and its silence is noise made by program."
        )
    notes.append(
        "Seconds are of one fit, features computed before, medians over runs; "
        f"{torch.get_num_threads()} threads. Epochs are those published unless the table says "
        "fewer than the recipe."
    )
    pictures = draw(rows, tables, arguments.folder)
    path = write_report(
        "reference_systems", "Published systems and this library's best", tables, notes,
        folder=arguments.folder, pictures=pictures,
    )  # fmt: skip
    print(path.read_text())


def draw(rows, tables, folder):
    """Bars of the systems on held-out speakers, with a dot a speaker, and what `best` confuses."""
    import matplotlib.pyplot as plt
    from sklearn.metrics import ConfusionMatrixDisplay

    pictures = {}
    table = tables.get(TITLES["digits-speakers"])
    if table:
        figure, ax = plt.subplots(figsize=(8, 0.4 * len(table) + 1.2), layout="constrained")
        table = sorted(table, key=lambda row: float(row["mean"]))
        for i, entry in enumerate(table):
            shown = "digits-speakers", entry["system"], entry["epochs"]
            runs = [r for r in rows if (r["protocol"], r["system"], r["epochs"]) == shown]
            own = entry["system"].startswith("best")
            ax.barh(i, float(entry["mean"]), color="tab:blue" if own else "lightgray")
            ax.plot([r["accuracy"] for r in runs], [i] * len(runs), "k.", markersize=4)
        ax.set_yticks(range(len(table)), [row["system"] for row in table])
        ax.set(xlim=(0, 1), xlabel="Accuracy on the speaker held out; dots: speakers and seeds")
        figure.savefig(folder / "reference_systems.png", dpi=120)
        plt.close(figure)
        pictures["Systems on speakers never heard before"] = "reference_systems.png"
    for protocol, title in (("digits-speakers", "digits"), (COMMANDS, "commands")):
        runs = [r for r in rows if (r["protocol"], r["system"]) == (protocol, "best")]
        if not runs:
            continue
        y = clips(protocol)[1]
        figure, ax = plt.subplots(figsize=(6, 5.5), layout="constrained")
        ConfusionMatrixDisplay.from_predictions(
            np.concatenate([y[r["test"]] for r in runs]),
            np.concatenate([r["answers"] for r in runs]),
            ax=ax, cmap="Blues", colorbar=False, normalize="true", values_format=".2f",
            xticks_rotation="vertical" if protocol == COMMANDS else "horizontal",
        )  # fmt: skip
        file = f"reference_systems_{title}.png"
        figure.savefig(folder / file, dpi=120)
        plt.close(figure)
        pictures[f"What the best recipe confuses among {title}"] = file
    return pictures


def main():
    every = list(dict.fromkeys(name for p in TITLES for name in systems(p)))
    recipes = [row["name"] for row in list_recipes(details=True) if row["task"] != "phones"]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--recipes", nargs="+", choices=list(dict.fromkeys([*recipes, *every])))
    parser.add_argument("--protocols", nargs="+", choices=list(TITLES), default=list(TITLES))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--max-epochs", type=int, help="cap; otherwise what was published")
    parser.add_argument("--folds", type=int, help="only so many of each protocol")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--log", type=Path, default=LOG)
    parser.add_argument("--folder", type=Path, default=RESULTS, help="where reports are written")
    parser.add_argument("--report", action="store_true", help="run nothing, only report")
    arguments = parser.parse_args()
    if COMMANDS in arguments.protocols:
        try:
            clips(COMMANDS)
        except OSError as error:
            print(f"protocol {COMMANDS!r} is left out: {error}", flush=True)
            arguments.protocols.remove(COMMANDS)
    if not arguments.report:
        run(arguments)
    report(arguments)


if __name__ == "__main__":
    main()
