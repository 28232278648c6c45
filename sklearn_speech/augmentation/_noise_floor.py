"""Recordings with more noise underneath."""

import torch

from ..modules.masking import steps_mask
from ._augmentation import (
    Augmentation,
    check_number,
    check_option,
    check_range,
    column,
    normal,
    uniform,
)
from ._random_equalizer import UNITS


class NoiseFloor(Augmentation):
    """Add steady noise to log-scaled power spectrograms, as energies add up.

    What :class:`AddNoise` does to waveforms, at a fraction of the cost, and
    measured from the loudest spot of the clip: recordings differ in how far
    below speech their noise lies, and noise gates cut it away altogether.

    Parameters
    ----------
    depth_db : (float, float), default=(40.0, 80.0)
        Range of how far below the largest value of its clip the noise lies, in dB;
        the mean of speech lies about 35 dB below it.
    max_tilt_db : float, default=6.0
        Largest gain or loss of the noise at the outermost bands, in dB.
    spread_db : float, default=4.0
        Standard deviation of the noise from frame to frame and band to band, in dB.
    scaling : {"db", "log"}, default="db"
        Scaling of the power spectrograms that come in: dB or natural logarithm.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> clip = torch.full((1, 3, 50), -100.0)
    >>> clip[:, :, 20:30] = 0.0
    >>> aug = NoiseFloor(depth_db=(30, 30), max_tilt_db=0, spread_db=0, scaling="db")
    >>> noisy = aug(clip)[0]
    >>> round(noisy.min().item(), 2), round(noisy.max().item(), 2)
    (-30.0, 0.0)
    """

    domain = "spectrogram"

    def __init__(self, depth_db=(40.0, 80.0), max_tilt_db=6.0, spread_db=4.0, scaling="db", p=1.0):
        check_range("depth_db", depth_db, 0)
        check_number("max_tilt_db", max_tilt_db, 0)
        check_number("spread_db", spread_db, 0)
        check_option("scaling", scaling, UNITS)
        check_number("p", p, 0, 1)
        self.depth_db = depth_db
        self.max_tilt_db = max_tilt_db
        self.spread_db = spread_db
        self.scaling = scaling
        self.p = p

    def _transform(self, x, lengths, generator):
        inside = steps_mask(lengths, x)
        peak = x.masked_fill(~inside, -torch.inf).amax((1, 2), keepdim=True)
        depth = column(uniform(len(x), *self.depth_db, generator, x.device), x)
        tilt = uniform(len(x), -self.max_tilt_db, self.max_tilt_db, generator, x.device)
        across = torch.linspace(-1, 1, x.shape[1], device=x.device)[:, None]
        noise = self.spread_db * normal(x.shape, generator, x.device)
        noise = peak + UNITS[self.scaling] * (noise + column(tilt, x) * across - depth)
        nepers = UNITS[self.scaling] / UNITS["log"]
        return torch.logaddexp(x / nepers, noise.to(x.dtype) / nepers) * nepers, lengths
