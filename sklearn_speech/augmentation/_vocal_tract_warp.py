"""Simulate vocal tracts of other lengths."""

from numbers import Real
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Generator, Tensor

from ..filters import hz_to_mel, mel_frequencies
from ..filters._mel_filterbank import check_band
from ..utils.sklearn_private import Interval, StrOptions
from ._augmentation import Augmentation
from ._constraints import NOT_NEGATIVE, PAIR, SAMPLE_RATE, check_range
from ._draws import uniform
from ._operations import interpolate

#: The warp is linear up to this fraction of the Nyquist frequency.
BOUNDARY = 0.6


class VocalTractWarp(Augmentation):
    """Warp the frequency axis of log-scaled spectrograms, like a longer or shorter vocal tract.

    Vocal-tract-length perturbation multiplies each frequency by `factor`, up to a bend near the
    top; above it, the warp is linear such that the Nyquist frequency does not move. The bands
    are interpolated linearly at the warped positions.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    factor : (low, high) tuple, default=(0.85, 1.15)
        Factor of the frequencies, drawn uniformly for each clip; values above 1 simulate a
        shorter vocal tract. Within 0.5 to 2.
    fmin : float, default=0.0
        Lower edge of the first band, in Hz.
    fmax : float or None, default=None
        Upper edge of the last band, in Hz; None means the Nyquist frequency.
    mel_scale : {"slaney", "htk", "linear"}, default="slaney"
        Spacing of the bands; "linear" means Fourier bins from `fmin` to `fmax`.
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

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "sample_rate": SAMPLE_RATE,
        "factor": PAIR,
        "fmin": NOT_NEGATIVE,
        "fmax": [Interval(Real, 0, None, closed="neither"), None],
        "mel_scale": [StrOptions({"slaney", "htk", "linear"})],
    }

    def __init__(
        self,
        sample_rate: float,
        factor: tuple[float, float] = (0.85, 1.15),
        fmin: float = 0.0,
        fmax: float | None = None,
        mel_scale: Literal["slaney", "htk", "linear"] = "slaney",
        p: float = 1.0,
    ) -> None:
        self.sample_rate = sample_rate
        self.factor = factor
        self.fmin = fmin
        self.fmax = fmax
        self.mel_scale = mel_scale
        self.p = p

    def _check_parameters(self) -> None:
        check_range("factor", self.factor, 0.5, 2)
        check_band(self.sample_rate, self.fmin, self.fmax)

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        factor = uniform(len(x), *self.factor, generator, x.device)
        positions = self._positions(x.shape[1], factor.cpu().double().numpy()[:, None])
        return interpolate(x, torch.from_numpy(positions).to(x), axis=1), lengths

    def _positions(self, n_bands: int, factor: np.ndarray) -> np.ndarray:
        """Return the fractional source band of each band of each clip, (n_clips, n_bands)."""
        top = check_band(self.sample_rate, self.fmin, self.fmax)
        if self.mel_scale == "linear":
            centers = np.linspace(self.fmin, top, n_bands)
            source = unwarp(centers, factor, self.sample_rate)
            return (source - self.fmin) / (top - self.fmin) * (n_bands - 1)
        centers = mel_frequencies(n_bands + 2, self.fmin, top, self.mel_scale)[1:-1]
        source = hz_to_mel(unwarp(centers, factor, self.sample_rate), self.mel_scale)
        low, high = hz_to_mel([self.fmin, top], self.mel_scale)
        return (source - low) / (high - low) * (n_bands + 1) - 1


def unwarp(frequencies: np.ndarray, factor: np.ndarray | float, sample_rate: float) -> np.ndarray:
    """Return the frequencies that the warp moves to `frequencies`.

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
    bend = BOUNDARY * nyquist * np.minimum(factor, 1.0)  # in warped frequencies
    slope = (nyquist - bend / factor) / (nyquist - bend)
    above = nyquist - slope * (nyquist - frequencies)
    return np.where(frequencies <= bend, frequencies / factor, above)
