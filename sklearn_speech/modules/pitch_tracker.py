"""Pitch, periodicity and level of voices, frame by frame."""

import math

import torch
from torch import Tensor, nn

from .front_end import FrontEnd

#: Least periodicity, and greatest distance from the loudest frame in dB, of a voiced frame.
_PERIODICITY, _TOP_DB = 0.5, 35.0
#: What an octave of lower pitch must be more periodic, against octave errors.
_OCTAVE_COST = 0.02
#: Added to energies, so that silence has a level of -90 dB. Energies are counted in this unit,
#: because exporters drop the addition of constants below 1e-8.
_SILENCE = 1e-9
#: Pitch of 0 semitones, in Hz, and the greatest change of pitch from frame to frame.
_REFERENCE, _MAX_CHANGE = 100.0, 3.0


class PitchTracker(nn.Module):
    """Pitch and level of voiced frames, from the autocorrelation of windows of 64 ms.

    The autocorrelation is divided by that of the window [1]_. Its largest peak among the lags of
    the pitches from `fmin` to `fmax` gives the pitch, the height of the peak is the periodicity.
    Frames are voiced if they are periodic enough and at most 35 dB below the loudest frame of the
    clip; in a clip without any, loudness alone decides, and the pitch is 0 semitones.

    Parameters
    ----------
    fmin, fmax : float, default=60 and 500
        Range of the pitch, in Hz.
    dtype : torch.dtype, default=torch.float32
        Type in which the contours are computed.

    Attributes
    ----------
    sample_rate, hop_length : int
        16000 Hz; samples from one frame to the next, 160.
    n_bands : int
        Number of rows of the output, 7.

    Shape
    -----
    Input (n_clips, n_times), output (n_clips, 7, 1 + n_times // 160).

    References
    ----------
    .. [1] P. Boersma (1993). "Accurate short-term analysis of the fundamental frequency and the
       harmonics-to-noise ratio of a sampled sound". Proceedings of the Institute of Phonetic
       Sciences 17, University of Amsterdam.

    Examples
    --------
    >>> PitchTracker()(torch.zeros(2, 16000)).shape
    torch.Size([2, 7, 101])
    """

    sample_rate, hop_length, n_bands = 16000, 160, 7
    basis: Tensor
    cost: Tensor

    def __init__(
        self, fmin: float = 60.0, fmax: float = 500.0, dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__()
        if not 30 <= fmin < fmax <= 2000:
            raise ValueError(f"fmin={fmin!r}, fmax={fmax!r}: expected 30 <= fmin < fmax <= 2000 Hz")
        window, n_fft = 1024, 2048
        self.power = FrontEnd(
            self.sample_rate,
            n_fft=n_fft,
            win_length=window,
            hop_length=self.hop_length,
            scaling=None,
            dtype=dtype,
        )
        self.first = int(self.sample_rate / fmax)
        lags = torch.arange(math.ceil(self.sample_rate / fmin) + 2, dtype=torch.float64)
        bins = torch.arange(n_fft // 2 + 1, dtype=torch.float64)
        basis = torch.cos(2 * math.pi / n_fft * bins[:, None] * lags) * 2 / n_fft
        basis[[0, -1]] /= 2
        hann = torch.hann_window(window, dtype=torch.float64)
        of_window = torch.fft.rfft(hann, n_fft).abs().square() @ basis
        self.n_energy = float(of_window[0])
        # a column for each lag: the correlation at the lag, relative to that of the window
        self.register_buffer("basis", (basis * of_window[0] / of_window).to(dtype))
        octaves = torch.log2(lags[self.first :] / self.first)
        self.register_buffer("cost", (_OCTAVE_COST * octaves).to(dtype))

    def forward(self, waveforms: Tensor) -> Tensor:
        """Contours of clips of one length.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_times)
            At 16 kHz, amplitude in [-1, 1].

        Returns
        -------
        contours : Tensor of shape (n_clips, 7, 1 + n_times // 160)
        """
        correlation = self.power(waveforms).transpose(1, 2) @ self.basis
        correlation = correlation / _SILENCE
        energy = correlation[:, :, :1] + 1
        lag, periodicity = self._peak(correlation / energy)
        level = 10 * torch.log10((energy[:, :, 0] / self.n_energy + 1) * _SILENCE)
        pitch = 12 * torch.log2(self.sample_rate / lag / _REFERENCE)
        loud = level >= level.amax(1, keepdim=True) - _TOP_DB
        voiced = loud & (periodicity > _PERIODICITY)
        is_periodic = voiced.any(1, keepdim=True)
        # where nothing is periodic, rounding decides which peak is the largest
        pitch = torch.where(is_periodic, pitch, 0.0)
        # onnxruntime has no choice between truth values
        voiced = voiced | (loud & ~is_periodic)
        inside = voiced & _shifted(voiced, -1) & _shifted(voiced, 1)
        change = (_shifted(pitch, 1) - _shifted(pitch, -1)) / 2
        change = torch.where(inside, change.clamp(-_MAX_CHANGE, _MAX_CHANGE), 0.0)
        rise = torch.where(inside, (_shifted(level, 1) - _shifted(level, -1)) / 2, 0.0)
        rows = torch.stack([pitch, periodicity, level, change, rise, change.abs()], dim=1)
        weight = voiced.to(rows.dtype).unsqueeze(1)
        mean = (rows * weight).sum(2, keepdim=True) / weight.sum(2, keepdim=True)
        return torch.cat([mean + (rows - mean) * weight, weight], dim=1)

    def _peak(self, correlation: Tensor) -> tuple[Tensor, Tensor]:
        """Lag and height of the best peak of each frame."""
        height = correlation[:, :, self.first :] - self.cost
        before, here, after = height[:, :, :-2], height[:, :, 1:-1], height[:, :, 2:]
        peaks = torch.where((here > before) & (here >= after), here, -1.0)
        index = peaks.argmax(2, keepdim=True)
        left, top, right = (x.gather(2, index)[:, :, 0] for x in (before, here, after))
        curve = left - 2 * top + right
        # the top of the parabola through the three points
        shift = torch.where(curve < 0, (left - right) / (2 * curve.clamp(max=-1e-6)), 0.0)
        lag = index[:, :, 0] + 1 + self.first + shift.clamp(-0.5, 0.5)
        return lag, top.clamp(-1, 1)


def _shifted(x: Tensor, by: int) -> Tensor:
    """Each frame's neighbour, with the outermost frame repeated."""
    if by > 0:
        return torch.cat([x[:, 1:], x[:, -1:]], dim=1)
    return torch.cat([x[:, :1], x[:, :-1]], dim=1)
