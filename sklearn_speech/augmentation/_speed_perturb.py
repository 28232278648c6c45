"""Change the speed of waveforms, that is, tempo and pitch together."""

from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from ._augmentation import Augmentation
from ._constraints import PAIR, check_range
from ._draws import uniform
from ._resample import resample


class SpeedPerturb(Augmentation):
    """Play clips faster or slower, which changes tempo and pitch together.

    A faster clip ends earlier: its new length is returned if `lengths` are given; otherwise it
    is padded with zeros. A slower clip is cut at the width of the batch.

    Parameters
    ----------
    factor : (low, high) tuple, default=(0.9, 1.1)
        Relative speed, drawn uniformly for each clip; within 0.25 to 4.
    p : float, default=1.0
        Probability that a clip is changed.

    References
    ----------
    T. Ko, V. Peddinti, D. Povey and S. Khudanpur, "Audio augmentation for speech
    recognition", Interspeech 2015.

    Examples
    --------
    >>> import torch
    >>> aug = SpeedPerturb(factor=(2, 2))
    >>> aug(torch.zeros(1, 8000), torch.tensor([6000]))[1]
    tensor([3000])
    """

    domain = "waveform"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "factor": PAIR,
    }

    def __init__(self, factor: tuple[float, float] = (0.9, 1.1), p: float = 1.0) -> None:
        self.factor = factor
        self.p = p

    def _check_parameters(self) -> None:
        check_range("factor", self.factor, 0.25, 4)

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        factor = uniform(len(x), *self.factor, generator, x.device)
        new = torch.ceil(lengths / factor).long().clamp(min=1)
        return resample(x, factor, x.shape[1]), new
