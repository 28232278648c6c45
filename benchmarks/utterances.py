"""Emotions of actors never heard: recipes for whole utterances against statistics of MFCC.

    SKLEARN_SPEECH_DATA=FOLDER python benchmarks/utterances.py

RAVDESS, actors 1 to 12: 720 clips of 3 to 5 s, eight emotions. Six folds of two actors each are
held out. All settings of a system, those in ``GRIDS``, are chosen by five folds of the other
actors (nested cross-validation). What is in ``GRIDS`` at all, and the defaults of the recipes, were
chosen on the same actors. Standardised by actor, a system knows who speaks, and several recordings
of the person, but not their labels.

The voice encoder needs ``pip install --no-deps resemblyzer``. Front ends are joined so that all
features of one have the same variance together as those of another ("balanced"); those of the pitch
have half of that.

What follows was tried with one fixed setting for all folds, not nested. From scratch, with a
logistic regression: mel bands 0.490, MFCC with derivatives 0.494, MFCC of windows of 64 ms 0.492,
the three together 0.583, with the contours of the pitch 0.615. The contours alone have 0.458, and
support vector machines on all of them 0.607. Of no use were silence cut off at both ends (0.549 to
0.565 instead of 0.585), percentiles instead of minimum and maximum (0.560), one part instead of
three (0.50), MFCC of the frequencies up to 1600 Hz (0.582), a vote of one classifier for each front
end (0.553), leaving out the directions in which actors differ (0.54), and copies of the training
clips with the mean and the spread of another actor (0.56 to 0.57).

With pretrained weights, layers 1, 2 and 3 of the voice encoder have 0.48, 0.63 and 0.585 alone, its
final vectors 0.49. All front ends in one table have 0.66 to 0.68, and the average of two
regressions, one of them on the voice encoder, 0.69: with fewer front ends, three voters, other
layers or weaker penalties it stays between 0.67 and 0.69. Copies of the training clips at other
speeds, which change pitch and formants as another voice would, take it from 0.675 to 0.70 with one
copy, 0.704 with two and 0.706 with three; without the voice encoder from 0.664 to 0.667, 0.672 and
0.678, and from scratch they change nothing (0.60 to 0.62). PitchShift gains less than other speeds.

What limits all of them are ten actors to learn from: relative to what is usual for an actor,
emotions are recognised far better.
"""

import argparse
import json
import os
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from report import RESULTS, write_report
from sklearn.base import clone
from sklearn.decomposition import KernelPCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from sklearn_speech import (
    MFCC,
    AudioReader,
    MelSpectrogram,
    PitchContour,
    SpeechEmbedding,
    TemporalPooling,
    cross_validate_by_speaker,
    load_speech_manifest,
    make_recipe,
    standardize_by_speaker,
)
from sklearn_speech.augmentation import SpeedPerturb
from sklearn_speech.classification._augmented_copies import add_copies
from sklearn_speech.utils.random import draw_seed

RATE = 16000
ALL = ("mean", "std", "min", "max")

#: Front ends without pretrained weights, and layers of the speech embedding.
SPECTRAL = ("mel40", "mfcc20d", "mfcc60")
LAYERS = ("embedding", "layer15", "layer13")
#: Variance of all features of a front end together, where front ends are balanced.
VARIANCE = {"pitch": 0.5, "voice": 5.0}


class Setting(NamedTuple):
    """What is chosen: front ends of each voter, statistics, parts, classifier."""

    voters: tuple
    n_segments: int
    classifier: object
    statistics: tuple = ALL
    balanced: bool = True
    n_copies: int = 0

    def __str__(self):
        fronts = " and ".join("+".join(voter) for voter in self.voters)
        copies = f", {self.n_copies} copies" if self.n_copies else ""
        return (
            f"{fronts}, {len(self.statistics)} statistics, {self.n_segments} parts, "
            f"C={self.classifier.C:g}{copies}"
        )


def _logistic(voters_of_systems, parts=(3,), values_of_c=(1, 3), balanced=True, copies=(0,)):
    return [
        Setting(voters, k, LogisticRegression(C=C, max_iter=1000), ALL, balanced, n_copies)
        for voters in voters_of_systems
        for k in parts
        for C in values_of_c
        for n_copies in copies
    ]


#: Candidates of each system.
GRIDS = {
    "MFCC statistics, SVC": [
        Setting(((front,),), 1, SVC(C=C), statistics, balanced=False)
        for front in ("mfcc13", "mfcc20")
        for statistics in (("mean", "std"), ALL)
        for C in (1, 10)
    ],
    "mel statistics": _logistic(
        [(("mel40",),), (("mel64",),)], (1, 3), (0.003, 0.01), balanced=False
    ),
    "best-utterance": _logistic([(SPECTRAL,), ((*SPECTRAL, "pitch"),)]),
    "mel statistics and embedding, pretrained weights": _logistic(
        [(("mel40", "embedding"),)], (1, 3), (0.003, 0.01), balanced=False
    ),
    "best-utterance-pretrained": _logistic([((*SPECTRAL, "pitch", *LAYERS),)], values_of_c=(1, 2)),
    "voice encoder, pretrained weights": _logistic([(("voice",),)], (1, 3), (1, 2)),
    "best-utterance-pretrained, voice_encoder=True": _logistic(
        [((*SPECTRAL, "pitch", *LAYERS), ("voice",))], values_of_c=(1, 2)
    ),
}
#: Changes of copies, as in the recipes.
CHANGES = [SpeedPerturb((0.85, 1.18))]
COPIED = "best-utterance-pretrained, voice_encoder=True, with copies"
GRIDS[COPIED] = _logistic(
    [((*SPECTRAL, "pitch", *LAYERS), ("voice",))], values_of_c=(1, 2), copies=(0, 1, 2)
)
#: Recipes with their parameters, whose defaults are measured too.
RECIPES = {
    "best-utterance": ("best-utterance", {}),
    "best-utterance-pretrained": ("best-utterance-pretrained", {}),
    "best-utterance-pretrained, voice_encoder=True": (
        "best-utterance-pretrained",
        {"voice_encoder": True},
    ),
    COPIED: (
        "best-utterance-pretrained",
        {"voice_encoder": True, "n_copies": 2, "random_state": 0},
    ),
}
#: The same features, standardised over the clips of each actor, without labels.
BY_ACTOR = "best-utterance-pretrained, standardised by actor"
GRIDS[BY_ACTOR] = GRIDS["best-utterance-pretrained"]


CAPTIONS = "RAVDESS, actors 1 to 12", "Settings that the inner folds chose"
COLUMNS = "accuracy, nested", "least and most", "accuracy, defaults", "seconds, defaults"
NOTE = (
    "Six folds of two actors each, eight emotions (chance 0.133). Seconds: files to scores of all "
    "six folds with the default settings, one thread."
)


def front_end_outputs(clips, names):
    """Features of the frames of all clips, by front end; each clip by itself."""
    fronts = {
        "mfcc13": MFCC(RATE),
        "mfcc20": MFCC(RATE, n_mfcc=20),
        "mfcc20d": MFCC(RATE, n_mfcc=20, deltas=2),
        "mfcc60": MFCC(RATE, n_fft=1024, hop_length=160, n_mels=100, n_mfcc=60),
        "mel40": MelSpectrogram(RATE, n_mels=40),
        "mel64": MelSpectrogram(RATE, n_mels=64),
        "pitch": PitchContour(RATE),
        "embedding": SpeechEmbedding(RATE),
        "layer15": SpeechEmbedding(RATE, layer=15),
        "layer13": SpeechEmbedding(RATE, layer=13),
        "voice": SpeechEmbedding(RATE, encoder="resemblyzer", layer=2),
    }
    return {name: fronts[name].fit_transform(clips) for name in sorted(names)}


def weigh(table, weights):
    """Columns times their weights."""
    return table * weights


class Tables:
    """Statistics of all clips, for each voter of each setting, computed once.

    `versions` are the outputs of the front ends, for the clips and for each copy of them.
    """

    def __init__(self, versions, speakers=None):
        self.versions, self.speakers, self.known = versions, speakers, {}

    def __call__(self, version, front, statistics, n_segments):
        key = version, front, statistics, n_segments
        if key not in self.known:
            pooling = TemporalPooling(statistics, n_segments=n_segments)
            table = pooling.fit_transform(self.versions[version][front]).astype(np.float64)
            by_actor = self.speakers is not None
            self.known[key] = standardize_by_speaker(table, self.speakers) if by_actor else table
        return self.known[key]


def predictions(setting, tables, y, train, test):
    """Labels of the test clips: of the only voter, or by the mean probability."""
    probabilities, pooled = [], (setting.statistics, setting.n_segments)
    for fronts in setting.voters:
        parts = [tables(0, front, *pooled) for front in fronts]
        copies = [
            np.hstack([tables(version, front, *pooled)[train] for front in fronts])
            for version in range(1, 1 + setting.n_copies)
        ]
        weights = np.concatenate(
            [
                np.full(
                    part.shape[1],
                    (VARIANCE.get(front, 1) / part.shape[1]) ** 0.5 if setting.balanced else 1.0,
                )
                for front, part in zip(fronts, parts)
            ]
        )
        # the rotation between saves time, and changes no distance
        model = make_pipeline(
            StandardScaler(),
            FunctionTransformer(weigh, kw_args={"weights": weights}),
            KernelPCA(),
            clone(setting.classifier),
        )
        table = np.hstack(parts)
        model.fit(np.vstack([table[train], *copies]), np.tile(y[train], 1 + setting.n_copies))
        if len(setting.voters) == 1:
            return model.predict(table[test])
        probabilities.append(model.predict_proba(table[test]))
    return model.classes_[np.mean(probabilities, axis=0).argmax(1)]


def nested(tables, settings, y, speakers):
    """Accuracy on each outer fold of the setting that the inner folds choose, and the choices."""
    scores, choices = [], []
    for train, test in GroupKFold(6).split(y, y, speakers):
        inner = [
            (train[a], train[b]) for a, b in GroupKFold(5).split(train, groups=speakers[train])
        ]
        best = max(
            settings,
            key=lambda setting: np.mean(
                [np.mean(predictions(setting, tables, y, a, b) == y[b]) for a, b in inner]
            ),
        )
        scores.append(np.mean(predictions(best, tables, y, train, test) == y[test]))
        choices.append(str(best))
    return np.array(scores), choices


def by_nested(name, versions, speech):
    """Columns of a system by nested cross-validation, and the rows of what was chosen."""
    tables = Tables(versions, speech.speaker if name == BY_ACTOR else None)
    scores, choices = nested(tables, GRIDS[name], speech.target, speech.speaker)
    columns = {
        "accuracy, nested": round(float(scores.mean()), 3),
        "least and most": f"{scores.min():.3f} to {scores.max():.3f}",
    }
    return columns, [{"system": name, "fold": i, "chosen": c} for i, c in enumerate(choices)]


def by_defaults(name, speech):
    """Columns of a recipe with its defaults."""
    recipe, parameters = RECIPES[name]
    model = make_recipe(recipe, **parameters)
    start = time.perf_counter()
    result = cross_validate_by_speaker(
        model, speech.data, speech.target, speech.speaker, cv=GroupKFold(6)
    )
    return {
        "accuracy, defaults": round(float(result["test_score"].mean()), 3),
        "seconds, defaults": round(time.perf_counter() - start, 1),
    }


def versions_of(speech, systems):
    """Features of the frames of all clips, and of each copy of them."""
    settings = [setting for name in systems for setting in GRIDS[name]]
    names = {front for setting in settings for voter in setting.voters for front in voter}
    clips = AudioReader(RATE).fit_transform(speech.data)
    n_copies = max(setting.n_copies for setting in settings)
    clips_and_copies = add_copies(clips, CHANGES, n_copies, draw_seed(0))
    return [
        front_end_outputs(clips_and_copies[first : first + len(clips)], names)
        for first in range(0, len(clips_and_copies), len(clips))
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", nargs="+", default=list(GRIDS), choices=list(GRIDS))
    parts = ["nested", "defaults"]
    parser.add_argument("--parts", nargs="+", default=parts, choices=parts)
    options = parser.parse_args()
    folder = Path(os.environ["SKLEARN_SPEECH_DATA"]) / "ravdess_actors_01_12"
    speech = load_speech_manifest(folder / "clips.csv")
    earlier = RESULTS / "utterances.json"
    tables = json.loads(earlier.read_text())["tables"] if earlier.exists() else {}
    results, chosen = (
        {name: [r for r in tables.get(caption, []) if r["system"] == name] for name in GRIDS}
        for caption in CAPTIONS
    )
    versions = versions_of(speech, options.systems) if "nested" in options.parts else []
    for name in options.systems:
        row = {"system": name, **dict.fromkeys(COLUMNS, "-")}
        row.update(*results[name])
        if "nested" in options.parts:
            columns, chosen[name] = by_nested(name, versions, speech)
            row.update(columns)
        if "defaults" in options.parts and name in RECIPES:
            row.update(by_defaults(name, speech))
        results[name] = [row]
        print(row, flush=True)
        tables = {
            caption: [row for name in GRIDS for row in rows[name]]
            for caption, rows in zip(CAPTIONS, (results, chosen))
        }
        write_report("utterances", "Emotions of actors never heard", tables, [NOTE])


if __name__ == "__main__":
    main()
