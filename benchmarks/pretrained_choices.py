"""The comparisons by which ``pretrained.py`` chose the settings of its recipes.

They use the training list of Speech Commands alone, and hold out speakers.
"""

import numpy as np
from pretrained_recordings import FAST, RATE, features, recordings
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


def compare_strength(options):
    """Accuracy of each C on a third of the speakers of the training list, by those it knows.

    Two and eight speakers are drawn from those of at least 18 clips, so that there are clips of
    most words.
    """
    X, ((train, _),) = features(True, FAST), recordings("words")[-1]
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
        row = {"speakers": n_speakers, "draws": n_draws}
        row["clips"] = round(np.mean([np.isin(speakers, known).sum() for known in draws]))
        for C in (0.01, 0.03, 0.1, 0.3, 1.0, 3.0):
            model = make_recipe(FAST, C=C, random_state=0)[-2:]
            fits = [np.isin(speakers, known) for known in draws]
            scores = [model.fit(X[fit], y[fit]).score(X[test], y[test]) for fit in fits]
            row[f"C={C}"] = f"{np.mean(scores):.4f}"
        rows.append(row)
        print(row, flush=True)
    return rows
