"""Add steady noise to spectrograms."""

from numbers import Real
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from ..modules.masking import fill_padding, steps_mask
from ..utils.sklearn_private import Interval, StrOptions
from ._augmentation import Augmentation
from ._constraints import MAX_DB, PAIR, check_range
from ._draws import normal, uniform
from ._operations import UNITS, column


class NoiseFloor(Augmentation):
    """Add the power of steady noise to log-scaled power spectrograms.

    :class:`AddNoise` does this for waveforms, at several times the cost. Here, the level is
    relative to the largest value of the clip, because recordings differ in how far their noise
    lies below speech, and noise gates remove it entirely.

    Parameters
    ----------
    depth_db : (low, high) tuple, default=(40.0, 80.0)
        Distance of the noise below the largest value of the clip, in dB, drawn uniformly for
        each clip; within 0 to 200. The mean of speech lies about 35 dB below the largest value.
    max_tilt_db : float, default=6.0
        Maximum gain or loss of the noise at the outermost bands, in dB.
    spread_db : float, default=4.0
        Standard deviation of the noise from frame to frame and band to band, in dB.
    scaling : {"db", "log"}, default="db"
        Scaling of the input power spectrograms: dB or natural logarithm.
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

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "depth_db": PAIR,
        "max_tilt_db": [Interval(Real, 0, MAX_DB, closed="both")],
        "spread_db": [Interval(Real, 0, MAX_DB, closed="both")],
        "scaling": [StrOptions(set(UNITS))],
    }

    def __init__(
        self,
        depth_db: tuple[float, float] = (40.0, 80.0),
        max_tilt_db: float = 6.0,
        spread_db: float = 4.0,
        scaling: str = "db",
        p: float = 1.0,
    ) -> None:
        self.depth_db = depth_db
        self.max_tilt_db = max_tilt_db
        self.spread_db = spread_db
        self.scaling = scaling
        self.p = p

    def _check_parameters(self) -> None:
        check_range("depth_db", self.depth_db, 0, MAX_DB)

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        inside = steps_mask(lengths, x)
        peak = fill_padding(x, inside, -torch.inf).amax((1, 2), keepdim=True)
        depth = column(uniform(len(x), *self.depth_db, generator, x.device), x)
        tilt = uniform(len(x), -self.max_tilt_db, self.max_tilt_db, generator, x.device)
        across = torch.linspace(-1, 1, x.shape[1], device=x.device, dtype=torch.float32)[:, None]
        noise = self.spread_db * normal(x.shape, generator, x.device)
        noise = peak + UNITS[self.scaling] * (noise + column(tilt, x) * across - depth)
        nepers = UNITS[self.scaling] / UNITS["log"]
        return torch.logaddexp(x / nepers, noise.to(x.dtype) / nepers) * nepers, lengths
