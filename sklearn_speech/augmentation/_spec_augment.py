"""Masked bands and frames."""

import torch

from ..modules.masking import steps_mask
from ._augmentation import (
    Augmentation,
    check_count,
    check_number,
    whole_number,
)


class SpecAugment(Augmentation):
    """Hide random bands and random frames of log-scaled spectrograms.

    Hidden places get the clip's own mean over all bands and valid frames. Masks
    are at most a part of the clip's own length, so that a word of 0.4 s is not
    hidden by a mask that was made for sentences.

    Parameters
    ----------
    n_time_masks : int, default=2
    max_time_fraction : float, default=0.15
        Longest mask, as a part of the clip's own frames; lengths are drawn
        uniformly from 0 to that.
    n_frequency_masks : int, default=2
    max_frequency_fraction : float, default=0.15
        Widest mask, as a part of the bands.
    p : float, default=1.0
        Probability that a clip is changed.

    References
    ----------
    D. S. Park et al., "SpecAugment: a simple data augmentation method for automatic
    speech recognition", Interspeech 2019.

    Examples
    --------
    >>> import torch
    >>> x, _ = SpecAugment(n_frequency_masks=0)(torch.rand(8, 40, 100))
    >>> x.shape
    torch.Size([8, 40, 100])
    """

    domain = "spectrogram"

    def __init__(
        self,
        n_time_masks=2,
        max_time_fraction=0.15,
        n_frequency_masks=2,
        max_frequency_fraction=0.15,
        p=1.0,
    ):
        check_count("n_time_masks", n_time_masks)
        check_number("max_time_fraction", max_time_fraction, 0, 1)
        check_count("n_frequency_masks", n_frequency_masks)
        check_number("max_frequency_fraction", max_frequency_fraction, 0, 1)
        check_number("p", p, 0, 1)
        self.n_time_masks = n_time_masks
        self.max_time_fraction = max_time_fraction
        self.n_frequency_masks = n_frequency_masks
        self.max_frequency_fraction = max_frequency_fraction
        self.p = p

    def _transform(self, x, lengths, generator):
        n_bands = torch.full_like(lengths, x.shape[1])
        frames = _masks(lengths, x.shape[2], self.n_time_masks, self.max_time_fraction, generator)
        bands = _masks(
            n_bands, x.shape[1], self.n_frequency_masks, self.max_frequency_fraction, generator
        )
        inside = steps_mask(lengths, x)
        mean = (x * inside).sum((1, 2)) / (lengths * x.shape[1])
        hidden = (frames[:, None] | bands[:, :, None]) & inside
        return torch.where(hidden, mean[:, None, None].to(x.dtype), x), lengths


def _masks(sizes, n_steps, n_masks, max_fraction, generator):
    """(n_clips, n_steps), true under any of `n_masks` random masks within each clip's size."""
    sizes = sizes[:, None].expand(-1, n_masks)
    longest = (sizes * max_fraction + 1e-4).long()  # 0.15 of 100 is 15, rounding or not
    widths = whole_number(torch.zeros_like(longest), longest, generator)
    starts = whole_number(torch.zeros_like(longest), sizes - widths, generator)
    steps = torch.arange(n_steps, device=sizes.device)
    after = steps >= starts[..., None]
    return (after & (steps < (starts + widths)[..., None])).any(1)
