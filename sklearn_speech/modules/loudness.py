"""Normalisation of the loudness of waveforms."""

import torch
from torch import Tensor

from .masking import mask_frames


def equalize_loudness(x: Tensor, lengths: Tensor | None = None) -> Tensor:
    """Divide each clip by the root mean square of its samples, weighted by their energies.

    Weighting by energy makes the level that of the loud parts: silence before, after and
    between words does not count, nor does zero-padding, and a click counts for less than it
    would in the peak. The result is the same, to rounding, at whatever level a clip was
    recorded; a silent clip stays silent.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_times)
    lengths : Tensor of shape (n_clips,), default=None
        Valid samples of each clip; the others are zeroed.

    Returns
    -------
    x : Tensor of shape (n_clips, n_times)

    Examples
    --------
    >>> equalize_loudness(torch.tensor([[0.5, -0.5, 0.0], [0.01, -0.01, 0.0]]))
    tensor([[ 1., -1.,  0.],
            [ 1., -1.,  0.]])
    """
    x = mask_frames(x, lengths)
    tiny = torch.finfo(x.dtype).tiny
    x = x / x.abs().amax(1, keepdim=True).clamp(min=tiny)  # no underflow in the fourth power
    energy = x.square()
    level = energy.square().sum(1, keepdim=True) / energy.sum(1, keepdim=True).clamp(min=tiny)
    return x * torch.rsqrt(level.clamp(min=tiny))
