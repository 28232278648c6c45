"""Tempo of spectrograms."""

import torch

from ._augmentation import (
    Augmentation,
    check_number,
    check_range,
    interpolate,
    uniform,
)


class TimeStretch(Augmentation):
    """Play spectrograms faster or slower at the same pitch, by linear interpolation.

    A clip played faster ends earlier: its new length goes out where `lengths` come
    in, else silence follows, in each band the lowest value that the clip has
    there. A clip played slower is cut at the width of the batch.

    Parameters
    ----------
    factor : (low, high) tuple, default=(0.8, 1.25)
        How many times as fast, drawn uniformly for each clip; within 0.1 to 10.
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

    def __init__(self, factor=(0.8, 1.25), p=1.0):
        check_range("factor", factor, 0.1, 10)
        check_number("p", p, 0, 1)
        self.factor = factor
        self.p = p

    def _transform(self, x, lengths, generator):
        factor = uniform(len(x), *self.factor, generator, x.device)
        positions = torch.arange(x.shape[2], device=x.device) * factor[:, None]
        positions = torch.minimum(positions, (lengths - 1)[:, None])
        new = torch.ceil(lengths / factor).long().clamp(min=1)
        return interpolate(x, positions, axis=2), new
