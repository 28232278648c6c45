"""Longer and shorter vocal tracts."""

import numpy as np
import torch

from ..filters import check_band, hz_to_mel, mel_frequencies
from ._augmentation import (
    Augmentation,
    check_number,
    check_option,
    check_range,
    interpolate,
    uniform,
)

#: The warp is linear up to this part of the Nyquist frequency.
BOUNDARY = 0.6


class VocalTractWarp(Augmentation):
    """Warp the frequency axis of log-scaled spectrograms, as if a larger or smaller person spoke.

    Vocal-tract-length perturbation: what was at a frequency moves to `factor`
    times that, in a line that bends near the top so that the Nyquist frequency
    stays where it is. The bands are read at the warped places by linear
    interpolation.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    factor : (low, high) tuple, default=(0.85, 1.15)
        Of frequencies, drawn uniformly for each clip; above 1 is a shorter vocal
        tract. Within 0.5 to 2.
    fmin : float, default=0.0
        Lower edge of the first band, in Hz.
    fmax : float or None, default=None
        Upper edge of the last band, in Hz; None is the Nyquist frequency.
    mel_scale : {"slaney", "htk", "linear"}, default="slaney"
        Where the bands lie. "linear" is for spectrograms of Fourier bins, from
        `fmin` to `fmax`.
    p : float, default=1.0
        Probability that a clip is changed.

    References
    ----------
    N. Jaitly and G. E. Hinton, "Vocal tract length perturbation (VTLP) improves
    speech recognition", ICML workshop on deep learning for audio, speech and
    language, 2013.

    Examples
    --------
    >>> import torch
    >>> VocalTractWarp(sample_rate=8000)(torch.rand(2, 40, 50))[0].shape
    torch.Size([2, 40, 50])
    """

    domain = "spectrogram"

    def __init__(
        self,
        sample_rate,
        factor=(0.85, 1.15),
        fmin=0.0,
        fmax=None,
        mel_scale="slaney",
        p=1.0,
    ):
        check_number("sample_rate", sample_rate, 1)
        check_range("factor", factor, 0.5, 2)
        check_band(sample_rate, fmin, fmax)
        check_option("mel_scale", mel_scale, ("slaney", "htk", "linear"))
        check_number("p", p, 0, 1)
        self.sample_rate = sample_rate
        self.factor = factor
        self.fmin = fmin
        self.fmax = fmax
        self.mel_scale = mel_scale
        self.p = p

    def _transform(self, x, lengths, generator):
        factor = uniform(len(x), *self.factor, generator, x.device)
        positions = self._positions(x.shape[1], factor.cpu().double().numpy()[:, None])
        return interpolate(x, torch.from_numpy(positions).to(x), axis=1), lengths

    def _positions(self, n_bands, factor):
        """Where, in bands, each warped band of each clip is read; (n_clips, n_bands)."""
        top = check_band(self.sample_rate, self.fmin, self.fmax)
        if self.mel_scale == "linear":
            centers = np.linspace(self.fmin, top, n_bands)
            source = unwarp(centers, factor, self.sample_rate)
            return (source - self.fmin) / (top - self.fmin) * (n_bands - 1)
        centers = mel_frequencies(n_bands + 2, self.fmin, top, self.mel_scale)[1:-1]
        source = hz_to_mel(unwarp(centers, factor, self.sample_rate), self.mel_scale)
        low, high = hz_to_mel([self.fmin, top], self.mel_scale)
        return (source - low) / (high - low) * (n_bands + 1) - 1


def unwarp(frequencies, factor, sample_rate):
    """Frequency that the warp moves to each of `frequencies`.

    Parameters
    ----------
    frequencies : ndarray
        In Hz, from 0 to the Nyquist frequency.
    factor : ndarray that broadcasts with it
    sample_rate : float

    Returns
    -------
    source : ndarray
        In Hz.

    Examples
    --------
    >>> unwarp(np.array([1000.0, 4000.0]), 1.25, 8000).tolist()
    [800.0, 4000.0]
    """
    nyquist = sample_rate / 2
    bend = BOUNDARY * nyquist * np.minimum(factor, 1.0)  # of the warped frequencies
    slope = (nyquist - bend / factor) / (nyquist - bend)
    above = nyquist - slope * (nyquist - frequencies)
    return np.where(frequencies <= bend, frequencies / factor, above)
