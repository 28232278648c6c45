"""Loudness of waveforms."""

from ._augmentation import (
    Augmentation,
    check_number,
    check_range,
    uniform,
)


class Gain(Augmentation):
    """Make clips louder or softer.

    Parameters
    ----------
    gain_db : (low, high) tuple, default=(-6.0, 6.0)
        In dB, drawn uniformly for each clip.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> Gain(gain_db=(20, 20))(torch.ones(1, 2))[0]
    tensor([[10., 10.]])
    """

    domain = "waveform"

    def __init__(self, gain_db=(-6.0, 6.0), p=1.0):
        check_range("gain_db", gain_db)
        check_number("p", p, 0, 1)
        self.gain_db = gain_db
        self.p = p

    def _transform(self, x, lengths, generator):
        gain_db = uniform(len(x), *self.gain_db, generator, x.device)
        return x * (10 ** (gain_db / 20))[:, None], lengths
