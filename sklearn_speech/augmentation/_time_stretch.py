"""Change the tempo of spectrograms."""

from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from ._augmentation import Augmentation
from ._constraints import PAIR, check_range
from ._draws import uniform
from ._operations import interpolate


class TimeStretch(Augmentation):
    """Play spectrograms faster or slower at the same pitch, by linear interpolation.

    A faster clip ends earlier: its new length is returned if `lengths` are given; otherwise it
    is padded with silence, the lowest value of the clip in each band. A slower clip is cut at
    the width of the batch.

    Parameters
    ----------
    factor : (low, high) tuple, default=(0.8, 1.25)
        Relative speed, drawn uniformly for each clip; within 0.1 to 10.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> x, lengths = torch.rand(1, 40, 100), torch.tensor([60])
    >>> TimeStretch(factor=(2, 2))(x, lengths)[1]
    tensor([30])
    """

    domain = "spectrogram"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "factor": PAIR,
    }

    def __init__(self, factor: tuple[float, float] = (0.8, 1.25), p: float = 1.0) -> None:
        self.factor = factor
        self.p = p

    def _check_parameters(self) -> None:
        check_range("factor", self.factor, 0.1, 10)

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        factor = uniform(len(x), *self.factor, generator, x.device)
        positions = torch.arange(x.shape[2], device=x.device) * factor[:, None]
        positions = torch.minimum(positions, (lengths - 1)[:, None])
        new = torch.ceil(lengths / factor).long().clamp(min=1)
        return interpolate(x, positions, axis=2), new
