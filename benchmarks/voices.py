"""Number of speakers needed: learning curves by speaker, and rejection of words not enrolled.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/voices.py [--parts digits commands enrolment]

FOLDER holds ``fsdd/recordings`` (otherwise they are downloaded) and
``speech_commands_many/clips.csv``. Two systems: cepstra of each third of a clip (means and
deviations) with a support vector machine, which learns from the given clips alone; and the recipe
``best-pretrained``, whose weights are Google's, trained on some 200 million clips. Their columns
do not compare as systems that learn from the same data. Features are computed once. Prints tables,
writes nothing.
"""

import argparse
import functools
import time

import numpy as np
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_speech import (
    MFCC,
    AudioReader,
    PrototypeClassifier,
    TemporalPooling,
    fetch_fsdd,
    get_data_home,
    learning_curve_by_speaker,
    load_speech_manifest,
    make_recipe,
)

RATE = 16000

SCRATCH = "MFCC statistics, from scratch"
PRETRAINED = "best-pretrained, pretrained weights"


@functools.cache
def digits():
    """FSDD, and its features by system."""
    return _with_features(fetch_fsdd())


@functools.cache
def commands():
    """Speech Commands, and its features by system."""
    folder = get_data_home() / "speech_commands_many"
    return _with_features(load_speech_manifest(folder / "clips.csv"))


def _with_features(speech):
    extractors = {
        SCRATCH: make_pipeline(
            AudioReader(RATE),
            MFCC(sample_rate=RATE),
            TemporalPooling(("mean", "std"), n_segments=3),
        ),
        PRETRAINED: make_recipe("best-pretrained")[:-2],
    }
    return speech, {name: steps.fit_transform(speech.data) for name, steps in extractors.items()}


def show_curves(title, speech, features, **kwargs):
    """Print the curves of both systems."""
    heads = {
        SCRATCH: make_pipeline(StandardScaler(), SVC(C=10)),
        PRETRAINED: make_recipe("best-pretrained", random_state=0)[-2:],
    }
    for name, X in features.items():
        start = time.perf_counter()
        curve = learning_curve_by_speaker(
            heads[name], X, speech.target, speech.speaker, random_state=0, **kwargs
        )
        seconds = time.perf_counter() - start
        print(f"{title}, {name}, {seconds:.0f} s without features\n{curve}\n", flush=True)


def show_digits():
    """FSDD: six speakers, each held out in turn."""
    show_curves("FSDD", *digits(), n_draws=3)


def show_commands():
    """Speech Commands: a fifth of the speakers held out, in one of five folds, two draws."""
    speech, features = commands()
    splits = list(GroupKFold(5).split(speech.target, groups=speech.speaker))[:1]
    sizes = [16, 32, 64, 128, 256, 512, 1024]
    title = "Speech Commands, 16 words"
    show_curves(title, speech, features, cv=splits, n_speakers=sizes, n_draws=2)


def show_enrolment():
    """Enrol five words with k clips each; the test also has eight words not seen in training.

    The clips of a word come from up to k speakers. Clips of three further words help to choose
    the threshold; the test has the five words and the eight others, by other speakers.
    """
    speech, features = commands()
    y, speakers = np.asarray(speech.target), np.asarray(speech.speaker)
    print("Speech Commands, 5 words of 16, 8 never heard; threshold for 5 %; means of 10 draws")
    print(f"{'system':36}  clips  rejected  confused  accepted, never heard")
    for name, X in features.items():
        for k in (1, 2, 5, 10, 50):
            rates = [_enrol(X, y, speakers, k, np.random.default_rng(i)) for i in range(10)]
            cells = "  ".join(f"{share:8.3f}" for share in np.mean(rates, axis=0))
            print(f"{name:36}  {k:5}  {cells}", flush=True)


def _enrol(X, y, speakers, k, rng):
    order = rng.permutation(np.unique(y))
    known, other, unseen = order[:5], order[5:8], order[8:]
    names = rng.permutation(np.unique(speakers))
    train = np.isin(speakers, names[: len(names) // 2])
    enrolled = [
        rng.permutation(np.flatnonzero(train & (y == word)))[: k if word in known else 50]
        for word in np.concatenate([known, other])
    ]
    rows = np.concatenate(enrolled)
    labels = np.where(np.isin(y, known), y, "unknown")
    classifier = make_pipeline(
        StandardScaler(with_mean=False), PrototypeClassifier(metric="cosine", threshold="auto")
    )
    classifier.fit(X[rows], labels[rows], prototypeclassifier__groups=speakers[rows])
    truth, answers = y[~train], classifier.predict(X[~train])
    accepted, is_known = answers != "unknown", np.isin(truth, known)
    return (
        (~accepted)[is_known].mean(),
        (accepted & (answers != truth))[is_known].mean(),
        accepted[np.isin(truth, unseen)].mean(),
    )


PARTS = {"digits": show_digits, "commands": show_commands, "enrolment": show_enrolment}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    for part in parser.parse_args().parts:
        PARTS[part]()


if __name__ == "__main__":
    main()
