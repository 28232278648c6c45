"""Resample clips, each by its own factor."""

import torch
from torch import Tensor
from torch.nn import functional as F

#: Clips are oversampled by this factor before they are interpolated.
OVERSAMPLING = 4
#: Minimum number of zeros after each clip, so that its end does not wrap around to its start.
MARGIN = 128
#: Transform lengths are multiples of this, because powers of two are fast.
BLOCK = 256
#: Width of the anti-aliasing filter's transition band, as a fraction of the Nyquist frequency.
SLOPE = 0.05


def resample(x: Tensor, factor: Tensor, n_out: int) -> Tensor:
    """Play each clip `factor` times as fast: output sample n is the clip at ``n * factor``.

    Frequencies that would exceed the Nyquist frequency are removed first. The clip is then
    oversampled by the Fourier transform and interpolated by a cubic polynomial.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_times)
        Waveforms, zero in the padding.
    factor : Tensor of shape (n_clips,)
    n_out : int

    Returns
    -------
    y : Tensor of shape (n_clips, n_out)
        Zero beyond the end of the clip.
    """
    n_times = x.shape[-1]
    size = -(-(n_times + MARGIN) // BLOCK) * BLOCK
    spectrum = torch.fft.rfft(x, size)
    nyquist = size // 2
    bins = torch.arange(nyquist + 1, device=x.device)
    slope = ((nyquist / factor[:, None] - bins) / (SLOPE * nyquist)).clamp(0, 1)
    spectrum = spectrum * torch.where(factor[:, None] > 1, slope, torch.ones_like(slope))
    spectrum[:, -1] = spectrum[:, -1] / 2  # the longer transform counts this bin twice
    fine = torch.fft.irfft(spectrum, size * OVERSAMPLING) * OVERSAMPLING
    return _read(fine, factor, n_out, (n_times - 1) * OVERSAMPLING).to(x.dtype)


def _read(fine: Tensor, factor: Tensor, n_out: int, last: int) -> Tensor:
    steps = torch.arange(n_out, device=fine.device, dtype=torch.float64)
    positions = steps * factor[:, None].double() * OVERSAMPLING
    start = positions.floor()
    t = (positions - start).to(fine.dtype)
    index = start.long().clamp(max=last) + 1
    fine = F.pad(fine, (1, 2))
    a, b, c, d = (fine.gather(1, index + k) for k in (-1, 0, 1, 2))
    # Lagrange's polynomial through four neighbours, in Horner's form
    cubic = (d - a) / 6 + (b - c) / 2
    square = (a + c) / 2 - b
    line = c - a / 3 - b / 2 - d / 6
    value = ((cubic * t + square) * t + line) * t + b
    return value.masked_fill(positions > last, 0.0)
