"""The spectral front end with operators that every ONNX runtime has, and for any length."""

from copy import copy
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..modules.front_end import FrontEnd
from ..modules.stft import ROOT_EPSILON, TrainableSTFT

#: Weights of the largest Fourier transform that is written as a convolution, 8 MiB. Beyond it
#: the file would grow more than the convolution gains.
_MAX_KERNEL = 2**21


class ExportedFrontEnd(nn.Module):
    """A :class:`FrontEnd` whose framing and Fourier transform are one convolution.

    A strided convolution with windowed cosines and sines gives the spectra of all frames. It
    is as exact in float32 as the fast transform, quicker for usual windows, and runs where there
    is no operator DFT. Long windows keep the fast transform.

    Parameters
    ----------
    front_end : FrontEnd
        In evaluation mode, in float32.

    Shape
    -----
    Input (n_clips, n_times), output (n_clips, n_bands, n_frames).
    """

    kernel: Tensor
    weights: Tensor | None
    offset: Tensor | None

    def __init__(self, front_end: FrontEnd) -> None:
        super().__init__()
        framing, stft = front_end.framing, front_end.stft
        self.framing = framing
        self.n_bands, self.dtype = front_end.n_bands, front_end.dtype
        self.power = float(front_end.power)
        self.floor = ROOT_EPSILON if isinstance(stft, TrainableSTFT) and self.power != 2 else 0.0
        self.scaling: Any = copy(front_end.scaling)
        self.stft: Any = stft
        self.by_convolution = 2 * stft.n_bins * framing.win_length <= _MAX_KERNEL
        if self.by_convolution:
            self.register_buffer("kernel", _kernel(stft, framing.win_length))
        weights = None if front_end.bank is None else front_end.bank.matrix().detach()
        if front_end.gain is not None:
            weights = torch.diag(front_end.gain) if weights is None else weights * front_end.gain
        self.register_buffer("weights", weights)
        # an offset for each band: the exporter drops the addition of a single constant below 1e-8
        n_energies = stft.n_bins if weights is None else len(weights)
        is_log = self.scaling.scaling == "log"
        offset = torch.full((n_energies,), float(self.scaling.log_offset)) if is_log else None
        self.register_buffer("offset", offset)
        self.scaling.log_offset = 0.0

    def n_frames(self, lengths: Any) -> Any:
        """Number of frames of clips of `lengths` samples (int or Tensor)."""
        return self.framing.n_frames(lengths)

    def forward(self, waveforms: Tensor, lengths: None = None) -> Tensor:
        """Spectrograms of clips of one length."""
        padded = self._padded(waveforms)
        n_frames = self.framing.n_frames(waveforms.shape[1])
        if self.by_convolution:
            spectra = F.conv1d(padded.unsqueeze(1), self.kernel, stride=self.framing.hop_length)
            real, imaginary = spectra[:, :, :n_frames].transpose(1, 2).chunk(2, dim=2)
            energies = real.square() + imaginary.square()
            if self.power != 2:
                energies = (energies + self.floor) ** (self.power / 2)
        else:
            frames = padded.unfold(1, self.framing.win_length, self.framing.hop_length)
            energies = self.stft(frames[:, :n_frames], self.power)
        if self.weights is not None:
            energies = energies @ self.weights.T
        if self.offset is not None:
            energies = energies + self.offset
        return self.scaling.scale(energies)[0].transpose(1, 2)

    def _padded(self, x: Tensor) -> Tensor:
        """The samples that frames are cut from, at least."""
        framing = self.framing
        if framing.preemphasis:
            x = x - framing.preemphasis * torch.cat([x[:, :1], x[:, :-1]], dim=1)
        first = framing.first_sample
        if not framing.center:
            return x[:, first:]
        # the last frame ends at most this far beyond the clip
        after = max(0, first + framing.win_length - framing.n_fft % 2)
        mode = {"constant": "constant", "reflect": "reflect", "edge": "replicate"}
        if first > 0:
            x = x[:, first:]
        return F.pad(x.unsqueeze(1), (max(0, -first), after), mode[framing.pad_mode]).squeeze(1)


def _kernel(stft: Any, win_length: int) -> Tensor:
    """Cosines and sines times the window, (2 * n_bins, 1, win_length); detrending included."""
    if isinstance(stft, TrainableSTFT):
        rows = torch.cat([stft.cosine, stft.sine]).detach().double().numpy()
    else:
        turns = np.outer(np.arange(stft.n_bins), np.arange(win_length)) % stft.n_fft
        angles = 2 * np.pi * turns / stft.n_fft
        rows = np.concatenate([np.cos(angles), np.sin(angles)])
        rows = rows * stft.window.double().numpy()
    if stft.detrend is not None:  # a projection, so that it can be part of the kernel
        rows = rows - rows.mean(axis=1, keepdims=True)
        if stft.detrend == "linear":
            ramp = np.arange(win_length) - (win_length - 1) / 2
            rows = rows - np.outer(rows @ ramp, ramp) / max((ramp**2).sum(), 1)
    return torch.as_tensor(rows[:, np.newaxis], dtype=torch.float32)
