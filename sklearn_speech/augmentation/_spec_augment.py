"""Mask bands and frames."""

from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from ..modules.masking import steps_mask
from ._augmentation import Augmentation
from ._constraints import COUNT, FRACTION
from ._draws import whole_number


class SpecAugment(Augmentation):
    """Mask random bands and random frames of log-scaled spectrograms.

    Masked values are replaced by the mean of the clip over all bands and valid frames. The
    maximum mask length is a fraction of the length of the clip, so a setting for sentences does
    not mask a whole word of 0.4 s.

    Parameters
    ----------
    n_time_masks : int, default=2
    max_time_fraction : float, default=0.15
        Maximum mask length as a fraction of the frames of the clip; lengths are drawn uniformly
        from 0 to the maximum.
    n_frequency_masks : int, default=2
    max_frequency_fraction : float, default=0.15
        Maximum mask width as a fraction of the bands.
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

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "n_time_masks": COUNT,
        "max_time_fraction": FRACTION,
        "n_frequency_masks": COUNT,
        "max_frequency_fraction": FRACTION,
    }

    def __init__(
        self,
        n_time_masks: int = 2,
        max_time_fraction: float = 0.15,
        n_frequency_masks: int = 2,
        max_frequency_fraction: float = 0.15,
        p: float = 1.0,
    ) -> None:
        self.n_time_masks = n_time_masks
        self.max_time_fraction = max_time_fraction
        self.n_frequency_masks = n_frequency_masks
        self.max_frequency_fraction = max_frequency_fraction
        self.p = p

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        n_bands = torch.full_like(lengths, x.shape[1])
        frames = _masks(lengths, x.shape[2], self.n_time_masks, self.max_time_fraction, generator)
        bands = _masks(
            n_bands, x.shape[1], self.n_frequency_masks, self.max_frequency_fraction, generator
        )
        inside = steps_mask(lengths, x)
        mean = (x * inside).sum((1, 2)) / (lengths * x.shape[1])
        hidden = (frames[:, None] | bands[:, :, None]) & inside
        return torch.where(hidden, mean[:, None, None].to(x.dtype), x), lengths


def _masks(
    sizes: Tensor, n_steps: int, n_masks: int, max_fraction: float, generator: Generator | None
) -> Tensor:
    """(n_clips, n_steps), true under any of `n_masks` random masks within each clip's size."""
    sizes = sizes[:, None].expand(-1, n_masks)
    longest = (sizes * max_fraction + 1e-4).long()  # so that 0.15 of 100 is 15 despite rounding
    widths = whole_number(torch.zeros_like(longest), longest, generator)
    starts = whole_number(torch.zeros_like(longest), sizes - widths, generator)
    steps = torch.arange(n_steps, device=sizes.device)
    after = steps >= starts[..., None]
    return (after & (steps < (starts + widths)[..., None])).any(1)
