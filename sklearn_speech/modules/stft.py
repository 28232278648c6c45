"""Windowed Fourier transforms of frames: one fixed, one that learns its sines and cosines."""

import math

import numpy as np
import torch
from torch import Tensor, nn

#: Added to a squared magnitude before its root is taken, where gradients flow through it.
ROOT_EPSILON = 1e-12


def _detrended(frames: Tensor, detrend: str | None) -> Tensor:
    if detrend is None:
        return frames
    frames = frames - frames.mean(dim=-1, keepdim=True)
    if detrend == "linear":
        n = frames.shape[-1]
        ramp = torch.arange(n, dtype=frames.dtype, device=frames.device) - (n - 1) / 2
        slope = (frames @ ramp) / ramp.square().sum().clamp(min=1)
        frames = frames - slope.unsqueeze(-1) * ramp
    return frames


class FixedSTFT(nn.Module):
    """Spectra of frames by the fast Fourier transform.

    Parameters
    ----------
    window : ndarray of shape (win_length,)
        Window.
    n_fft : int
        Length of the FFT in samples; frames are zero-padded to it.
    detrend : {None, "constant", "linear"}, default=None
        What is subtracted from each frame before the window: nothing, its mean,
        or its least-squares line.
    """

    window: Tensor

    def __init__(
        self,
        window: np.ndarray,
        n_fft: int,
        *,
        detrend: str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.detrend = detrend
        self.n_bins = n_fft // 2 + 1
        self.register_buffer("window", torch.as_tensor(np.asarray(window), dtype=dtype))

    def windowed(self, frames: Tensor, out: Tensor | None = None) -> Tensor:
        """Frames times the window, written to `out` if that is given."""
        return torch.mul(_detrended(frames, self.detrend), self.window, out=out)

    def spectrum(self, windowed: Tensor) -> Tensor:
        """Complex spectra of windowed frames, (..., win_length) -> (..., n_bins)."""
        return torch.fft.rfft(windowed, n=self.n_fft)

    def forward(self, frames: Tensor, power: float = 2.0) -> Tensor:
        """Magnitudes raised to `power`, (..., win_length) -> (..., n_bins)."""
        spectrum = self.spectrum(self.windowed(frames))
        if power == 2:
            parts = torch.view_as_real(spectrum)
            return parts[..., 0].square() + parts[..., 1].square()
        magnitudes = spectrum.abs()
        return magnitudes if power == 1 else magnitudes**power


class TrainableSTFT(nn.Module):
    """Spectra of frames by free sine and cosine kernels that begin as the windowed Fourier basis.

    Parameters
    ----------
    window : ndarray of shape (win_length,)
        Window, part of the kernels.
    n_fft : int
        Length of the FFT in samples, which spaces the kernels' frequencies.
    detrend : {None, "constant", "linear"}, default=None
        As in :class:`FixedSTFT`.

    Attributes
    ----------
    cosine, sine : Parameter of shape (n_fft // 2 + 1, win_length)
        The kernels.
    """

    def __init__(
        self,
        window: np.ndarray,
        n_fft: int,
        *,
        detrend: str | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.detrend = detrend
        self.n_bins = n_fft // 2 + 1
        window = np.asarray(window)
        # reduce k * t modulo n_fft in whole numbers: the angle keeps all its digits
        turns = np.outer(np.arange(self.n_bins), np.arange(len(window))) % n_fft
        angles = 2 * math.pi * turns / n_fft
        self.cosine = nn.Parameter(torch.as_tensor(np.cos(angles) * window, dtype=dtype))
        self.sine = nn.Parameter(torch.as_tensor(np.sin(angles) * window, dtype=dtype))

    def forward(self, frames: Tensor, power: float = 2.0) -> Tensor:
        """Magnitudes raised to `power`, (..., win_length) -> (..., n_bins)."""
        frames = _detrended(frames, self.detrend)
        energies = (frames @ self.cosine.T).square() + (frames @ self.sine.T).square()
        if power == 2:
            return energies
        return (energies + ROOT_EPSILON) ** (power / 2)
