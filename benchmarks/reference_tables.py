"""Tables and figures of the runs of ``reference_systems.py``."""

from collections import Counter
from itertools import product

import numpy as np
import reference_protocols as protocols
from report import write_report
from sklearn.metrics import f1_score

from sklearn_speech import list_recipes

#: Marks systems without saved single runs.
EARLIER = "†"


def summary(rows, protocol):
    """One row per system: mean, worst speaker, spread over seeds, and cost."""
    _, y, speakers = protocols.clips(protocol)
    tests = [test for _, test in protocols.folds(protocol, y, speakers)]
    known = {row["name"]: row for row in list_recipes(details=True)}
    table = []
    for system, (recipe, _) in protocols.systems(protocol).items():
        runs = [r for r in rows if (r["protocol"], r["system"]) == (protocol, system)]
        earlier = [r["earlier"] for r in runs if "earlier" in r]
        runs = [r for r in runs if "earlier" not in r]
        measured = False
        for epochs in sorted({r["epochs"] for r in runs}):
            group = [r for r in runs if r["epochs"] == epochs]
            seeds = sorted({r["seed"] for r in group})
            whole = [s for s in seeds if sum(r["seed"] == s for r in group) == len(tests)]
            if whole:
                measured = True
                group = [r for r in group if r["seed"] in whole]
                table.append(
                    {
                        "system": system,
                        **_quality(group, whole, y, tests, protocol),
                        "parameters": group[0]["parameters"],
                        "epochs": epochs,
                        "processor s a fit": _median(group, "processor_seconds"),
                        "clock s a fit": _median(group, "seconds"),
                        "seeds": len(whole),
                        "its source reports": protocols.REPORTED.get((system, protocol), "-")
                        if protocol in protocols.DIGITS[1:]
                        else known[recipe]["published"] or "-",
                    }
                )
        if not measured:
            table += [{**row, "system": f"{system} {EARLIER}"} for row in earlier]
    return table


#: What an option of a keyword system changes, by the value it has otherwise.
CHANGES = {
    "setting": {"B": "mel filters are trained", "C": "STFT is trained", "D": "both are trained"},
    "input_norm": {"batch": "features are normalised"},
    "filterbank": {"fastaudio": "filters of FastAudio instead of nnAudio"},
    "n_mels": {10: "10 bands instead of 40", 20: "20 bands instead of 40"},
    "masked_bins": {(25, 49): "bins 25 to 49 are masked"},
    "random_mel": {True: "mel filters start at random"},
    "frontend__lr": {
        1e-4: "the front end learns at a tenth of the rate",
        1e-6: "the front end learns at a thousandth of the rate",
        1e-9: "the front end learns at a millionth of the rate",
    },
}
#: Values without a change. A fixed front end learns nothing, at any rate.
USUAL = {"setting": "A", "frontend__lr": 1e-3}


def one_change(rows):
    """What one change does to keyword systems: accuracies of pairs that differ in it alone."""
    found = {}
    for row in rows:
        if row["protocol"] == protocols.MANY and row["seed"] == 0 and "accuracy" in row:
            recipe, options = protocols.systems(protocols.MANY)[row["system"]]
            short = {name.partition("classifier__")[2] or name: v for name, v in options.items()}
            key = frozenset((USUAL | short).items())
            found[recipe, row["epochs"], key] = row["accuracy"]
    table = []
    recipes = dict.fromkeys(recipe for recipe, *_ in found)
    normal = {"normalised": True, "as they are": False}
    for recipe, option, (state, is_normal) in product(recipes, CHANGES, normal.items()):
        for value, words in CHANGES[option].items():
            pairs = []
            for (name, epochs, key), accuracy in found.items():
                normalised = ("input_norm", "batch") in key
                if name != recipe or (option, value) not in key or normalised != is_normal:
                    continue
                rest = key - {(option, value)}
                before = rest | ({(option, USUAL[option])} if option in USUAL else set())
                if (name, epochs, before) in found:
                    pairs.append((found[name, epochs, before], accuracy))
            if pairs:
                before, after = np.mean(pairs, axis=0)
                gains = np.diff(pairs, axis=1)
                table.append(
                    {
                        "system": recipe,
                        "change": words,
                        "features": "-" if option == "input_norm" else state,
                        "pairs": len(pairs),
                        "before": f"{before:.3f}",
                        "after": f"{after:.3f}",
                        "gain, least to most": f"{gains.min():+.3f} to {gains.max():+.3f}",
                    }
                )
    return table


def _median(group, name):
    return round(float(np.median([r[name] for r in group])), 1)


def _quality(group, seeds, y, tests, protocol):
    by_seed = {s: [r for r in group if r["seed"] == s] for s in seeds}
    measure = "restored" if "restored" in group[0] else "accuracy"
    by_fold = [
        [r[measure] for r in sorted(runs, key=lambda r: r["fold"])] for runs in by_seed.values()
    ]
    means = np.mean(by_fold, axis=1)
    spread = f"{np.std(means, ddof=1):.3f}" if len(seeds) > 1 else "-"
    quality = {"mean": f"{means.mean():.3f}", "sd over seeds": spread}
    if protocol == "digits-speakers":
        quality["worst speaker"] = f"{np.mean(by_fold, axis=0).min():.3f}"
    if "answers" in group[0]:
        trained = np.mean([r["train_accuracy"] for r in group])
        quality["on training clips"] = f"{trained:.3f}"
        quality["clips a second"] = round(np.median([r["clips_per_second"] for r in group]))
    if protocol == protocols.COMMANDS:
        scores = []
        for runs in by_seed.values():
            scores.append(f1_score(*_answered(runs, y, tests), average="macro"))
        quality["macro F1"] = f"{np.mean(scores):.3f}"
    return quality


def _answered(runs, y, tests):
    """Labels and predictions of all test clips of the runs."""
    labels = np.concatenate([y[tests[r["fold"]]] for r in runs])
    return labels, np.concatenate([r["answers"] for r in runs])


def dead_networks(rows):
    """Note on runs that predict one class for all test clips; empty if there are none."""
    judged = [row for row in rows if "answers" in row]
    runs = Counter((row["system"], row["protocol"]) for row in judged)
    dead = Counter(
        (row["system"], row["protocol"]) for row in judged if len(set(row["answers"])) == 1
    )
    listed = ", ".join(f"{' ('.join(of)}: {n} of {runs[of]} runs)" for of, n in dead.items())
    note = f"Networks that died in training, the same answer to every clip: {listed}."
    return [note] if dead else []


def write_tables(rows, folder):
    """Write the tables and figures of runs.

    Parameters
    ----------
    rows : list of dict
        Lines of the log.
    folder : path
    """
    tables, notes = {}, []
    folder.mkdir(parents=True, exist_ok=True)
    for protocol in protocols.TITLES:
        table = summary(rows, protocol) if any(r["protocol"] == protocol for r in rows) else []
        restored = [row for row in table if "autoencoder" in row["system"]]
        judged = [row for row in table if row not in restored]
        if judged:
            tables[protocols.TITLES[protocol]] = judged
        if restored:
            caption = (
                "FSDD, each of six speakers held out: share of the picture's variance restored"
            )
            tables[caption] = restored
    changes = one_change(rows)
    if changes:
        tables["Keywords of 1,554 speakers: pairs of systems that differ in one thing"] = changes
        n_clips = next(len(r["answers"]) for r in rows if r["protocol"] == protocols.MANY)
        notes.append(
            f"Pairs: mean accuracies without and with the change, after equally many epochs, and "
            f"the gains of the single pairs; one seed, {n_clips} validation clips, so that the "
            f"standard error of one accuracy is up to {0.5 / n_clips**0.5:.3f}."
        )
    if not tables:
        print("no system has finished all folds of a protocol")
        return
    if protocols.COMMANDS in {r["protocol"] for r in rows}:
        notes.append(
            "Speech Commands: sources report on all of v0.02 and its ten words; the slice has "
            "2,035 clips of v0.01, and its silence is noise made by program."
        )
    threads = sorted({r["threads"] for r in rows if "threads" in r})
    notes.append(
        "Seconds are of one fit, features computed before, medians over runs; threads: "
        f"{', '.join(map(str, threads))}. Epochs are those published unless the table says "
        "fewer than the recipe."
    )
    notes += dead_networks(rows)
    if any(EARLIER in row["system"] for table in tables.values() for row in table):
        notes.append(f"{EARLIER} Measured with the same settings before single runs were kept.")
    pictures = draw([r for r in rows if "earlier" not in r], tables, folder)
    path = write_report(
        "reference_systems", "Published systems and this library's best", tables, notes,
        folder=folder, pictures=pictures,
    )  # fmt: skip
    print(path.read_text())


def draw(rows, tables, folder):
    """Bar charts of the systems with a dot per speaker, and confusion matrices of `best`."""
    import matplotlib.pyplot as plt
    from sklearn.metrics import ConfusionMatrixDisplay

    pictures = {}
    table = tables.get(protocols.TITLES["digits-speakers"])
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
    for protocol, title in (("digits-speakers", "digits"), (protocols.COMMANDS, "commands")):
        runs = [r for r in rows if (r["protocol"], r["system"]) == (protocol, "best")]
        if not runs:
            continue
        _, y, speakers = protocols.clips(protocol)
        tests = [test for _, test in protocols.folds(protocol, y, speakers)]
        figure, ax = plt.subplots(figsize=(6, 5.5), layout="constrained")
        ConfusionMatrixDisplay.from_predictions(
            *_answered(runs, y, tests),
            ax=ax, cmap="Blues", colorbar=False, normalize="true", values_format=".2f",
            xticks_rotation="vertical" if protocol == protocols.COMMANDS else "horizontal",
        )  # fmt: skip
        file = f"reference_systems_{title}.png"
        figure.savefig(folder / file, dpi=120)
        plt.close(figure)
        pictures[f"What the best recipe confuses among {title}"] = file
    return pictures
