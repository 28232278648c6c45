"""Speed of waveforms, tempo and pitch together."""

import torch

from ._augmentation import (
    Augmentation,
    check_number,
    check_range,
    uniform,
)
from ._resample import resample


class SpeedPerturb(Augmentation):
    """Play clips faster or slower, which moves tempo and pitch alike.

    A clip played faster ends earlier: its new length goes out where `lengths` come
    in, else zeros follow. A clip played slower is cut at the width of the batch.

    Parameters
    ----------
    factor : (low, high) tuple, default=(0.9, 1.1)
        How many times as fast, drawn uniformly for each clip; within 0.25 to 4.
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

    def __init__(self, factor=(0.9, 1.1), p=1.0):
        check_range("factor", factor, 0.25, 4)
        check_number("p", p, 0, 1)
        self.factor = factor
        self.p = p

    def _transform(self, x, lengths, generator):
        factor = uniform(len(x), *self.factor, generator, x.device)
        new = torch.ceil(lengths / factor).long().clamp(min=1)
        return resample(x, factor, x.shape[1]), new
