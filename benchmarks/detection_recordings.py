"""Recordings that are made by program: words at random distances in noise."""

import numpy as np

from sklearn_speech.datasets._noise_recordings import make_noise
from sklearn_speech.detection._levels import extent

RATE = 16000


def noise(seconds, seed, rate=RATE):
    """Noise of changing colour and level, in pieces of 16 s."""
    rng = np.random.default_rng(seed)
    pieces = []
    while sum(map(len, pieces)) < seconds * rate:
        level = rng.uniform(-60, -35)
        pieces.append(make_noise(rng.choice([0.0, 1.0, 2.0]), level, rate, int(rng.integers(1e6))))
    return np.concatenate(pieces)[: round(seconds * rate)].astype(np.float32)


def lay(clips, y, minutes, seed):
    """A recording of words at random distances in noise, and its keywords with their times."""
    rng = np.random.default_rng(seed)
    sound = noise(60 * minutes, seed)
    order, rows, at, k = rng.permutation(len(clips)), [], RATE, 0
    while True:
        i = order[k % len(order)]
        clip, k = clips[i], k + 1
        if at + len(clip) > len(sound) - RATE:
            return np.clip(sound, -1, 1), rows
        sound[at : at + len(clip)] += clip
        start, stop = extent(clip, RATE)
        if y[i] != "other":
            rows.append((y[i], (at + start) / RATE, (at + stop) / RATE))
        at += len(clip) + int(rng.exponential(2.5) * RATE)


def steady_noise(kind, level, seconds, rate, seed):
    """Noise of one kind at a level in dB."""
    if kind == "white":
        amplitude = 10 ** (level / 20)
        white = np.random.default_rng(seed).normal(size=seconds * rate)
        return (amplitude * white).astype(np.float32)
    slope = {"pink": 1.0, "brown": 2.0}[kind]
    n_pieces = -(-seconds // 16)
    pieces = [make_noise(slope, level, rate, 100 * seed + i) for i in range(n_pieces)]
    return np.concatenate(pieces)[: seconds * rate].astype(np.float32)
