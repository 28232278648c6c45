"""Emotions of actors never heard: recipes for whole utterances against statistics of MFCC.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/utterances.py

RAVDESS, actors 1 to 12: 720 clips of 3 to 5 s, eight emotions. Six folds of two actors each are
held out. All settings of a system, those in ``GRIDS``, are chosen by five folds of the other
actors (nested cross-validation). The recipes with their defaults are shown beside that; their
defaults were chosen on the same actors, so the nested figures are the honest ones. Standardised
by actor, a system knows who speaks, and several recordings of the person, but not their labels.

From scratch, statistics of further features help more than other classifiers do. Not nested, with a
logistic regression: mel bands 0.490, MFCC with derivatives 0.494, both 0.524; with cepstra of
windows of 64 ms, whose higher coefficients depend on the pitch, 0.585. More coefficients, longer
windows, derivatives, and one or five parts instead of three give no more, nor do support vector
machines (0.55). Pitch from the autocorrelation, correlations and modulations of bands, and
statistics of the loud frames alone have 0.574 together, beside mel bands and MFCC. With the
embedding, layer 9 beside layer 13 or instead of the last one gives no more, nor does the average of
the probabilities of two regressions (0.65, not nested). What limits all of them are ten actors to
learn from: relative to what is usual for an actor, emotions are recognised far better.
"""

import argparse
import json
import os
import time
from itertools import product
from pathlib import Path

import numpy as np
from report import RESULTS, write_report
from sklearn.decomposition import KernelPCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from sklearn_speech import (
    MFCC,
    AudioReader,
    MelSpectrogram,
    SpeechEmbedding,
    TemporalPooling,
    cross_validate_by_speaker,
    load_speech_manifest,
    make_recipe,
    standardize_by_speaker,
)

RATE = 16000
ALL = ("mean", "std", "min", "max")

#: Front ends of short windows, and one of 64 ms beside them.
SHORT = ("mel40", "mfcc20d")
SHORT_AND_LONG = (*SHORT, "mfcc60")

#: Features (front ends, statistics, segments) and classifiers of each system.
GRIDS = {
    "MFCC statistics, SVC": (
        [
            (fronts, statistics, 1)
            for fronts in (("mfcc13",), ("mfcc20",))
            for statistics in (("mean", "std"), ALL)
        ],
        [SVC(C=C) for C in (1, 10)],
    ),
    "mel statistics": (
        [((mel,), ALL, k) for mel in ("mel40", "mel64") for k in (1, 3)],
        [LogisticRegression(C=C, max_iter=1000) for C in (0.003, 0.01)],
    ),
    "best-utterance": (
        [(fronts, ALL, 3) for fronts in (SHORT, SHORT_AND_LONG)],
        [LogisticRegression(C=C, max_iter=1000) for C in (0.001, 0.003)],
    ),
    "mel statistics and embedding, pretrained weights": (
        [(("mel40", "embedding"), ALL, k) for k in (1, 3)],
        [LogisticRegression(C=C, max_iter=1000) for C in (0.003, 0.01)],
    ),
    "best-utterance-pretrained": (
        [((*SHORT_AND_LONG, "embedding", "layer13"), ALL, 3)],
        [LogisticRegression(C=C, max_iter=1000) for C in (0.003, 0.01)],
    ),
    "voice encoder, pretrained weights": (
        [(("voice",), ALL, k) for k in (1, 3)],
        [LogisticRegression(C=C, max_iter=1000) for C in (0.003, 0.01)],
    ),
    "best-utterance-pretrained, voice_encoder=True": (
        [((*SHORT_AND_LONG, "embedding", "layer13", "voice"), ALL, 3)],
        [LogisticRegression(C=C, max_iter=1000) for C in (0.001, 0.003)],
    ),
}
#: Recipes with their parameters, whose defaults are measured too.
RECIPES = {
    "best-utterance": ("best-utterance", {}),
    "best-utterance-pretrained": ("best-utterance-pretrained", {}),
    "best-utterance-pretrained, voice_encoder=True": (
        "best-utterance-pretrained",
        {"voice_encoder": True},
    ),
}
#: The same features, standardised over the clips of each actor, without labels.
BY_ACTOR = "best-utterance-pretrained, standardised by actor"
GRIDS[BY_ACTOR] = GRIDS["best-utterance-pretrained"]


def front_end_outputs(clips, names):
    """Features of the frames of all clips, by front end; each clip by itself."""
    fronts = {
        "mfcc13": MFCC(RATE),
        "mfcc20": MFCC(RATE, n_mfcc=20),
        "mfcc20d": MFCC(RATE, n_mfcc=20, deltas=2),
        "mfcc60": MFCC(RATE, n_fft=1024, hop_length=160, n_mels=100, n_mfcc=60),
        "mel40": MelSpectrogram(RATE, n_mels=40),
        "mel64": MelSpectrogram(RATE, n_mels=64),
        "embedding": SpeechEmbedding(RATE),
        "layer13": SpeechEmbedding(RATE, layer=13),
        "voice": SpeechEmbedding(RATE, encoder="resemblyzer", layer=2),
    }
    return {name: fronts[name].fit_transform(clips) for name in sorted(names)}


def with_classifier(classifier):
    """Standardise and classify; the rotation between saves time, and changes no distance."""
    return make_pipeline(StandardScaler(), KernelPCA(), classifier)


def nested(outputs, features, classifiers, y, speakers, actors_apart=False):
    """Accuracy on each outer fold of the setting that the inner folds choose, and the choices."""
    tables = {
        i: np.hstack(
            [TemporalPooling(stats, n_segments=k).fit_transform(outputs[f]) for f in fronts]
        ).astype(np.float64)
        for i, (fronts, stats, k) in enumerate(features)
    }
    if actors_apart:
        tables = {i: standardize_by_speaker(table, speakers) for i, table in tables.items()}
    scores, choices = [], []
    for train, test in GroupKFold(6).split(y, y, speakers):
        best = max(
            product(tables, classifiers),
            key=lambda setting: cross_val_score(
                with_classifier(setting[1]),
                tables[setting[0]][train],
                y[train],
                groups=speakers[train],
                cv=GroupKFold(5),
            ).mean(),
        )
        model = with_classifier(best[1]).fit(tables[best[0]][train], y[train])
        scores.append(model.score(tables[best[0]][test], y[test]))
        fronts, stats, k = features[best[0]]
        choices.append(f"{'+'.join(fronts)}, {len(stats)} statistics, {k} parts, C={best[1].C:g}")
    return np.array(scores), choices


def judge(name, outputs, speech, with_defaults):
    """Rows of a system for the two tables."""
    features, classifiers = GRIDS[name]
    y, speakers = speech.target, speech.speaker
    scores, choices = nested(
        outputs, features, classifiers, y, speakers, actors_apart=name == BY_ACTOR
    )
    row = {
        "system": name,
        "accuracy, nested": round(float(scores.mean()), 3),
        "least and most": f"{scores.min():.3f} to {scores.max():.3f}",
        "accuracy, defaults": "-",
        "seconds, defaults": "-",
    }
    if with_defaults and name in RECIPES:
        recipe, parameters = RECIPES[name]
        start = time.perf_counter()
        result = cross_validate_by_speaker(
            make_recipe(recipe, **parameters), speech.data, y, speakers, cv=GroupKFold(6)
        )
        row["accuracy, defaults"] = round(float(result["test_score"].mean()), 3)
        row["seconds, defaults"] = round(time.perf_counter() - start, 1)
    return row, [{"system": name, "fold": i, "chosen": c} for i, c in enumerate(choices)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=list(GRIDS), choices=list(GRIDS))
    parser.add_argument("--nested-only", action="store_true", help="leave the defaults out")
    options = parser.parse_args()
    systems = options.systems
    folder = Path(os.environ["SKLEARN_SPEECH_DATA"]) / "ravdess_actors_01_12"
    speech = load_speech_manifest(folder / "clips.csv")
    names = {front for name in systems for fronts, *_ in GRIDS[name][0] for front in fronts}
    outputs = front_end_outputs(AudioReader(RATE).fit_transform(speech.data), names)
    captions = "RAVDESS, actors 1 to 12", "Settings that the inner folds chose"
    earlier = RESULTS / "utterances.json"
    tables = json.loads(earlier.read_text())["tables"] if earlier.exists() else {}
    for name in systems:
        found = judge(name, outputs, speech, not options.nested_only)
        print(found[0], flush=True)
        for caption, rows in zip(captions, ([found[0]], found[1])):
            kept = [
                r for r in tables.get(caption, []) if r["system"] in GRIDS and r["system"] != name
            ]
            tables[caption] = sorted(kept + rows, key=lambda row: list(GRIDS).index(row["system"]))
        note = (
            "Six folds of two actors each, eight emotions (chance 0.133). Seconds: files to scores "
            "of all six folds with the default settings, one thread."
        )
        write_report("utterances", "Emotions of actors never heard", tables, [note])


if __name__ == "__main__":
    main()
