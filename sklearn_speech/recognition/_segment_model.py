"""How each phone sounds, learned from sequences without times."""

from itertools import pairwise

import numpy as np
from scipy.fft import dct
from sklearn.base import BaseEstimator

from ._alignment import forced_alignment

N_CEPSTRA = 13
#: Shortest phone, in seconds.
SHORTEST_PHONE = 0.03
#: What a pause between phones costs, in nats.
PAUSE_PENALTY = 20.0
#: Frames of all kinds that the variance of a phone is smoothed by, and its least share of theirs.
_N_SMOOTHING, _LEAST_VARIANCE = 5, 0.1
#: Share of the range of levels under which a frame is silent to begin with.
_SILENT = 0.35
#: Longest silence, in seconds, behind which sound without a peak belongs to the phones before.
_LONGEST_CLOSURE = 0.15
#: Frames of the longest segment where a stretch is cut, or this many times the mean.
_LONGEST_SEGMENT, _LONGER = 100, 4


class SegmentModel(BaseEstimator):
    """One Gaussian of cepstra for each phone, and one for silence.

    A network trained by CTC says which phones a stretch of sound holds, but not where
    each begins: it names them as soon as it knows, often all at once. To begin with,
    each stretch is cut where its parts are most alike in themselves; then each phone's
    Gaussian is estimated from its frames, and segments are the most probable ones, in
    turns.

    Parameters
    ----------
    n_phones : int, default=1
    frame_period : float, default=0.01
        Seconds from one frame to the next.
    n_iter : int, default=2
        Turns.

    Attributes
    ----------
    means_, variances_ : ndarray of shape (n_phones + 1, n_features)
        Silence first.

    References
    ----------
    L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in
    speech recognition", Proc. IEEE 77(2), 1989: segmental k-means.
    """

    def __init__(self, n_phones=1, frame_period=0.01, n_iter=2):
        self.n_phones = n_phones
        self.frame_period = frame_period
        self.n_iter = n_iter

    def fit(self, spectrograms, sequences, peaks):
        """Learn.

        Parameters
        ----------
        spectrograms : list of ndarray of shape (n_bands, n_frames)
        sequences : list of list of int
            Codes from 1 on.
        peaks : list of ndarray of shape (n_phones_of_clip,)
            Frame at which the network heard each phone.

        Returns
        -------
        self : object
        """
        features = [cepstra(S) for S in spectrograms]
        paths = [
            first_segments(S, x, p, self.frame_period)
            for S, x, p in zip(spectrograms, features, peaks)
        ]
        everything = np.concatenate(features)
        for turn in range(self.n_iter):
            if turn:
                paths = [self.align(x, codes) for x, codes in zip(features, sequences)]
            labels = np.concatenate(
                [np.array([0, *codes])[path + 1] for path, codes in zip(paths, sequences)]
            )
            self._estimate(everything, labels)
        return self

    def _estimate(self, x, labels):
        variance = x.var(0) + 1e-8
        shape = (self.n_phones + 1, x.shape[1])
        self.means_, self.variances_ = (
            np.tile(x.mean(0), (shape[0], 1)),
            np.tile(variance, (shape[0], 1)),
        )
        for label in np.unique(labels):
            own = x[labels == label]
            spread = len(own) * own.var(0) + _N_SMOOTHING * variance
            self.means_[label] = own.mean(0)
            self.variances_[label] = spread / (len(own) + _N_SMOOTHING)
        self.variances_ = np.maximum(self.variances_, _LEAST_VARIANCE * variance)

    def align(self, features, codes):
        """The most probable path; see :func:`forced_alignment`."""
        precision = 1 / self.variances_
        log_probs = -0.5 * (
            features**2 @ precision.T
            - 2 * features @ (self.means_ * precision).T
            + (self.means_**2 * precision + np.log(self.variances_)).sum(1)
        )
        n_repeats = sum(a == b for a, b in pairwise(codes))
        room = len(features) // max(len(codes) + n_repeats, 1)
        least = min(frames_in(SHORTEST_PHONE, self.frame_period), max(room, 1))
        path, _ = forced_alignment(log_probs, codes, min_frames=least, pause_penalty=PAUSE_PENALTY)
        return path


def cepstra(spectrogram):
    """Cepstra and their slopes, free of a clip's loudness and colour.

    Parameters
    ----------
    spectrogram : ndarray of shape (n_bands, n_frames)
        On a logarithmic scale.

    Returns
    -------
    features : ndarray of shape (n_frames, 2 * min(13, n_bands))
    """
    S = np.asarray(spectrogram, dtype=float)
    level = S.mean(0)
    sounding = level >= (level.min() + level.max()) / 2
    S = S - S[:, sounding].mean(1, keepdims=True)
    S = S / (S[:, sounding].std() + 1e-8)
    c = dct(S, axis=0, norm="ortho")[:N_CEPSTRA]
    wide = np.pad(c, ((0, 0), (2, 2)), mode="edge")
    slopes = (2 * (wide[:, 4:] - wide[:, :-4]) + wide[:, 3:-1] - wide[:, 1:-3]) / 10
    return np.concatenate([c, slopes]).T


def frames_in(seconds, frame_period):
    """Whole frames in a stretch of time, at least one."""
    return max(1, round(seconds / frame_period))


def first_segments(spectrogram, features, peaks, frame_period):
    """Segments by sound alone: as many in each stretch of sound as it has peaks.

    Parameters
    ----------
    spectrogram : ndarray of shape (n_bands, n_frames)
        On a logarithmic scale.
    features : ndarray of shape (n_frames, n_features)
        What :func:`cepstra` gives; slopes play no part.
    peaks : ndarray of shape (n_phones,)
        Frames, rising.
    frame_period : float
        In seconds.

    Returns
    -------
    path : ndarray of shape (n_frames,)
        Position of the phone that each frame belongs to, -1 for silence.

    Examples
    --------
    >>> sound = np.repeat([[0, 0], [5, 1], [1, 6], [0, 0.0]], 3, axis=0).T
    >>> first_segments(sound, cepstra(sound), np.array([4, 5]), 0.01).tolist()
    [-1, -1, -1, 0, 0, 0, 1, 1, 1, -1, -1, -1]
    """
    level = np.asarray(spectrogram, dtype=float).mean(0)
    quiet = level < level.min() + _SILENT * (level.max() - level.min())
    quiet[peaks] = False
    sound = features[:, : features.shape[1] // 2]
    least = frames_in(SHORTEST_PHONE, frame_period)
    path = np.full(len(level), -1)
    for start, stop, phones in _stretches(quiet, peaks, frames_in(_LONGEST_CLOSURE, frame_period)):
        cuts = change_points(sound[start:stop], len(phones), least)
        for phone, (a, b) in zip(phones, pairwise(cuts)):
            path[start + a : start + b] = phone
    return path


def _stretches(quiet, peaks, longest_gap):
    """Start, end and positions of the peaks of each stretch of sound that has peaks.

    One without, such as a burst behind a closure, goes to the nearest one that is near.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[True], quiet, [True]]).astype(int)))
    pairs = edges.reshape(-1, 2).tolist()
    phones = [np.flatnonzero((peaks >= a) & (peaks < b)) for a, b in pairs]
    kept = [[a, b, own] for (a, b), own in zip(pairs, phones) if len(own)]
    for (a, b), own in zip(pairs, phones):
        if len(own) or not kept:
            continue
        gaps = [max(stretch[0] - b, a - stretch[1]) for stretch in kept]
        if min(gaps) <= longest_gap:
            nearest = kept[int(np.argmin(gaps))]
            nearest[:2] = min(nearest[0], a), max(nearest[1], b)
    return [stretch for stretch in kept if stretch[1] - stretch[0] >= len(stretch[2])]


def change_points(x, n_segments, min_frames=1):
    """Cut into segments whose frames differ least from their means, in sum of squares.

    Parameters
    ----------
    x : ndarray of shape (n_frames, n_features)
    n_segments : int
        At most n_frames.
    min_frames : int, default=1
        Of a segment; less where there are too few.

    Returns
    -------
    cuts : list of int, of length n_segments + 1
        From 0 to n_frames.

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
    # far longer than the others no segment is, or long stretches would fill the memory
    max_frames = min(n_frames, max(_LONGEST_SEGMENT, _LONGER * -(-n_frames // n_segments)))
    lengths = np.arange(min_frames, max_frames + 1)
    starts = np.arange(n_frames + 1)[:, None] - lengths
    cost = np.full(starts.shape, np.inf)  # by end and length
    sums = np.concatenate([np.zeros((1, x.shape[1])), np.cumsum(x, axis=0)])
    squares = np.concatenate([[0.0], np.cumsum((x**2).sum(1))])
    for i, length in enumerate(lengths):
        inside = sums[length:] - sums[: n_frames + 1 - length]
        cost[length:, i] = squares[length:] - squares[: n_frames + 1 - length]
        cost[length:, i] -= (inside**2).sum(1) / length
    best = np.full(n_frames + 1, np.inf)
    best[0] = 0.0
    chosen = []
    for _ in range(n_segments):
        total = cost + best[starts.clip(0)]
        at = total.argmin(1)
        chosen.append(lengths[at])
        best = total[np.arange(n_frames + 1), at]
    cuts = [n_frames]
    for length in reversed(chosen):
        cuts.append(int(cuts[-1] - length[cuts[-1]]))
    return cuts[::-1]
