"""Add noise to waveforms."""

from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from ..utils.sklearn_private import StrOptions
from ._augmentation import Augmentation
from ._constraints import MAX_DB, PAIR, check_range
from ._draws import normal, uniform
from ._operations import add_at_snr

#: The power of the noise falls with frequency to the power of this exponent.
COLORS = {"white": 0.0, "pink": 1.0, "brown": 2.0}


class AddNoise(Augmentation):
    """Add Gaussian noise at a random signal-to-noise ratio.

    The ratio is that of the mean powers over the whole clip, and it is exact. A silent clip is
    not changed.

    Parameters
    ----------
    snr_db : (low, high) tuple, default=(10.0, 30.0)
        In dB, drawn uniformly for each clip; within -200 to 200.
    color : {"white", "pink", "brown"}, default="white"
        Power falls with frequency as 1, 1 / f or 1 / f².
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> x, _ = AddNoise(snr_db=(0, 0))(torch.ones(2, 4000))
    >>> ((x - 1) ** 2).mean(1).round(decimals=3)
    tensor([1., 1.])
    """

    domain = "waveform"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "snr_db": PAIR,
        "color": [StrOptions(set(COLORS))],
    }

    def __init__(
        self,
        snr_db: tuple[float, float] = (10.0, 30.0),
        color: str = "white",
        p: float = 1.0,
    ) -> None:
        self.snr_db = snr_db
        self.color = color
        self.p = p

    def _check_parameters(self) -> None:
        check_range("snr_db", self.snr_db, -MAX_DB, MAX_DB)

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        noise = normal(x.shape, generator, x.device)
        if COLORS[self.color]:
            spectrum = torch.fft.rfft(noise)
            bins = torch.arange(spectrum.shape[1], device=x.device, dtype=torch.float32).clamp(
                min=1
            )
            noise = torch.fft.irfft(spectrum * bins ** (-COLORS[self.color] / 2), x.shape[1])
        snr_db = uniform(len(x), *self.snr_db, generator, x.device)
        return add_at_snr(x, noise.to(x.dtype), lengths, snr_db), lengths
