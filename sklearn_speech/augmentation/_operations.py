"""Operations on batches shared by several augmentations."""

import math

import torch
from torch import Generator, Tensor

from ..modules.masking import steps_mask
from ._draws import whole_number

#: The value of 1 dB in power spectrograms, by scaling.
UNITS = {"log": math.log(10) / 10, "db": 1.0}

#: Between these peaks, squares and sums of squares stay within the range of float32.
_SMALLEST_PEAK, _LARGEST_PEAK = 1e-15, 1e15


def column(values: Tensor, x: Tensor) -> Tensor:
    """Reshape one value per clip so that it broadcasts over x."""
    return values.view(-1, *[1] * (x.dim() - 1))


def add_at_snr(x: Tensor, noise: Tensor, lengths: Tensor, snr_db: Tensor) -> Tensor:
    """Add noise, scaled to a signal-to-noise ratio over each clip's own samples.

    Parameters
    ----------
    x, noise : Tensor of shape (n_clips, n_times)
    lengths : Tensor of shape (n_clips,)
    snr_db : Tensor of shape (n_clips,)

    Returns
    -------
    y : Tensor of shape (n_clips, n_times)
        x itself if the clip or the noise is silent.
    """
    inside = steps_mask(lengths, x)
    scale, signal_power = _power(x * inside)
    noise_scale, noise_power = _power(noise * inside)
    ratio = torch.where(noise_power > 0, signal_power / noise_power, 0.0)
    gain = torch.sqrt(ratio) * 10 ** (-snr_db / 20)
    return x + gain[:, None] * (noise * noise_scale) / scale


def _power(x: Tensor) -> tuple[Tensor, Tensor]:
    """Return a power of two for each clip, and the sum of squares of the clip scaled by it.

    The factor is 1 unless the squares would leave the range of float32.
    """
    peak = x.abs().amax(1, keepdim=True)
    ordinary = (peak == 0) | ((peak > _SMALLEST_PEAK) & (peak < _LARGEST_PEAK))
    # limited to 2**100 and applied in two steps, because the inverse of a denormal overflows
    exponent = -torch.frexp(peak).exponent.clamp(-100, 100)
    scale = torch.where(ordinary, 1.0, torch.exp2(exponent.to(x.dtype)))
    return scale, (x * scale).square().sum(1)


def shift(
    x: Tensor,
    lengths: Tensor,
    longest: int,
    max_fraction: float,
    silence: Tensor,
    generator: Generator | None,
) -> Tensor:
    """Shift each clip by a random number of steps within its length.

    Parameters
    ----------
    x : Tensor of shape (n_clips, ..., n_steps)
    lengths : Tensor of shape (n_clips,)
    longest : int
        Maximum shift in steps.
    max_fraction : float
        Maximum shift as a fraction of the length of the clip.
    silence : Tensor that broadcasts with x
        Fills the gap.
    generator : torch.Generator or None

    Returns
    -------
    x : Tensor of the same shape
    """
    bound = (lengths * max_fraction).long().clamp(max=longest)
    by = whole_number(-bound, bound, generator)
    source = torch.arange(x.shape[-1], device=x.device) - by[:, None]
    inside = (source >= 0) & (source < lengths[:, None])
    shape = (len(x), *[1] * (x.dim() - 2), x.shape[-1])
    index = source.clamp(0, x.shape[-1] - 1).view(shape).expand_as(x)
    return torch.where(inside.view(shape), x.gather(-1, index), silence)


def interpolate(x: Tensor, positions: Tensor, axis: int) -> Tensor:
    """Interpolate x linearly at fractional positions along an axis; beyond the ends it is constant.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_bands, n_frames)
    positions : Tensor of shape (n_clips, n_points)
    axis : {1, 2}

    Returns
    -------
    values : Tensor of shape (n_clips, n_points, n_frames) or (n_clips, n_bands, n_points)
    """
    last = x.shape[axis] - 1
    positions = positions.clamp(0, last)
    shape = list(x.shape)
    shape[axis] = positions.shape[1]
    positions = positions.unsqueeze(3 - axis)
    low = positions.floor()
    weight = (positions - low).to(x.dtype)
    index = low.long()
    before = x.gather(axis, index.expand(shape))
    after = x.gather(axis, (index + 1).clamp(max=last).expand(shape))
    return before + weight * (after - before)
