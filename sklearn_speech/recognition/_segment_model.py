"""Acoustic model of phones that is trained without phone times."""

from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import dct
from sklearn.base import BaseEstimator

from ..utils.sklearn_private import DocumentedMixin
from ._alignment import forced_alignment
from ._segmentation import SHORTEST_PHONE, frames_in, initial_segments

N_CEPSTRA = 13
#: Penalty for a pause between two phones, in nats.
PAUSE_PENALTY = 20.0
#: Weight, in frames, of the variance over all frames in the variance of a phone.
_PRIOR_FRAMES = 5
#: Lower limit of a phone's variance, as a fraction of the variance over all frames.
_MIN_VARIANCE = 0.1


class SegmentModel(DocumentedMixin, BaseEstimator):
    """Gaussian distribution of the cepstra of each phone, and of silence.

    A network trained with CTC knows the order of the phones, but not their boundaries:
    it may output several phones in quick succession. Training therefore starts from
    :func:`initial_segments`, which cuts the sound into homogeneous segments. It then
    alternates between estimating each phone's Gaussian from its frames, and finding the
    most probable segments under these Gaussians.

    Parameters
    ----------
    n_phones : int, default=1
        Number of different phones.
    frame_period : float, default=0.01
        Time between two frames, in seconds.
    n_iter : int, default=2
        Number of estimates of the Gaussians.

    Attributes
    ----------
    means_, variances_ : ndarray of shape (n_phones + 1, n_features)
        Parameters of the Gaussians; row 0 is silence.

    References
    ----------
    L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in
    speech recognition", Proc. IEEE 77(2), 1989: segmental k-means.
    """

    def __init__(self, n_phones: int = 1, frame_period: float = 0.01, n_iter: int = 2):
        self.n_phones = n_phones
        self.frame_period = frame_period
        self.n_iter = n_iter

    def fit(
        self,
        spectrograms: list[NDArray],
        sequences: list[list[int]],
        peaks: list[NDArray[np.int_]],
    ) -> "SegmentModel":
        """Estimate the Gaussians.

        Parameters
        ----------
        spectrograms : list of ndarray of shape (n_bands, n_frames)
            On a logarithmic scale.
        sequences : list of list of int
            Phones of each clip, codes from 1.
        peaks : list of ndarray of shape (n_phones_of_clip,)
            Frame of the network's highest posterior of each phone.

        Returns
        -------
        self : object
        """
        features = [cepstra(S) for S in spectrograms]
        paths = [
            initial_segments(S, x, p, self.frame_period)
            for S, x, p in zip(spectrograms, features, peaks)
        ]
        all_frames = np.concatenate(features)
        for i in range(self.n_iter):
            if i:
                paths = [self.align(x, codes) for x, codes in zip(features, sequences)]
            labels = np.concatenate(
                [np.array([0, *codes])[path + 1] for path, codes in zip(paths, sequences)]
            )
            self._estimate(all_frames, labels)
        return self

    def _estimate(self, x: NDArray[np.float64], labels: NDArray[np.int_]) -> None:
        variance = x.var(0) + 1e-8
        shape = (self.n_phones + 1, x.shape[1])
        self.means_, self.variances_ = (
            np.tile(x.mean(0), (shape[0], 1)),
            np.tile(variance, (shape[0], 1)),
        )
        for label in np.unique(labels):
            own = x[labels == label]
            spread = len(own) * own.var(0) + _PRIOR_FRAMES * variance
            self.means_[label] = own.mean(0)
            self.variances_[label] = spread / (len(own) + _PRIOR_FRAMES)
        self.variances_ = np.maximum(self.variances_, _MIN_VARIANCE * variance)

    def align(self, features: NDArray, codes: list[int]) -> NDArray[np.int_]:
        """Find the most probable path of a sequence; see :func:`forced_alignment`."""
        precision = 1 / self.variances_
        log_probs = -0.5 * (
            features**2 @ precision.T
            - 2 * features @ (self.means_ * precision).T
            + (self.means_**2 * precision + np.log(self.variances_)).sum(1)
        )
        n_repeats = sum(a == b for a, b in pairwise(codes))
        available = len(features) // max(len(codes) + n_repeats, 1)
        min_frames = min(frames_in(SHORTEST_PHONE, self.frame_period), max(available, 1))
        path, _ = forced_alignment(
            log_probs, codes, min_frames=min_frames, pause_penalty=PAUSE_PENALTY
        )
        return path


def cepstra(spectrogram: ArrayLike) -> NDArray[np.float64]:
    """Cepstra and their deltas, normalised for the level and average spectrum of the clip.

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
    loud = level >= (level.min() + level.max()) / 2
    S = S - S[:, loud].mean(1, keepdims=True)
    S = S / (S[:, loud].std() + 1e-8)
    c = dct(S, axis=0, norm="ortho")[:N_CEPSTRA]
    padded = np.pad(c, ((0, 0), (2, 2)), mode="edge")
    deltas = (2 * (padded[:, 4:] - padded[:, :-4]) + padded[:, 3:-1] - padded[:, 1:-3]) / 10
    return np.concatenate([c, deltas]).T
