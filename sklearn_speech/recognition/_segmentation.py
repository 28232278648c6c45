"""Segmentation of speech into phones by its spectrum alone."""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Shortest phone, in seconds.
SHORTEST_PHONE = 0.03
#: A frame is silent if its level is below this fraction of the clip's range of levels.
_SILENCE_LEVEL = 0.35
#: Longest silence within a phone, such as the closure of a stop, in seconds.
_LONGEST_CLOSURE = 0.15
#: Longest segment, the larger of a number of frames and a multiple of the mean length.
_MAX_FRAMES, _MAX_MEANS = 100, 4


def frames_in(seconds: float, frame_period: float) -> int:
    """Number of frames in a duration, rounded, at least one."""
    return max(1, round(seconds / frame_period))


def initial_segments(
    spectrogram: ArrayLike,
    features: NDArray,
    peaks: NDArray[np.int_],
    frame_period: float,
) -> NDArray[np.int_]:
    """Divide each region of sound between silences into as many segments as it has peaks.

    Parameters
    ----------
    spectrogram : ndarray of shape (n_bands, n_frames)
        On a logarithmic scale.
    features : ndarray of shape (n_frames, n_features)
        Cepstra and deltas, as returned by ``cepstra``; only the cepstra are used.
    peaks : ndarray of shape (n_phones,)
        Frame of each phone's highest posterior, in ascending order.
    frame_period : float
        Time between two frames, in seconds.

    Returns
    -------
    path : ndarray of shape (n_frames,)
        For each frame, the position of its phone in the sequence; -1 for silence.

    Examples
    --------
    >>> from sklearn_speech.recognition._segment_model import cepstra
    >>> sound = np.repeat([[0, 0], [5, 1], [1, 6], [0, 0.0]], 3, axis=0).T
    >>> initial_segments(sound, cepstra(sound), np.array([4, 5]), 0.01).tolist()
    [-1, -1, -1, 0, 0, 0, 1, 1, 1, -1, -1, -1]
    """
    level = np.asarray(spectrogram, dtype=float).mean(0)
    silent = level < level.min() + _SILENCE_LEVEL * (level.max() - level.min())
    silent[peaks] = False
    static = features[:, : features.shape[1] // 2]
    min_frames = frames_in(SHORTEST_PHONE, frame_period)
    longest_gap = frames_in(_LONGEST_CLOSURE, frame_period)
    path = np.full(len(level), -1)
    for start, stop, phones in _regions(silent, peaks, longest_gap):
        cuts = change_points(static[start:stop], len(phones), min_frames)
        for phone, (a, b) in zip(phones, pairwise(cuts)):
            path[start + a : start + b] = phone
    return path


def _regions(
    silent: NDArray[np.bool_], peaks: NDArray[np.int_], longest_gap: int
) -> list[tuple[int, int, NDArray[np.int_]]]:
    """Start, end and phones (positions of peaks) of each region of sound that has a peak.

    A region without a peak, such as the burst after a closure, is merged into the nearest
    region with one, if the gap between them is short enough.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[True], silent, [True]]).astype(int)))
    bounds = edges.reshape(-1, 2).tolist()
    phones = [np.flatnonzero((peaks >= start) & (peaks < stop)) for start, stop in bounds]
    kept = [(start, stop, own) for (start, stop), own in zip(bounds, phones) if len(own)]
    for (start, stop), own in zip(bounds, phones):
        if len(own) or not kept:
            continue
        gaps = [max(other_start - stop, start - other_stop) for other_start, other_stop, _ in kept]
        nearest = int(np.argmin(gaps))
        if gaps[nearest] <= longest_gap:
            other_start, other_stop, own = kept[nearest]
            kept[nearest] = (min(other_start, start), max(other_stop, stop), own)
    return [(start, stop, own) for start, stop, own in kept if stop - start >= len(own)]


def change_points(x: NDArray, n_segments: int, min_frames: int = 1) -> list[int]:
    """Divide a sequence into the segments with the least sum of squares about their means.

    Parameters
    ----------
    x : ndarray of shape (n_frames, n_features)
    n_segments : int
        At most n_frames.
    min_frames : int, default=1
        Minimum length of a segment. It is lowered to ``n_frames // n_segments`` if
        there are too few frames.

    Returns
    -------
    cuts : list of int, of length n_segments + 1
        Boundaries of the segments, from 0 to n_frames.

    References
    ----------
    R. Bellman, "On the approximation of curves by line segments using dynamic
    programming", Commun. ACM 4(6), 1961.

    Examples
    --------
    >>> change_points(np.array([[0.0], [0], [7], [7], [7], [2]]), 3)
    [0, 2, 5, 6]
    """
    n_frames = len(x)
    min_frames = min(min_frames, n_frames // n_segments)
    # memory is n_frames * max_frames, so that a limit is needed for long sequences
    max_frames = min(n_frames, max(_MAX_FRAMES, _MAX_MEANS * -(-n_frames // n_segments)))
    lengths = np.arange(min_frames, max_frames + 1)
    starts = np.arange(n_frames + 1)[:, None] - lengths
    cost = np.full(starts.shape, np.inf)  # of the segment with this end (row) and length (column)
    sums = np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum((x**2).sum(1))])
    for i, length in enumerate(lengths):
        inside = sums[length:] - sums[: n_frames + 1 - length]
        cost[length:, i] = squares[length:] - squares[: n_frames + 1 - length]
        cost[length:, i] -= (inside**2).sum(1) / length
    best = np.full(n_frames + 1, np.inf)
    best[0] = 0.0
    chosen = []
    for done in range(1, n_segments + 1):
        # ends that leave room for the other segments before and after
        left = n_segments - done
        lowest = max(done * min_frames, n_frames - left * max_frames)
        highest = min(done * max_frames, n_frames - left * min_frames)
        ends = slice(lowest, highest + 1)
        total = cost[ends] + best[starts[ends].clip(0)]
        column = total.argmin(1)
        chosen.append((lowest, lengths[column]))
        best = np.full(n_frames + 1, np.inf)
        best[ends] = np.take_along_axis(total, column[:, None], axis=1)[:, 0]
    cuts = [n_frames]
    for lowest, length in reversed(chosen):
        cuts.append(int(cuts[-1] - length[cuts[-1] - lowest]))
    return cuts[::-1]
