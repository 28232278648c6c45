"""Words that are tones, a classifier of them that is quick to fit, and recordings."""

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_speech import MelSpectrogram, PadOrTrim, SlidingWindow, TemporalPooling

RATE = 8000
WINDOW = 1600  # samples: 0.2 s
WORDS = {"low": 400.0, "high": 1500.0}


def hiss(seconds, seed=0, level=0.001):
    rng = np.random.default_rng(seed)
    return (level * rng.normal(size=round(seconds * RATE))).astype(np.float32)


def tone(word, seconds=0.12, level=0.3):
    return (
        level * np.sin(2 * np.pi * WORDS[word] * np.arange(round(seconds * RATE)) / RATE)
    ).astype(np.float32)


def recording(events, seconds, seed=1):
    """Noise with tones at known times, and the events: (recording 0, word, start, end)."""
    sound = hiss(seconds, seed)
    rows = []
    for word, start in events:
        clip = tone(word)
        at = round(start * RATE)
        sound[at : at + len(clip)] += clip
        rows.append((0, word, at / RATE, (at + len(clip)) / RATE))
    return sound, rows


def pipeline(*front, n_times=WINDOW):
    front = front or (MelSpectrogram(RATE, n_mels=20),)
    return make_pipeline(
        PadOrTrim(n_times=n_times),
        *front,
        TemporalPooling(n_segments=5),
        StandardScaler(),
        LogisticRegression(),
    )


def detector(**parameters):
    """A fitted detector of the two words."""
    parameters = {
        "step": 0.02,
        "smoothing": 0.06,
        "min_distance": 0.1,
        "n_shifts": 15,
        "random_state": 0,
    } | parameters
    clips = [tone(word, level=level) for level in (0.3, 0.1) for word in WORDS]
    return SlidingWindow(pipeline(), **parameters).fit(
        clips, list(WORDS) * 2, groups=["ann", "ann", "bob", "bob"], background=[hiss(3)]
    )


def clips_and_labels(n=12, seed=0):
    """Windows of noise and of tones, to fit a pipeline with."""
    rng = np.random.default_rng(seed)
    X = np.stack([hiss(WINDOW / RATE, seed=i) for i in range(n)])
    y = np.array(["low", "high", "other"] * (n // 3))
    for clip, word in zip(X, y):
        if word in WORDS:
            at = rng.integers(0, WINDOW // 4)
            clip[at : at + 960] += tone(word)
    return X, y
