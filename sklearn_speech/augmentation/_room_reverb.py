"""Simulate the reverberation of rooms."""

import math
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from ._augmentation import Augmentation
from ._constraints import MAX_DB, PAIR, SAMPLE_RATE, check_range
from ._draws import normal, uniform


class RoomReverb(Augmentation):
    """Simulate a room: the direct sound, followed by an exponentially decaying tail.

    The impulse response of each room begins with 1, so the clip is not delayed. It continues
    with Gaussian noise, whose level falls by 60 dB in the reverberation time (Polack's model).
    The tail is cut at the end of the clip.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    reverberation_time : (low, high) tuple, default=(0.1, 0.6)
        In seconds, drawn uniformly for each clip; within 0.001 to 10. Typical values are 0.1
        for a car, 0.4 for a living room and 1 for a lecture hall.
    direct_to_reverberant_db : (low, high) tuple, default=(0.0, 15.0)
        Energy ratio of the direct sound to the tail, in dB, drawn uniformly for each clip;
        larger means closer to the microphone. Within -200 to 200.
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

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "sample_rate": SAMPLE_RATE,
        "reverberation_time": PAIR,
        "direct_to_reverberant_db": PAIR,
    }

    def __init__(
        self,
        sample_rate: float,
        reverberation_time: tuple[float, float] = (0.1, 0.6),
        direct_to_reverberant_db: tuple[float, float] = (0.0, 15.0),
        p: float = 1.0,
    ) -> None:
        self.sample_rate = sample_rate
        self.reverberation_time = reverberation_time
        self.direct_to_reverberant_db = direct_to_reverberant_db
        self.p = p

    def _check_parameters(self) -> None:
        check_range("reverberation_time", self.reverberation_time, 0.001, 10)
        check_range("direct_to_reverberant_db", self.direct_to_reverberant_db, -MAX_DB, MAX_DB)

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        response = self._impulse_response(len(x), x.device, generator).to(x.dtype)
        size = x.shape[1] + response.shape[1]
        spectrum = torch.fft.rfft(x, size) * torch.fft.rfft(response, size)
        return torch.fft.irfft(spectrum, size)[:, : x.shape[1]], lengths

    def _impulse_response(
        self, n_clips: int, device: torch.device, generator: Generator | None
    ) -> Tensor:
        decay_time = uniform(n_clips, *self.reverberation_time, generator, device)[:, None]
        ratio_db = uniform(n_clips, *self.direct_to_reverberant_db, generator, device)[:, None]
        n_times = max(2, math.ceil(self.reverberation_time[1] * self.sample_rate))
        times = torch.arange(n_times, device=device, dtype=torch.float32) / self.sample_rate
        tail = normal((n_clips, n_times), generator, device) * 10 ** (-3 * times / decay_time)
        tail[:, 0] = 0.0
        energy = tail.square().sum(1, keepdim=True)
        tail = tail * torch.sqrt(10 ** (-ratio_db / 10) / energy.clamp(min=1e-30))
        tail[:, 0] = 1.0
        return tail
