"""Waveforms moved in time."""

import torch

from ._augmentation import (
    Augmentation,
    check_number,
    whole_number,
)


class TimeShift(Augmentation):
    """Move clips earlier or later; silence comes in, nothing wraps around.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    max_shift : float, default=0.1
        Longest shift, in seconds.
    max_fraction : float, default=0.25
        Longest shift as a part of the clip's own length, so that short words are
        not pushed out.
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

    def __init__(self, sample_rate, max_shift=0.1, max_fraction=0.25, p=1.0):
        check_number("sample_rate", sample_rate, 1)
        check_number("max_shift", max_shift, 0)
        check_number("max_fraction", max_fraction, 0, 1)
        check_number("p", p, 0, 1)
        self.sample_rate = sample_rate
        self.max_shift = max_shift
        self.max_fraction = max_fraction
        self.p = p

    def _transform(self, x, lengths, generator):
        longest = round(self.max_shift * self.sample_rate)
        return shift(x, lengths, longest, self.max_fraction, x.new_zeros(()), generator), lengths


def shift(x, lengths, longest, max_fraction, silence, generator):
    """Move each clip by a random number of steps within its own length.

    Parameters
    ----------
    x : Tensor of shape (n_clips, ..., n_steps)
    lengths : Tensor of shape (n_clips,)
    longest : int
        In steps.
    max_fraction : float
        Of the clip's own length.
    silence : Tensor that broadcasts with x
        What comes in.
    generator : torch.Generator or None

    Returns
    -------
    x : Tensor of the same shape
    """
    bound = (lengths * max_fraction).long().clamp(max=longest)
    by = whole_number(-bound, bound, generator)
    source = torch.arange(x.shape[-1], device=x.device) - by[:, None]
    inside = (source >= 0) & (source < lengths[:, None])
    shape = (len(x), *[1] * (x.dim() - 2), x.shape[-1])
    index = source.clamp(0, x.shape[-1] - 1).view(shape).expand_as(x)
    return torch.where(inside.view(shape), x.gather(-1, index), silence)
