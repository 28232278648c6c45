"""Regression and multilabel classification for held-out speakers.

    SKLEARN_SPEECH_DATA=... python benchmarks/targets.py

- Synthetic digits: pitch of the speaker (Hz) and duration of the word (s), both known exactly.
- RAVDESS, actors 1 to 12: emotional intensity as a number (1 normal, 2 strong; the 4th field
  of the file name), and emotion and intensity together as nine labels.
- Speech Commands: both words in mixtures of two words by two speakers.

Takes some minutes on one core. No parameter was chosen by these scores.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from report import write_report
from sklearn.base import clone
from sklearn.linear_model import Ridge
from sklearn.metrics import average_precision_score, mean_absolute_error, r2_score, roc_auc_score
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_speech import (
    AudioReader,
    BCResNetRegressor,
    MelSpectrogram,
    PadOrTrim,
    SpectrogramCNNClassifier,
    SpectrogramCNNRegressor,
    SpectrogramLinearRegressor,
    StratifiedGroupShuffleSplit,
    load_speech_manifest,
    make_spoken_digits,
)

DATA = Path(os.environ.get("SKLEARN_SPEECH_DATA", "."))
WORDS = ("zero", "one", "two", "three", "four", "five", "right", "go", "up", "down")
EMOTIONS = ("neutral", "calm", "happy", "sad", "angry", "fearful", "disgust", "surprised")


def ridge_on_means():
    """The baseline: ridge regression on mean and deviation of each band."""
    summary = FunctionTransformer(lambda X: np.hstack([X.mean(axis=2), X.std(axis=2)]))
    return make_pipeline(summary, StandardScaler(), Ridge(alpha=10.0))


def out_of_fold(estimator, X, y, groups, method="predict"):
    """Predictions for each clip by a model trained without its speaker."""
    predicted = None
    for train, test in GroupKFold(4).split(X, y, groups):
        model = clone(estimator).fit(X[train], y[train])
        part = getattr(model, method)(X[test])
        if predicted is None:
            predicted = np.zeros((len(X), *part.shape[1:]))
        predicted[test] = part
    return predicted


def digits(epochs):
    """Pitch and duration of synthetic digits."""
    speech = make_spoken_digits(12, 3, random_state=0)
    rate = speech.sample_rate
    pitch = np.array([speech.speaker_info[name]["f0"] for name in speech.speaker])
    words = [[s for s in segments if s[2] != "h#"] for segments in speech.segments]
    seconds = np.array([(word[-1][1] - word[0][0]) / rate for word in words])
    y = np.column_stack([pitch, seconds])
    features = make_pipeline(
        PadOrTrim(n_times=rate),
        MelSpectrogram(sample_rate=rate, n_mels=40, n_fft=512, hop_length=128),
    )
    X = features.fit_transform(speech.data)
    models = {
        "Ridge on means of bands": ridge_on_means(),
        "SpectrogramLinearRegressor": SpectrogramLinearRegressor(max_epochs=epochs, random_state=0),
        "SpectrogramCNNRegressor": SpectrogramCNNRegressor(max_epochs=epochs, random_state=0),
        "BCResNetRegressor": BCResNetRegressor(max_epochs=epochs, random_state=0),
    }
    rows, best = [], None
    for name, model in models.items():
        predicted = out_of_fold(model, X, y, speech.speaker)
        if name == "SpectrogramCNNRegressor":
            best = predicted
        rows.append(
            {
                "model": name,
                "pitch, error (Hz)": mean_absolute_error(y[:, 0], predicted[:, 0]),
                "pitch, pooled R2": r2_score(y[:, 0], predicted[:, 0]),
                "duration, error (ms)": 1000 * mean_absolute_error(y[:, 1], predicted[:, 1]),
                "duration, pooled R2": r2_score(y[:, 1], predicted[:, 1]),
            }
        )
        print(rows[-1], flush=True)
    by_speaker = []
    for name in np.unique(speech.speaker):
        own = speech.speaker == name
        by_speaker.append(
            {
                "speaker": name,
                "voice": speech.speaker_info[name]["kind"],
                "pitch (Hz)": y[own, 0][0],
                "predicted, mean (Hz)": best[own, 0].mean(),
                "duration, error (ms)": 1000 * mean_absolute_error(y[own, 1], best[own, 1]),
                "duration, R2": r2_score(y[own, 1], best[own, 1]),
            }
        )
    return {
        f"Synthetic digits, {len(X)} clips of 12 speakers, 4 folds by speaker": rows,
        "Synthetic digits by held-out speaker, SpectrogramCNNRegressor": by_speaker,
    }


def ravdess(epochs):
    """Intensity as a number; emotion and intensity as labels."""
    speech = load_speech_manifest(DATA / "ravdess_actors_01_12" / "clips.csv")
    fields = [Path(str(path)).stem.split("-") for path in speech.data]
    intensity = np.array([float(field[3]) for field in fields])
    emotion = np.array([int(field[2]) - 1 for field in fields])
    labels = np.column_stack([np.eye(8, dtype=int)[emotion], intensity == 2]).astype(int)
    features = make_pipeline(
        AudioReader(sample_rate=16000),
        PadOrTrim(n_times=4 * 16000),
        MelSpectrogram(sample_rate=16000, n_mels=40, n_fft=1024, hop_length=512),
    )
    X = features.fit_transform(speech.data)
    regressor = SpectrogramCNNRegressor(max_epochs=epochs, random_state=0)
    classifier = SpectrogramCNNClassifier(max_epochs=epochs, random_state=0)
    number = out_of_fold(regressor, X, intensity, speech.speaker)
    baseline = out_of_fold(ridge_on_means(), X, intensity, speech.speaker)
    p = out_of_fold(classifier, X, labels, speech.speaker, "predict_proba")
    summary = [
        {
            "intensity by": name,
            "pooled R2": "" if kind == "label" else r2_score(intensity, value),
            "AUC": roc_auc_score(labels[:, 8], value),
        }
        for name, value, kind in (
            ("Ridge on means of bands", baseline, "number"),
            ("SpectrogramCNNRegressor", number, "number"),
            ("SpectrogramCNNClassifier, one of nine labels", p[:, 8], "label"),
        )
    ]
    names = [*EMOTIONS, "strong"]
    precision = [
        {
            "label": name,
            "share of clips": labels[:, j].mean(),
            "average precision": average_precision_score(labels[:, j], p[:, j]),
        }
        for j, name in enumerate(names)
    ]
    by_actor = []
    for name in np.unique(speech.speaker):
        own = speech.speaker == name
        by_actor.append(
            {
                "actor": name,
                "number: AUC of intensity": roc_auc_score(labels[own, 8], number[own]),
                "number: R2": r2_score(intensity[own], number[own]),
                "labels: AUC of intensity": roc_auc_score(labels[own, 8], p[own, 8]),
                "labels: emotion right": (p[own, :8].argmax(axis=1) == emotion[own]).mean(),
                "labels: mean average precision": average_precision_score(labels[own], p[own]),
            }
        )
    return {
        f"RAVDESS, {len(X)} clips of 12 actors, 4 folds by actor": summary,
        "RAVDESS, nine labels at once": precision,
        "RAVDESS by held-out actor": by_actor,
    }


def overlaid(speech, X, chosen, n_pairs, seed):
    """Pairs of clips of two words by two speakers, one over the other, and their labels."""
    rng = np.random.default_rng(seed)
    words = np.searchsorted(np.sort(WORDS), speech.target)
    pairs = []
    while len(pairs) < n_pairs:
        one, two = rng.choice(chosen, 2, replace=False)
        if words[one] != words[two] and speech.speaker[one] != speech.speaker[two]:
            pairs.append((one, two))
    one, two = np.array(pairs).T
    loudness = np.sqrt((X**2).mean(axis=1, keepdims=True))
    equal = X / np.maximum(loudness, 1e-6)
    waves = 0.05 * (equal[one] + equal[two])
    labels = np.zeros((n_pairs, len(WORDS)), dtype=int)
    labels[np.arange(n_pairs), words[one]] = labels[np.arange(n_pairs), words[two]] = 1
    return waves, labels


def two_words(epochs):
    """Mixtures of two words by held-out speakers."""
    speech = load_speech_manifest(DATA / "speech_commands_many" / "clips.csv")
    kept = np.isin(speech.target, WORDS)
    for name in ("data", "target", "speaker"):
        speech[name] = np.asarray(speech[name])[kept]
    read = make_pipeline(AudioReader(sample_rate=16000), PadOrTrim(n_times=16000))
    X = read.fit_transform(speech.data)
    split = StratifiedGroupShuffleSplit(1, test_size=0.25, random_state=0)
    train, test = next(split.split(X, speech.target, speech.speaker))
    mel = MelSpectrogram(sample_rate=16000, n_mels=40, n_fft=512, hop_length=256)
    clips, labels = overlaid(speech, X, train, 2500, 0)
    mixtures, truth = overlaid(speech, X, test, 800, 1)
    clips, mixtures = mel.fit_transform(clips), mel.transform(mixtures)
    net = SpectrogramCNNClassifier(max_epochs=epochs, random_state=0).fit(clips, labels)
    p = net.predict_proba(mixtures)
    top = np.argsort(p, axis=1)[:, -2:]
    found = np.take_along_axis(truth, top, axis=1).sum(axis=1)
    chance = 1 / (len(WORDS) * (len(WORDS) - 1) / 2)
    rows = [
        {"of 800 pairs of unheard speakers": text, "share": value, "by chance": by_chance}
        for text, value, by_chance in (
            ("both words are the two most probable", (found == 2).mean(), chance),
            ("one of them is", (found >= 1).mean(), 1 - 28 / 45),
            ("predict gives exactly these two", net.score(mixtures, truth), ""),
            ("mean average precision", average_precision_score(truth, p), truth.mean()),
            ("mean AUC", roc_auc_score(truth, p), 0.5),
        )
    ]
    return {f"Two of {len(WORDS)} Speech Commands words at once": rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--epochs", type=int, default=15)
    options = parser.parse_args()
    tables = {}
    for part in (digits, ravdess, two_words):
        tables |= part(options.epochs)
        path = write_report(
            "targets",
            "Numbers and several labels",
            tables,
            [
                f"Networks: default settings, {options.epochs} epochs, one seed.",
                "R2 by speaker of a number that each speaker has one value of (pitch) is not "
                "defined: mean predictions stand in its place, and pooled R2 above.",
            ],
        )
        print(path, flush=True)


if __name__ == "__main__":
    main()
