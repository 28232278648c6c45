"""The comparisons by which ``pretrained.py`` chose the settings of its recipes.

They use the training list of Speech Commands alone, and hold out speakers.
"""

import itertools

import numpy as np
from pretrained_recordings import FAST, HEARD, RATE, features, made, recordings
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
    make_recipe,
)
from sklearn_speech.modules.moonshine import MoonshineEncoderNet

STATISTICS = ("mean", "std", "min", "max")


POOLINGS = {
    "mean": TemporalPooling("mean"),
    "mean, max": TemporalPooling(("mean", "max")),
    "mean, std, max": TemporalPooling(),
    "mean, std, min, max": TemporalPooling(STATISTICS),
    "mean, 3 parts": TemporalPooling("mean", n_segments=3),
    "mean, 5 parts": TemporalPooling("mean", n_segments=5),
    "mean, std, max, 2 parts": TemporalPooling(n_segments=2),
}


def classifier(pooling):
    return make_pipeline(
        clone(pooling), StandardScaler(), LogisticRegression(C=0.03, max_iter=300, random_state=0)
    )


def training_list():
    """Waveforms, labels and speakers of the training list of Speech Commands."""
    paths, y, speakers, _, ((train, _),) = recordings("words")
    return AudioReader(RATE).fit_transform(paths[train]), y[train], speakers[train]


def by_speakers(model, X, y, speakers):
    scores = cross_validate_by_speaker(model, X, y, speakers, cv=GroupKFold(5))["test_score"]
    return f"{np.mean(scores):.4f}"


def compare_pooling(options):
    """Accuracy of each pooling, on vectors with and without silence round the clip."""
    X, y, speakers = training_list()
    rows = []
    for center in (True, False):
        S = SpeechEmbedding(center=center).fit_transform(X)
        for name, pooling in POOLINGS.items():
            score = by_speakers(classifier(pooling), S, y, speakers)
            rows.append({"center": center, "pooling": name, "accuracy": score})
            print(rows[-1], flush=True)
    return rows


def compare_layers(options):
    """Accuracy of statistics of the last layer, of inner ones, and of several together."""
    X, y, speakers = training_list()
    tables = {
        layer: TemporalPooling(STATISTICS).fit_transform(
            SpeechEmbedding(layer=layer).fit_transform(X)
        )
        for layer in (17, 19, 20)
    }
    rows = []
    for layers in ((20,), (19,), (17,), (20, 19), (20, 17), (20, 19, 17)):
        table = np.hstack([tables[layer] for layer in layers])
        model = make_recipe("best-pretrained", random_state=0)[-2:]
        score = by_speakers(model, table, y, speakers)
        rows.append({"layers": ", ".join(map(str, layers)), "accuracy": score})
        print(rows[-1], flush=True)
    return rows


def by_voices_known(columns):
    """Accuracy on a third of the speakers of the training list, by the number of those known.

    Two and eight speakers are drawn from those of at least 18 clips, so that there are clips of
    most words. `columns` are the features and the model of each column of the table.
    """
    ((train, _),) = recordings("words")[-1]
    _, y, speakers, *_ = recordings("words")
    names, counts = np.unique(speakers[train], return_counts=True)
    talkative = names[counts >= 18]
    others = np.random.default_rng(5).permutation(np.setdiff1d(names, talkative))
    n_known = 2 * len(others) // 3
    test = np.isin(speakers, others[n_known:])
    plan = [(talkative, 2, 10), (talkative, 8, 6)]
    plan += [(others[:n_known], n, d) for n, d in ((32, 5), (128, 3), (n_known, 1))]
    rows = []
    for names, n_speakers, n_draws in plan:
        draws = [np.random.default_rng(i).permutation(names)[:n_speakers] for i in range(n_draws)]
        fits = [np.isin(speakers, known) for known in draws]
        row = {"speakers": n_speakers, "draws": n_draws}
        row["clips"] = round(np.mean([fit.sum() for fit in fits]))
        for column, (X, model) in columns.items():
            scores = [model.fit(X[fit], y[fit]).score(X[test], y[test]) for fit in fits]
            row[column] = f"{np.mean(scores):.4f}"
        rows.append(row)
        print(row, flush=True)
    return rows


def compare_strength(options):
    """Accuracy of each C."""
    X = features(True, FAST)
    models = {C: made(FAST, C=C, random_state=0)[-2:] for C in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)}
    return by_voices_known({f"C={C}": (X, model) for C, model in models.items()})


def compare_recognizer(options):
    """Accuracy with the encoder of a speech recogniser beside the embedding, and without."""
    return by_voices_known(
        {
            f"{name}, C={C}": (features(True, name), made(name, C=C, random_state=0)[-2:])
            for name, C in itertools.product((FAST, HEARD), (0.03, 1.0))
        }
    )


def compare_recognizer_settings(options):
    """Accuracy of the encoder of the recogniser alone, by its layer and by the silence around.

    Clips of speakers who said at least eight are cut closely, since clips of one second already
    have silence. Sixteen speakers are known, the others test.
    """
    X, y, speakers = training_list()
    names, counts = np.unique(speakers, return_counts=True)
    talkative = names[counts >= 8]
    kept = np.isin(speakers, talkative)
    clips, y, speakers = [closely_cut(x) for x in X[kept]], y[kept], speakers[kept]
    net = MoonshineEncoderNet
    rows = []
    half, hop, rate = net.window_length // 2, net.hop_length, net.sample_rate
    plan = [(6, n_silent) for n_silent in (0, 10, 20, 40)] + [(n, 10) for n in (5, 4, 3)]
    for layer, n_silent in plan:
        silence = half + n_silent * hop
        embedding = SpeechEmbedding(encoder="moonshine", layer=layer, center=False)
        padded = [np.pad(clip, silence) for clip in clips]
        table = TemporalPooling(STATISTICS).fit_transform(embedding.fit_transform(padded))
        scores = []
        for draw in range(10):
            known = np.random.default_rng(draw).permutation(talkative)[:16]
            fit = np.isin(speakers, known)
            model = make_recipe(FAST, random_state=0)[-2:].fit(table[fit], y[fit])
            scores.append(model.score(table[~fit], y[~fit]))
        row = {"layer": layer, "silence at both ends, s": f"{silence / rate:.3f}"}
        rows.append(row | {"accuracy": f"{np.mean(scores):.4f}"})
        print(rows[-1], flush=True)
    return rows


def closely_cut(clip):
    """From the first to the last 25 ms that are at most 30 dB softer than the loudest."""
    energy = np.convolve(clip**2, np.ones(400) / 400, "same")
    loud = np.flatnonzero(energy > 1e-3 * energy.max())
    return clip[loud[0] : loud[-1] + 1]
