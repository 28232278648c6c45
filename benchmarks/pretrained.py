"""What a pretrained speech embedding gives: pooling, layers, words of new voices, speed.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/pretrained.py
        [--parts pooling layers words digits two speed] [--recipes best-pretrained best-finetuned]
        [--speakers george nicolas]

FOLDER holds ``fsdd/recordings`` (otherwise they are downloaded) and, for the choice of pooling,
``speech_commands_many/clips.csv``. Poolings and layers are compared by words of Speech Commands:
five groups of speakers of the official training list held out in turn, and the official validation
list. The digits choose nothing. ``best-vote`` takes minutes for each speaker of the digits. The
weights are Google's, trained on some 200 million clips: no figure here compares to those of
networks that learn from the given clips alone. Prints tables, writes nothing.
"""

import argparse
import itertools
import time
import warnings

import numpy as np
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_speech import (
    AudioReader,
    SpeechEmbedding,
    TemporalPooling,
    cross_validate_by_speaker,
    fetch_fsdd,
    get_data_home,
    load_speech_manifest,
    make_recipe,
)

RATE = 16000
STATISTICS = ("mean", "std", "min", "max")

POOLINGS = {
    "mean": TemporalPooling("mean"),
    "mean, max": TemporalPooling(("mean", "max")),
    "mean, std, max": TemporalPooling(),
    "mean, std, min, max": TemporalPooling(("mean", "std", "min", "max")),
    "mean, 3 parts": TemporalPooling("mean", n_segments=3),
    "mean, 5 parts": TemporalPooling("mean", n_segments=5),
    "mean, std, max, 2 parts": TemporalPooling(n_segments=2),
}


def classifier(pooling, C):
    return make_pipeline(
        clone(pooling), StandardScaler(), LogisticRegression(C=C, max_iter=300, random_state=0)
    )


def commands(read=True):
    """Words of Speech Commands, their waveforms, and which clips are of the training list."""
    speech = load_speech_manifest(get_data_home() / "speech_commands_many" / "clips.csv")
    X = AudioReader(RATE).fit_transform(speech.data) if read else None
    return speech, X, speech.official_split != "validation"


def show_pooling(options):
    """Accuracy of each pooling, on vectors with and without silence round the clip."""
    speech, X, train = commands()
    y, speakers, validation = speech.target, speech.speaker, ~train
    print(
        "Speech Commands, 16 words, accuracy: training list by held-out speakers / validation list"
    )
    for center in (False, True):
        S = SpeechEmbedding(center=center).fit_transform(X)
        for (name, pooling), C in itertools.product(POOLINGS.items(), (0.003, 0.01, 0.03)):
            model = classifier(pooling, C)
            scores = cross_validate_by_speaker(
                model, S[train], y[train], speakers[train], cv=GroupKFold(5)
            )["test_score"]
            last = clone(model).fit(S[train], y[train]).score(S[validation], y[validation])
            print(f"center={center!s:<6}{name:<25}C={C:<6}{np.mean(scores):7.4f}{last:8.4f}")


def show_layers(options):
    """Accuracy of statistics of the last layer, of inner ones, and of several together."""
    speech, X, train = commands()
    y, speakers = speech.target, speech.speaker
    tables = {
        layer: TemporalPooling(STATISTICS).fit_transform(
            SpeechEmbedding(layer=layer).fit_transform(X)
        )
        for layer in (17, 19, 20)
    }
    print("Speech Commands, 16 words: training list by held-out speakers / validation list")
    for layers in ((20,), (19,), (17,), (20, 19), (20, 17), (20, 19, 17)):
        table = np.hstack([tables[layer] for layer in layers])
        model = make_recipe("best-pretrained", random_state=0)[-2:]
        scores = cross_validate_by_speaker(
            model, table[train], y[train], speakers[train], cv=GroupKFold(5)
        )["test_score"]
        last = clone(model).fit(table[train], y[train]).score(table[~train], y[~train])
        print(f"layers {layers!s:<15}{np.mean(scores):7.4f}{last:8.4f}", flush=True)


def show_words(options):
    """The recipes on the official validation list of Speech Commands."""
    speech, _, train = commands(read=False)
    paths = np.asarray(speech.data)
    for name in options.recipes:
        start = time.perf_counter()
        model = make_recipe(name, random_state=0).fit(paths[train], speech.target[train])
        score = model.score(paths[~train], speech.target[~train])
        seconds = time.perf_counter() - start
        print(f"{name}: Speech Commands, validation list {score:.4f}; {seconds:.0f} s", flush=True)


def show_digits(options):
    """The recipes on FSDD, each speaker held out in turn."""
    speech = fetch_fsdd()
    paths, y, speakers = (np.asarray(a) for a in (speech.data, speech.target, speech.speaker))
    for name in options.recipes:
        start, found = time.perf_counter(), {}
        for speaker in options.speakers or np.unique(speakers):
            known = speakers != speaker
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "sample_rate=8000 Hz is below")
                model = make_recipe(name, sample_rate=8000, random_state=0)
                model.fit(paths[known], y[known])
                found[speaker] = model.score(paths[~known], y[~known])
        scores = list(found.values())
        each = " ".join(f"{speaker} {score:.3f}" for speaker, score in found.items())
        print(
            f"{name}: FSDD, five voices known: mean {np.mean(scores):.4f}, worst "
            f"{min(scores):.3f}, {each}; {time.perf_counter() - start:.0f} s in all",
            flush=True,
        )


def show_two(options):
    """The recipe trained on every pair of FSDD's speakers, tested on the other four."""
    speech = fetch_fsdd()
    speakers, y = np.asarray(speech.speaker), np.asarray(speech.target)
    model = make_recipe("best-pretrained", random_state=0)
    S = model[:2].fit_transform(speech.data)
    scores = []
    for pair in itertools.combinations(np.unique(speakers), 2):
        known = np.isin(speakers, pair)
        fitted = clone(model[2:]).fit(S[known], y[known])
        scores += [
            fitted.score(S[speakers == other], y[speakers == other])
            for other in np.unique(speakers[~known])
        ]
    print(f"FSDD, two voices known, 15 pairs: mean {np.mean(scores):.4f}, worst {min(scores):.3f}")


def show_speed(options):
    """Clips of 1 s a second on one core, and the fit of the recipe on 2,500 digits."""
    torch.set_num_threads(1)
    X = np.random.default_rng(0).normal(scale=0.1, size=(200, RATE)).astype(np.float32)
    for center in (False, True):
        embedding = SpeechEmbedding(center=center).fit(X)
        embedding.transform(X[:20])
        times = []
        for _ in range(3):
            start = time.perf_counter()
            embedding.transform(X)
            times.append(time.perf_counter() - start)
        print(f"clips of 1 s, center={center}: {len(X) / min(times):.0f} a second on one core")
    speech = fetch_fsdd()
    known = np.asarray(speech.speaker) != "theo"
    paths, y = np.asarray(speech.data)[known], np.asarray(speech.target)[known]
    start = time.perf_counter()
    make_recipe("best-pretrained", random_state=0).fit(paths, y)
    print(f"fit of best-pretrained on {len(y)} clips: {time.perf_counter() - start:.1f} s")


PARTS = {
    "pooling": show_pooling,
    "layers": show_layers,
    "words": show_words,
    "digits": show_digits,
    "two": show_two,
    "speed": show_speed,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--recipes", nargs="+", default=["best-pretrained", "best-finetuned"])
    parser.add_argument("--speakers", nargs="+", help="speakers of the digits to hold out")
    options = parser.parse_args()
    for part in options.parts:
        PARTS[part](options)


if __name__ == "__main__":
    main()
