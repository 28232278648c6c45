"""Does a network that knows other words of other speakers help, and an autoencoder?

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/transfer.py [--speakers 8 32 128] [--draws 3]

FOLDER holds ``speech_commands_many/clips.csv``. The speakers are divided into two halves. The first
half gives the source: a network learns nine words (not digits), and an autoencoder learns all clips
without labels. The second half says the digits zero to five: a few of its speakers train the same
network, from scratch, from the layers of the source, or from the autoencoder; the others test it.
Each number of speakers is drawn several times. No parameter was chosen by these scores. Takes four
minutes on one core, and writes ``results/transfer.md``.
"""

import argparse
import time
import zlib

import numpy as np
from report import write_report
from sklearn.frozen import FrozenEstimator

from sklearn_speech import (
    AudioReader,
    ConvAutoencoder,
    MelSpectrogram,
    PadOrTrim,
    SpectrogramCNNClassifier,
    get_data_home,
    load_speech_manifest,
)

RATE = 16000
DIGITS = ("zero", "one", "two", "three", "four", "five")


def network(n_layers, pretrainer=None, **parameters):
    return SpectrogramCNNClassifier(
        n_layers,
        pretrainer=None if pretrainer is None else FrozenEstimator(pretrainer),
        batch_size=32,
        **parameters,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--speakers", nargs="+", type=int, default=[8, 32, 128])
    parser.add_argument("--draws", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=10, help="epochs of the source")
    options = parser.parse_args()
    speech = load_speech_manifest(get_data_home() / "speech_commands_many" / "clips.csv")
    waves = PadOrTrim(n_times=RATE).fit_transform(AudioReader(RATE).fit_transform(speech.data))
    X = MelSpectrogram(RATE, n_mels=40, hop_length=256).fit_transform(waves)
    y, speakers = speech.target, speech.speaker
    first = np.array([zlib.crc32(str(speaker).encode()) % 2 == 0 for speaker in speakers])
    digit = np.isin(y, DIGITS)
    start = time.perf_counter()
    source = network(4, max_epochs=options.epochs, random_state=0)
    source.fit(X[first & ~digit], y[first & ~digit])
    seconds = time.perf_counter() - start
    print(
        f"source: {np.sum(first & ~digit)} clips, "
        f"{seconds:.0f} s; accuracy on the same words of the other half "
        f"{source.score(X[~first & ~digit], y[~first & ~digit]):.3f}",
        flush=True,
    )
    start = time.perf_counter()
    coder = ConvAutoencoder(3, max_epochs=3, random_state=0).fit(X[first])
    print(f"autoencoder: {first.sum()} clips, {time.perf_counter() - start:.0f} s", flush=True)
    systems = {
        "from scratch": lambda seed: network(4, random_state=seed),
        "source, frozen": lambda seed: network(
            0, source, freeze_pretrained=True, random_state=seed
        ),
        "source, fine-tuned": lambda seed: network(
            0, source, freeze_pretrained=5, pretrained_lr=3e-4, random_state=seed
        ),
        "autoencoder": lambda seed: network(1, coder, random_state=seed),
    }
    names, rows = np.unique(speakers[~first & digit]), []
    for n_speakers in options.speakers:
        scores, n_clips = {name: [] for name in systems}, []
        for draw in range(options.draws):
            known = np.random.default_rng(draw).choice(names, n_speakers, replace=False)
            train = digit & np.isin(speakers, known)
            n_clips.append(train.sum())
            test = digit & ~first & ~np.isin(speakers, known)
            for name, make in systems.items():
                scores[name].append(make(draw).fit(X[train], y[train]).score(X[test], y[test]))
        rows.append({"speakers": n_speakers, "clips": round(np.mean(n_clips))})
        rows[-1] |= {
            name: f"{np.mean(found):.3f} ({min(found):.3f} to {max(found):.3f})"
            for name, found in scores.items()
        }
        print(rows[-1], flush=True)
    known = first & ~digit
    note = (
        "Mean accuracy on the digits zero to five by speakers of the second half who did not "
        f"train, with the least and the most of {options.draws} draws of speakers. The source "
        f"learned {known.sum()} clips of nine other words by {len(np.unique(speakers[known]))} "
        f"other speakers, the autoencoder {first.sum()} clips of the first half without labels."
    )
    title = "Layers of a network that knows other words of other speakers"
    write_report("transfer", title, {"Speech Commands, six digits": rows}, [note])


if __name__ == "__main__":
    main()
