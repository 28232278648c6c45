"""Simulated rooms."""

import math

import torch

from ._augmentation import (
    Augmentation,
    check_number,
    check_range,
    normal,
    uniform,
)


class RoomReverb(Augmentation):
    """Let clips sound as in a room: the direct sound, then an exponentially decaying tail.

    The impulse response of each clip's room is 1 at once, so that nothing is
    delayed, followed by Gaussian noise whose level falls by 60 dB in the
    reverberation time (Polack's model). What would sound on after the clip's end
    is cut.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    reverberation_time : (low, high) tuple, default=(0.1, 0.6)
        In seconds, drawn uniformly for each clip. A car has 0.1, a living room
        0.4, a lecture hall 1.
    direct_to_reverberant_db : (low, high) tuple, default=(0.0, 15.0)
        Energy of the direct sound over that of the tail, in dB, drawn uniformly
        for each clip; larger is nearer to the microphone.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> click = torch.zeros(1, 8000)
    >>> click[0, 0] = 1.0
    >>> response, _ = RoomReverb(8000, direct_to_reverberant_db=(10, 10))(click)
    >>> round((response[0, 1:] ** 2).sum().item(), 3)
    0.1
    """

    domain = "waveform"

    def __init__(
        self,
        sample_rate,
        reverberation_time=(0.1, 0.6),
        direct_to_reverberant_db=(0.0, 15.0),
        p=1.0,
    ):
        check_number("sample_rate", sample_rate, 1)
        check_range("reverberation_time", reverberation_time, 0.001, 10)
        check_range("direct_to_reverberant_db", direct_to_reverberant_db)
        check_number("p", p, 0, 1)
        self.sample_rate = sample_rate
        self.reverberation_time = reverberation_time
        self.direct_to_reverberant_db = direct_to_reverberant_db
        self.p = p

    def _transform(self, x, lengths, generator):
        response = self._impulse_response(len(x), x.device, generator).to(x.dtype)
        size = x.shape[1] + response.shape[1]
        spectrum = torch.fft.rfft(x, size) * torch.fft.rfft(response, size)
        return torch.fft.irfft(spectrum, size)[:, : x.shape[1]], lengths

    def _impulse_response(self, n_clips, device, generator):
        decay_time = uniform(n_clips, *self.reverberation_time, generator, device)[:, None]
        ratio_db = uniform(n_clips, *self.direct_to_reverberant_db, generator, device)[:, None]
        n_times = max(2, math.ceil(self.reverberation_time[1] * self.sample_rate))
        times = torch.arange(n_times, device=device) / self.sample_rate
        tail = normal((n_clips, n_times), generator, device) * 10 ** (-3 * times / decay_time)
        tail[:, 0] = 0.0
        energy = tail.square().sum(1, keepdim=True)
        tail = tail * torch.sqrt(10 ** (-ratio_db / 10) / energy.clamp(min=1e-30))
        tail[:, 0] = 1.0
        return tail
