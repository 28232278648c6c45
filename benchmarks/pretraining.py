"""Gain of pretraining on digits of held-out speakers, with all labels and with few labels.

Run ``SKLEARN_SPEECH_DATA=FOLDER python benchmarks/pretraining.py [--quick]``, where FOLDER
contains ``fsdd/recordings`` (otherwise they are downloaded). Repeats the experiment of stacked
autoencoders on digit images with held-out speakers: convolutional networks with two and three
layers (6 x 6 kernels, stride 2) start from random weights, or from an autoencoder that was
trained on all clips of the training speakers, of which only a fraction has labels. The network,
the labels and the number of steps are the same in both cases. Two speakers are held out at a
time. Pretraining does not use labels, so that one autoencoder for each fold, seed and setting is
used for all fractions of labels. Every run is appended to ``results/pretraining_runs.jsonl`` and
is not repeated; ``--report`` only summarises the finished runs.
"""

import argparse
import itertools
import json
import time
from pathlib import Path

import numpy as np
from report import RESULTS, write_report
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.classification import SpectrogramCNNClassifier
from sklearn_speech.datasets import fetch_fsdd
from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.pretraining import ConvAutoencoder

RUNS = RESULTS / "pretraining_runs.jsonl"

#: Fraction of clips with a label, and number of epochs: more epochs for fewer labels.
SHARES = {1.0: 10, 0.1: 30, 0.02: 150}

#: Initialisation of the layers; parameters of the autoencoder and of the classifier.
STARTS = {
    "random": (None, {}),
    "stacked": ({}, {}),
    "stacked, frozen": ({}, {"freeze": 0.4}),
    "stacked, noise 0.5": ({"noise": 0.5}, {}),
    "stacked, masking 0.5": ({"masking": 0.5}, {}),
    "joint": ({"training": "joint"}, {}),
    "joint, masking 0.5": ({"training": "joint", "masking": 0.5}, {}),
    "stacked, fine-tuned": ({"fine_tune": 15}, {}),
    "joint, masking 0.5, frozen": ({"training": "joint", "masking": 0.5}, {"freeze": 0.5}),
}

#: Fractions of the training after which accuracy is recorded.
PARTS = (0.1, 0.2, 0.3, 0.5, 0.7, 1)

#: Pairs of held-out speakers, as positions in the sorted names.
FOLDS = ((0, 1), (2, 3), (4, 5))

#: Parameters of the layers of encoder and classifier, and of the head of the classifier.
NETWORKS = {
    "images": (
        {
            "kernel_size": 6, "stride": 2, "padding": "valid", "batch_norm": False,
            "input_norm": "batch",
        },
        {"head": "flatten"},
    ),
    "padded": (
        {"kernel_size": 5, "stride": 2, "padding": "same", "batch_norm": True,
         "input_norm": "batch"},
        {"head": "flatten"},
    ),
    "pooled": (
        {"kernel_size": 5, "stride": 2, "padding": "same", "batch_norm": True,
         "input_norm": "clip"},
        {"head": "mean_max"},
    ),
}  # fmt: skip


def images():
    """Spectrograms of 64 bands and 64 frames, labels and speakers."""
    speech = fetch_fsdd()
    features = make_pipeline(
        AudioReader(sample_rate=8000),
        PadOrTrim(n_times=8000),
        MelSpectrogram(8000, n_fft=512, win_length=256, hop_length=126, n_mels=64),
    )
    return features.fit_transform(speech.data), np.asarray(speech.target), speech.speaker


def make_autoencoder(depth, network, settings, arguments, seed):
    return ConvAutoencoder(
        depth,
        n_filters=[16, 32, 32][:depth],
        mirror="kernel",
        max_epochs=arguments.epochs,
        batch_size=32,
        random_state=seed,
        device=arguments.device,
        **NETWORKS[network][0],
        **settings,
    )


def make_classifier(depth, network, share, arguments, seed, pretrainer=None, freeze=0.0):
    layers, head = NETWORKS[network]
    common = {
        "max_epochs": SHARES[share], "batch_size": 32, "lr": 0.001, "random_state": seed,
        "device": arguments.device, **head,
    }  # fmt: skip
    if pretrainer is None:
        return SpectrogramCNNClassifier(
            depth, n_filters=[16, 32, 32][:depth], pool_size=1, **layers, **common
        )
    return SpectrogramCNNClassifier(
        0,
        pretrainer=FrozenEstimator(pretrainer),
        freeze_pretrained=int(freeze * SHARES[share]),
        **common,
    )


def labelled_clips(y, share, seed):
    """Positions of the clips that keep their label, equally many of each digit."""
    if share == 1.0:
        return np.arange(len(y))
    splitter = StratifiedShuffleSplit(1, train_size=share, random_state=seed)
    return next(splitter.split(y[:, None], y))[0]


class Watch(Callback):
    """Accuracy after some epochs, for the report; the result is that of the last epoch."""

    def __init__(self, X, y, n_epochs):
        self.X, self.y = X, y
        self.epochs = {max(1, round(part * n_epochs)) for part in PARTS}
        self.accuracy = []

    def on_epoch_end(self, net, **kwargs):
        if len(net.history_) in self.epochs:
            self.accuracy.append(round(float(np.mean(net.predict(self.X) == self.y)), 4))


def run_group(data, setting, shares, arguments):
    """Runs with the same autoencoder, one for each fraction of labels."""
    X, y, speakers = data
    depth, network, seed = setting["depth"], setting["network"], setting["seed"]
    held_out = np.isin(speakers, setting["speakers"])
    train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)
    settings, training = STARTS[setting["start"]]
    pretrainer, seconds = None, 0.0
    if settings is not None:
        began = time.perf_counter()
        # fitted without labels, so that one fit is valid for all fractions of labels
        pretrainer = make_autoencoder(depth, network, settings, arguments, seed).fit(X[train])
        seconds = time.perf_counter() - began
    for share in shares:
        few = labelled_clips(y[train], share, seed)
        labels = np.full(len(train), -1)
        labels[few] = y[train][few]
        classifier = make_classifier(depth, network, share, arguments, seed, pretrainer, **training)
        clips = train if pretrainer is not None else train[few]
        labels = labels if pretrainer is not None else labels[few]
        watch = Watch(X[test], y[test], SHARES[share])
        began = time.perf_counter()
        classifier.set_params(callbacks=[("watch", watch)]).fit(X[clips], labels)
        result = {
            "accuracy": watch.accuracy,
            "seconds": round(time.perf_counter() - began, 2),
            "pretraining_seconds": round(seconds, 2),
            "labels": len(few),
        }
        yield share, result


def run(arguments, data):
    earlier_runs = (
        [json.loads(line) for line in RUNS.read_text().splitlines()] if RUNS.exists() else []
    )
    known = {json.dumps(row["setting"]) for row in earlier_runs}
    RUNS.parent.mkdir(parents=True, exist_ok=True)
    names = np.unique(data[2])
    groups = itertools.product(
        range(arguments.seeds), arguments.folds, arguments.depths, arguments.networks,
        arguments.starts,
    )  # fmt: skip
    for seed, fold, depth, network, start in groups:
        setting = {
            "depth": depth, "network": network, "start": start,
            "speakers": [str(names[i]) for i in FOLDS[fold]], "seed": seed,
            "epochs": 0 if start == "random" else arguments.epochs,
        }  # fmt: skip
        missing = [
            share
            for share in arguments.shares
            if json.dumps({**setting, "share": share}) not in known
        ]
        results = run_group(data, setting, missing, arguments) if missing else []
        for share, result in results:
            row = {"setting": {**setting, "share": share}, **result}
            with RUNS.open("a") as file:
                file.write(json.dumps(row) + "\n")
            print(row["setting"], row["accuracy"][-1], f"{row['seconds']} s", flush=True)


def _by_fold_and_seed(rows):
    return {(r["setting"]["speakers"][0], r["setting"]["seed"]): r["accuracy"] for r in rows}


def summary(rows):
    """Mean over folds for each seed; then mean, spread and number of gains over seeds."""
    groups = {}
    for row in rows:
        s = row["setting"]
        groups.setdefault((s["depth"], s["network"], s["share"], s["start"]), []).append(row)
    final, curves = [], []
    for (depth, network, share, start), members in sorted(groups.items(), key=lambda g: str(g[0])):
        cell = _by_fold_and_seed(members)
        # the random start is the baseline
        rivals = groups.get((depth, network, share, "random"), []) if start != "random" else []
        plain = _by_fold_and_seed(rivals)
        shared = sorted(cell.keys() & plain.keys())
        gains = [cell[key][-1] - plain[key][-1] for key in shared]
        seeds = sorted({seed for _, seed in cell})
        by_seed = [np.mean([a[-1] for (_, s), a in cell.items() if s == seed]) for seed in seeds]
        name = {
            "layers": depth, "network": network, "labels": f"{100 * share:g} %", "start": start,
        }  # fmt: skip
        final.append(
            {
                **name,
                "accuracy": round(float(np.mean(by_seed)), 3),
                "sd over seeds": round(float(np.std(by_seed, ddof=1)), 3) if seeds[1:] else "-",
                "gain": round(float(np.mean(gains)), 3) if gains else "-",
                "sd of gain": round(float(np.std(gains, ddof=1)), 3) if gains[1:] else "-",
                "wins": f"{sum(g > 0 for g in gains)}/{len(gains)}" if gains else "-",
                "runs": len(members),
            }
        )
        means = np.mean([m["accuracy"] for m in members], axis=0)
        shown = {f"{100 * p:g} %": round(float(m), 3) for p, m in zip(PARTS, means)}
        curves.append({**name, **shown})
    return final, curves


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one fold, one seed, few labels")
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--report", action="store_true", help="only summarise the finished runs")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--depths", type=int, nargs="+", default=[2, 3])
    parser.add_argument("--shares", type=float, nargs="+", default=list(SHARES))
    parser.add_argument(
        "--starts", nargs="+", default=["random", "stacked", "stacked, noise 0.5"],
        choices=list(STARTS),
    )  # fmt: skip
    parser.add_argument("--networks", nargs="+", default=["images"], choices=list(NETWORKS))
    parser.add_argument("--epochs", type=int, default=8, help="epochs of each stage of pretraining")
    parser.add_argument("--device", default="auto")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.folds, arguments.seeds, arguments.shares = [0], 1, [0.02]
    if not arguments.report:
        run(arguments, images())
    rows = [json.loads(line) for line in Path(RUNS).read_text().splitlines()]
    rows = [row for row in rows if row["setting"]["epochs"] in (0, arguments.epochs)]
    final, curves = summary(rows)
    n_folds = len({row["setting"]["speakers"][0] for row in rows})
    n_seeds = len({row["setting"]["seed"] for row in rows})
    write_report(
        "pretraining",
        "Pretraining by autoencoders, on speakers never heard",
        {
            "Accuracy after the last epoch, and the gain over a random start": final,
            "Accuracy after shares of the epochs": curves,
        },
        [f"FSDD, {n_folds} of 3 pairs of speakers held out, {n_seeds} seeds; gains are of the same "
         "pair, seed and labels. No epoch is chosen by the speakers held out."],
    )  # fmt: skip


if __name__ == "__main__":
    main()
