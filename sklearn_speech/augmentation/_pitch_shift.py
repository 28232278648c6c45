"""Change the pitch of waveforms at the same tempo."""

import math
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor
from torch.nn import functional as F

from ._augmentation import Augmentation
from ._constraints import PAIR, SAMPLE_RATE, check_range
from ._draws import uniform
from ._resample import resample

#: Window of the phase vocoder, in seconds.
WINDOW_SECONDS = 0.032


class PitchShift(Augmentation):
    """Raise or lower pitch and formants together, at the same tempo.

    A phase vocoder changes the duration of the clips, and resampling restores it.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    semitones : (low, high) tuple, default=(-2.0, 2.0)
        Drawn uniformly for each clip; within 24 semitones, two octaves.
    p : float, default=1.0
        Probability that a clip is changed.

    References
    ----------
    J. L. Flanagan and R. M. Golden, "Phase vocoder", Bell System Technical Journal
    45, 1966.

    Examples
    --------
    >>> import torch
    >>> PitchShift(sample_rate=8000)(torch.zeros(2, 4000))[0].shape
    torch.Size([2, 4000])
    """

    domain = "waveform"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "sample_rate": SAMPLE_RATE,
        "semitones": PAIR,
    }

    def __init__(
        self,
        sample_rate: float,
        semitones: tuple[float, float] = (-2.0, 2.0),
        p: float = 1.0,
    ) -> None:
        self.sample_rate = sample_rate
        self.semitones = semitones
        self.p = p

    def _check_parameters(self) -> None:
        check_range("semitones", self.semitones, -24, 24)

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        semitones = uniform(len(x), *self.semitones, generator, x.device)
        factor = 2 ** (semitones / 12)
        n_fft = 2 ** max(4, round(math.log2(WINDOW_SECONDS * self.sample_rate)))
        longer = time_stretch(x, 1 / factor, n_fft, max(1.0, 2 ** (self.semitones[1] / 12)))
        return resample(longer, factor, x.shape[1]), lengths


def time_stretch(x: Tensor, speed: Tensor, n_fft: int, longest: float) -> Tensor:
    """Play each clip `speed` times as fast at the same pitch, by a phase vocoder.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_times)
    speed : Tensor of shape (n_clips,)
    n_fft : int
        Window length in samples; the hop is a quarter of it.
    longest : float
        The output is at least this many times as wide as x; must be at least the largest ``1 /
        speed``.

    Returns
    -------
    y : Tensor of shape (n_clips, n_out)
    """
    hop = n_fft // 4
    window = torch.hann_window(n_fft, device=x.device, dtype=x.dtype)
    frames = torch.stft(
        x, n_fft, hop, window=window, center=True, pad_mode="constant", return_complex=True
    )
    n_frames = frames.shape[2]
    n_out = math.ceil(n_frames * longest) + 1
    positions = torch.arange(n_out, device=x.device) * speed[:, None]
    index = positions.long().clamp(max=n_frames)
    weight = (positions - index).clamp(0, 1)[:, None].to(x.dtype)
    frames = F.pad(frames, (0, 2))  # silence follows the clip
    index = index[:, None].expand(-1, frames.shape[1], -1)
    here, there = frames.gather(2, index), frames.gather(2, index + 1)
    magnitude = here.abs() * (1 - weight) + there.abs() * weight
    # Analysis and synthesis have the same hop, so the phase advances as it did between the two
    # frames, and multiples of 2 pi have no effect.
    advance = torch.angle(there * here.conj())
    phase = torch.angle(frames[:, :, :1]) + advance.cumsum(2) - advance
    return torch.istft(
        torch.polar(magnitude, phase), n_fft, hop, window=window, length=(n_out - 1) * hop
    )
