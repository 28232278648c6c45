"""Noise added to waveforms."""

import torch

from ..modules.masking import steps_mask
from ._augmentation import (
    Augmentation,
    check_number,
    check_option,
    check_range,
    normal,
    uniform,
)

#: Fall of the noise's power with frequency, as an exponent.
COLORS = {"white": 0.0, "pink": 1.0, "brown": 2.0}


class AddNoise(Augmentation):
    """Add Gaussian noise at a random signal-to-noise ratio.

    The ratio is that of the mean powers over the whole clip, and holds exactly. A
    silent clip stays silent.

    Parameters
    ----------
    snr_db : (low, high) tuple, default=(10.0, 30.0)
        In dB, drawn uniformly for each clip.
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

    def __init__(self, snr_db=(10.0, 30.0), color="white", p=1.0):
        check_range("snr_db", snr_db)
        check_option("color", color, COLORS)
        check_number("p", p, 0, 1)
        self.snr_db = snr_db
        self.color = color
        self.p = p

    def _transform(self, x, lengths, generator):
        noise = normal(x.shape, generator, x.device)
        if COLORS[self.color]:
            spectrum = torch.fft.rfft(noise)
            bins = torch.arange(spectrum.shape[1], device=x.device).clamp(min=1)
            noise = torch.fft.irfft(spectrum * bins ** (-COLORS[self.color] / 2), x.shape[1])
        snr_db = uniform(len(x), *self.snr_db, generator, x.device)
        return add_at_snr(x, noise.to(x.dtype), lengths, snr_db), lengths


def add_at_snr(x, noise, lengths, snr_db):
    """Add noise, scaled to a signal-to-noise ratio over each clip's own samples.

    Parameters
    ----------
    x, noise : Tensor of shape (n_clips, n_times)
    lengths : Tensor of shape (n_clips,)
    snr_db : Tensor of shape (n_clips,)

    Returns
    -------
    y : Tensor of shape (n_clips, n_times)
    """
    inside = steps_mask(lengths, x)
    signal_power = (x * inside).square().sum(1)
    noise_power = (noise * inside).square().sum(1).clamp(min=torch.finfo(x.dtype).tiny)
    gain = torch.sqrt(signal_power / noise_power) * 10 ** (-snr_db / 20)
    return x + gain[:, None] * noise
