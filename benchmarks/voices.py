"""Number of speakers needed: learning curves by speaker, and rejection of words not enrolled.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/voices.py [--parts digits commands enrolment]
        [--systems best "MFCC statistics, SVC"]

FOLDER holds ``fsdd/recordings`` (otherwise they are downloaded) and
``speech_commands_many/clips.csv``. Systems: cepstra of each third of a clip (means and
deviations) with a support vector machine, and the recipe ``best``, which learn from the given clips
alone; and the recipe ``best-pretrained``, whose weights are Google's, trained on some 200 million
clips, also with the encoder of a speech recogniser, trained on 200,000 hours. Its columns do not
compare to the others as those of systems that learn from the same data.
All train on the same draws of speakers and clips; ``best``, which takes minutes, on the first draw
and a few numbers of speakers. Takes a quarter of an hour on one core, and writes
``results/voices.md``; parts and systems that do not run keep their earlier results.
"""

import argparse
import functools
import json
import time

import numpy as np
from report import RESULTS, write_report
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

SCRATCH = "MFCC statistics, SVC"
BEST = "best"
PRETRAINED = "best-pretrained, pretrained weights"
HEARD = "best-pretrained, recognizer=True, pretrained weights"
SYSTEMS = (SCRATCH, BEST, PRETRAINED, HEARD)

#: Numbers of speakers of Speech Commands, and those that ``best``, which takes minutes, trains on.
SIZES, OF_BEST = [16, 32, 64, 128, 256, 512, 1024], [16, 64]

CAPTIONS = {
    "digits": "FSDD, ten digits, 25 clips a voice, each of six speakers held out",
    "commands": "Speech Commands, 15 words, 5 clips a voice, a fifth of 1,554 speakers held out",
    "enrolment": "Speech Commands, five words of 15 enrolled, eight never heard",
}


@functools.cache
def digits():
    """FSDD, and its waveforms."""
    speech = fetch_fsdd()
    return speech, AudioReader(8000).fit_transform(speech.data)


@functools.cache
def commands():
    """Speech Commands, and its waveforms."""
    speech = load_speech_manifest(get_data_home() / "speech_commands_many" / "clips.csv")
    return speech, AudioReader(RATE).fit_transform(speech.data)


@functools.cache
def features(read, name):
    """Features of a corpus that a system is trained on; ``best`` is trained on waveforms."""
    speech, waveforms = read()
    if name == BEST:
        return waveforms
    extractors = {
        SCRATCH: make_pipeline(
            AudioReader(RATE),
            MFCC(sample_rate=RATE),
            TemporalPooling(("mean", "std"), n_segments=3),
        ),
        PRETRAINED: make_recipe("best-pretrained")[:-2],
        HEARD: make_recipe("best-pretrained", recognizer=True)[:-2],
    }
    return extractors[name].fit_transform(speech.data)


def curves(read, sample_rate, sizes, sizes_of_best, systems, earlier, **kwargs):
    """A row for each number of speakers: means of all systems; others keep their `earlier` ones."""
    speech, _ = read()
    heads = {
        SCRATCH: make_pipeline(StandardScaler(), SVC(C=10)),
        PRETRAINED: make_recipe("best-pretrained", random_state=0)[-2:],
        HEARD: make_recipe("best-pretrained", recognizer=True, random_state=0)[-2:],
        BEST: make_recipe("best", sample_rate=sample_rate, reads="waveforms", random_state=0),
    }
    found = {(name, row["speakers"]): row.get(name, "-") for row in earlier for name in SYSTEMS}
    clips = {}
    for name in systems:
        X, start = features(read, name), time.perf_counter()
        curve = learning_curve_by_speaker(
            heads[name],
            X,
            speech.target,
            speech.speaker,
            n_speakers=sizes_of_best if name == BEST else sizes,
            n_draws=1 if name == BEST else 3,
            random_state=0,
            **kwargs,
        )
        print(f"{name}, {time.perf_counter() - start:.0f} s\n{curve}\n", flush=True)
        means = zip(curve.n_speakers, curve.mean())
        found |= {(name, int(n)): f"{score:.3f}" for n, score in means}
        clips |= {int(n): round(float(c)) for n, c in zip(curve.n_speakers, curve.n_clips)}
    clips = {row["speakers"]: row["clips"] for row in earlier} | clips
    return [
        {"speakers": n, "clips": clips[n]} | {name: found.get((name, n), "-") for name in SYSTEMS}
        for n in sizes
    ]


def show_digits(systems, earlier):
    """FSDD: six speakers, each held out in turn."""
    sizes = [1, 2, 4, 5], [1, 4]
    return curves(digits, 8000, *sizes, systems, earlier, clips_per_speaker=25)


def show_commands(systems, earlier):
    """Speech Commands: a fifth of the speakers held out, in one of five folds."""
    speech, _ = commands()
    splits = list(GroupKFold(5).split(speech.target, groups=speech.speaker))[:1]
    return curves(commands, RATE, SIZES, OF_BEST, systems, earlier, cv=splits)


def show_enrolment(systems, earlier):
    """Enrol five words with k clips each; the test also has eight words not seen in training.

    The clips of a word come from up to k speakers. Clips of three further words help to choose
    the threshold; the test has the five words and the eight others, by other speakers.
    """
    speech, _ = commands()
    y, speakers = np.asarray(speech.target), np.asarray(speech.speaker)
    rows = [row for row in earlier if row["features"] not in systems]
    for name in (name for name in systems if name != BEST):
        X = features(commands, name)
        for k in (1, 2, 5, 10, 50):
            rates = [_enrol(X, y, speakers, k, np.random.default_rng(i)) for i in range(10)]
            heads = "wrongly rejected", "confused", "falsely accepted, never heard"
            shares = (f"{share:.3f}" for share in np.mean(rates, axis=0))
            rows.append({"features": name, "clips a word": k, **dict(zip(heads, shares))})
            print(rows[-1], flush=True)
    return sorted(rows, key=lambda row: SYSTEMS.index(row["features"]))


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

NOTES = [
    "Accuracy. The weights of best-pretrained were trained on some 200 million other clips, with "
    "recognizer=True also on 200,000 hours, those of the others on the given clips alone. Means "
    "over the held-out speakers and over three draws of training speakers; best: the first draw.",
    "Enrolment: prototypes of words. The threshold accepts 5 % of the training clips of other "
    "words, by speakers that the prototypes did not see. Means of ten draws of words and speakers.",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=SYSTEMS)
    options = parser.parse_args()
    earlier = RESULTS / "voices.json"
    tables = json.loads(earlier.read_text())["tables"] if earlier.exists() else {}
    for part in options.parts:
        kept = tables.get(CAPTIONS[part], [])
        tables[CAPTIONS[part]] = PARTS[part](options.systems, kept)
        tables = {c: tables[c] for c in CAPTIONS.values() if c in tables}
        write_report("voices", "How many voices are needed", tables, NOTES)


if __name__ == "__main__":
    main()
