"""Shift waveforms in time."""

from typing import Any, ClassVar

from torch import Generator, Tensor

from ._augmentation import Augmentation
from ._constraints import FRACTION, NOT_NEGATIVE, SAMPLE_RATE
from ._operations import shift


class TimeShift(Augmentation):
    """Shift waveforms in time; silence fills the gap, and nothing wraps around.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    max_shift : float, default=0.1
        Maximum shift in seconds.
    max_fraction : float, default=0.25
        Maximum shift as a fraction of the length of the clip, so that short words are not
        shifted out of the clip.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> x, _ = TimeShift(sample_rate=8000)(torch.ones(1, 8000))
    >>> bool(x.sum() >= 8000 - 800)
    True
    """

    domain = "waveform"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "sample_rate": SAMPLE_RATE,
        "max_shift": NOT_NEGATIVE,
        "max_fraction": FRACTION,
    }

    def __init__(
        self,
        sample_rate: float,
        max_shift: float = 0.1,
        max_fraction: float = 0.25,
        p: float = 1.0,
    ) -> None:
        self.sample_rate = sample_rate
        self.max_shift = max_shift
        self.max_fraction = max_fraction
        self.p = p

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        longest = round(self.max_shift * self.sample_rate)
        return shift(x, lengths, longest, self.max_fraction, x.new_zeros(()), generator), lengths
