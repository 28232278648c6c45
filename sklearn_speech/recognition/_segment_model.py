"""How each phone sounds, learned from sequences without times."""

from itertools import pairwise

import numpy as np
from scipy.fft import dct
from sklearn.base import BaseEstimator

from ._alignment import forced_alignment

N_CEPSTRA = 13
#: Fewest frames of a phone.
MIN_FRAMES = 3
#: What a pause between phones costs, in nats.
PAUSE_PENALTY = 20.0
#: Frames of all kinds that the variance of a phone is smoothed by, and its least share of theirs.
_N_SMOOTHING, _LEAST_VARIANCE = 5, 0.1
#: Share of the range of levels under which a frame is silent to begin with.
_SILENT = 0.35


class SegmentModel(BaseEstimator):
    """One Gaussian of cepstra for each phone, and one for silence.

    Begins with segments that meet half-way between the peaks of a network trained
    by CTC; then each phone's Gaussian is estimated from its frames, and segments
    are the most probable ones, in turns. What is alike stays together: that is
    what says where a phone begins, which CTC has no reason to learn.

    Parameters
    ----------
    n_phones : int, default=1
    n_iter : int, default=8
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

    def __init__(self, n_phones=1, n_iter=8):
        self.n_phones = n_phones
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
        paths = [half_way(S, p) for S, p in zip(spectrograms, peaks)]
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
        path, _ = forced_alignment(
            log_probs, codes, min_frames=max(1, min(MIN_FRAMES, room)), pause_penalty=PAUSE_PENALTY
        )
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


def half_way(spectrogram, peaks):
    """Segments that meet half-way between peaks, without the silent frames.

    Parameters
    ----------
    spectrogram : ndarray of shape (n_bands, n_frames)
    peaks : ndarray of shape (n_phones,)
        Frames, rising.

    Returns
    -------
    path : ndarray of shape (n_frames,)
        Position of the phone that each frame belongs to, -1 for silence.

    Examples
    --------
    >>> half_way(np.array([[0, 5, 6, 6, 5, 0.0]]), np.array([1, 4])).tolist()
    [-1, 0, 0, 1, 1, -1]
    """
    level = np.asarray(spectrogram, dtype=float).mean(0)
    middles = (peaks[1:] + peaks[:-1]) / 2
    path = np.searchsorted(middles, np.arange(len(level)), side="left")
    path[level < level.min() + _SILENT * (level.max() - level.min())] = -1
    path[peaks] = np.arange(len(peaks))
    return path if len(peaks) else np.full(len(level), -1)
