"""From spectral energies to features and back: compression and normalisation.

The two directions are one pair of methods, :meth:`Scaling.scale` and
:meth:`Scaling.unscale`. What ``scale`` removes from a clip (its reference level, its mean
and spread) is the clip's *range*; ``unscale`` puts it back.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from .masking import fill_padding

#: Names of the scalings; None means energies.
SCALINGS = ("log", "db")

#: Spread below this fraction of the largest value counts as none: rounding is not a feature.
_FLAT = 1e-5
#: Keeps silence from being divided by zero; its square is still a float32.
_TINY = 1e-15


class Scaling(nn.Module):
    """Logarithm or decibels, an optional cepstrum, then normalisation of each clip.

    Parameters
    ----------
    scaling : {None, "log", "db"}, default="log"
        "log" is ``log(energy + log_offset)``; "db" is decibels over `ref`.
    power : float, default=2.0
        Exponent of the magnitude that the energies carry; decibels are
        ``20 / power * log10``.
    log_offset : float, default=1e-6
        Added before the natural logarithm. The logarithm of zero is that of the
        smallest normal number of the dtype, -87.3 in float32.
    ref : float or "max", default=1.0
        The energy of 0 dB; "max" is the largest of each clip.
    amin : float, default=1e-14
        Smallest energy in decibels; at least the smallest normal number of the dtype.
    top_db : float, default=80.0
        Floor of each clip, in dB below its largest value; None is no floor.
    db_window : (float, float), default=None
        Levels in dB that become 0 and 1; values outside are cut off.
    normalize : {None, "clip", "band", "minmax", "max"}, default=None
        Each clip is brought to mean 0 and standard deviation 1, as a whole
        ("clip") or band by band ("band"), to [0, 1] ("minmax"), or divided by
        its largest value ("max").
    cepstrum : nn.Module, default=None
        Applied between compression and normalisation; has an ``inverse`` method.
    """

    #: A module with a method ``inverse``, or None.
    cepstrum: Any
    #: Shift and spread where clips are not normalised.
    _unchanged: Tensor

    def __init__(
        self,
        scaling: str | None = "log",
        power: float = 2.0,
        *,
        log_offset: float = 1e-6,
        ref: float | str = 1.0,
        amin: float = 1e-14,
        top_db: float | None = 80.0,
        db_window: tuple[float, float] | None = None,
        normalize: str | None = None,
        cepstrum: nn.Module | None = None,
    ) -> None:
        super().__init__()
        if db_window is not None and not (len(db_window) == 2 and db_window[0] < db_window[1]):
            raise ValueError(f"db_window={db_window!r}: expected (low, high) in dB, low < high")
        self.scaling = scaling
        self.multiplier = 20.0 / power
        self.log_offset = log_offset
        self.ref = ref
        self.amin = amin
        self.top_db = top_db
        self.db_window = db_window
        self.normalize = normalize
        self.cepstrum = cepstrum
        self.register_buffer("_unchanged", torch.tensor([[[0.0], [1.0]]]), persistent=False)

    @property
    def has_ranges(self) -> bool:
        """Whether scaling removes something that differs between clips."""
        return self.normalize is not None or (self.scaling == "db" and self.ref == "max")

    def scale(self, energies: Tensor, valid: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Turn energies into features.

        Parameters
        ----------
        energies : Tensor of shape (n_clips, n_frames, n_bands)
            Not changed, unless gradients are off: then the same memory may be reused.
        valid : bool Tensor of shape (n_clips, n_frames), default=None
            Which frames belong to their clip; None is all.

        Returns
        -------
        features : Tensor of shape (n_clips, n_frames, n_features)
        ranges : Tensor of shape (n_clips, 3, n_features) or (n_clips, 3, 1)
            Reference level in dB, shift and spread of each clip.
        """
        valid = None if valid is None else valid.unsqueeze(-1)
        x, reference = self._compress(energies, _Batch(valid))
        return self._finish(x, reference, valid)

    def scale_row(
        self, energies: Tensor, starts: list[int], counts: list[int]
    ) -> tuple[list[Tensor], Tensor]:
        """Like :meth:`scale`, for clips of different lengths that lie in one row.

        Parameters
        ----------
        energies : Tensor of shape (n_rows, n_bands)
            Frames of all clips; rows behind a clip's last frame may hold anything.
        starts : list of int
            Row of the first frame of each clip, and the number of rows.
        counts : list of int
            Frames of each clip.

        Returns
        -------
        features : list of Tensor of shape (n_frames, n_features)
        ranges : Tensor of shape (n_clips, 3, n_features) or (n_clips, 3, 1)
        """
        x, reference = self._compress(energies, _Row(starts, counts))
        parts = [x[start : start + count] for start, count in zip(starts, counts)]
        reference = reference.view(-1, 1, 1)
        if self.normalize is None and self.cepstrum is None:
            return parts, self._ranges(reference, len(counts))
        reference = reference.expand(len(counts), 1, 1)
        finished = [
            self._finish(part.unsqueeze(0), level.unsqueeze(0), None)
            for part, level in zip(parts, reference)
        ]
        return [features[0] for features, _ in finished], torch.cat([r for _, r in finished])

    def _finish(self, x: Tensor, reference: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
        if self.cepstrum is not None:
            x = self.cepstrum(x, valid)
        if self.normalize is None:
            return x, self._ranges(reference, x.shape[0])
        shift, spread = self._statistics(x, valid)
        x = (x - shift) / spread
        reference = reference.expand_as(shift)
        return x, torch.cat([reference, shift, spread], dim=1)

    def _ranges(self, reference: Tensor, n_clips: int) -> Tensor:
        """Ranges of clips that are not normalised."""
        unchanged = self._unchanged.to(reference.dtype).expand(n_clips, 2, 1)
        return torch.cat([reference.expand(n_clips, 1, 1), unchanged], dim=1)

    def unscale(self, features: Tensor, ranges: Tensor) -> Tensor:
        """Turn features back into energies: the inverse of :meth:`scale`, up to what it cut off.

        Parameters
        ----------
        features : Tensor of shape (n_clips, n_frames, n_features)
            Features.
        ranges : Tensor of shape (n_clips, 3, n_features) or (n_clips, 3, 1)
            What ``scale`` returned for the clips, or a guess.

        Returns
        -------
        energies : Tensor of shape (n_clips, n_frames, n_bands)
            Not negative.
        """
        reference, shift, spread = ranges.split(1, dim=1)
        x = features
        if self.normalize is not None:
            x = x * spread + shift
        if self.cepstrum is not None:
            x = self.cepstrum.inverse(x)
        if self.scaling == "log":
            return (torch.exp(x) - self.log_offset).clamp(min=0)
        if self.scaling is None:
            return x.clamp(min=0)
        if self.db_window is not None:
            low, high = self.db_window
            x = x * (high - low) + low
        return 10.0 ** ((x + reference[..., :1]) / self.multiplier)

    def _compress(self, x: Tensor, clips: "_Batch | _Row") -> tuple[Tensor, Tensor]:
        """Compressed energies, and the reference level of each clip or of all."""
        nothing = x.new_zeros([1] * x.dim())
        if self.scaling is None:
            return x, nothing
        in_place = not x.requires_grad
        smallest = torch.finfo(x.dtype).tiny
        if self.scaling == "log":
            x = x.add_(self.log_offset) if in_place else x + self.log_offset
            if self.log_offset < smallest:
                x = x.clamp_(min=smallest) if in_place else x.clamp(min=smallest)
            return x.log_() if in_place else x.log(), nothing
        amin = max(self.amin, smallest)
        # the smallest level is the last to be imposed in place, together with the floor
        x = x.log10_() if in_place else x.clamp(min=amin).log10()
        x = x.mul_(self.multiplier) if in_place else x * self.multiplier
        lowest = self.multiplier * math.log10(amin)
        reference = largest = nothing
        if self.ref == "max" or self.top_db is not None:
            largest = clips.largest(x)
        if self.top_db is None:
            x = x.clamp_(min=lowest) if in_place else x
        elif in_place:
            floor = clips.spread((largest - self.top_db).clamp_(min=lowest))
            x = torch.maximum(x, floor, out=x)
        else:
            x = torch.maximum(x, clips.spread(largest - self.top_db))
        if self.ref == "max":
            reference = largest.clamp_(min=lowest) if in_place else largest
            x = x.sub_(clips.spread(reference)) if in_place else x - clips.spread(reference)
        elif self.ref != 1.0:
            level = self.multiplier * math.log10(max(float(self.ref), amin))
            reference = nothing + level
            x = x.sub_(level) if in_place else x - level
        if self.db_window is not None:
            low, high = self.db_window
            x = ((x - low) / (high - low)).clamp(0, 1)
        return x, reference

    def _statistics(self, x: Tensor, valid: Tensor | None) -> tuple[Tensor, Tensor]:
        over = (1,) if self.normalize == "band" else (1, 2)
        largest = fill_padding(x, valid, 0).abs().amax(dim=over, keepdim=True)
        smallest_spread = _FLAT * largest + _TINY
        if self.normalize == "max":
            return torch.zeros_like(largest), largest.clamp(min=_TINY)
        if self.normalize == "minmax":
            low = fill_padding(x, valid, torch.inf).amin(dim=over, keepdim=True)
            high = fill_padding(x, valid, -torch.inf).amax(dim=over, keepdim=True)
            return low, torch.maximum(high - low, smallest_spread)
        if valid is None:
            shift = _within(x, _mean(x, over), over)
            variance = _mean((x - shift).square(), over)
        else:
            count = valid.sum(dim=1, keepdim=True).clamp(min=1)
            count = count * (1 if self.normalize == "band" else x.shape[2])
            shift = fill_padding(x, valid, 0).sum(dim=over, keepdim=True) / count
            shift = _within(torch.where(valid, x, shift), shift, over)
            variance = (
                fill_padding((x - shift).square(), valid, 0).sum(dim=over, keepdim=True) / count
            )
        # epsilon inside the root: a flat clip has a gradient, and becomes zeros
        return shift, torch.sqrt(variance + smallest_spread.square())


class _Batch:
    """Clips of a padded batch: the largest value of each clip, and a value for each clip's frames.

    Parameters
    ----------
    valid : bool Tensor of shape (n_clips, n_frames, 1), default=None
        Which frames belong to their clip; None is all.
    """

    def __init__(self, valid: Tensor | None) -> None:
        self.valid = valid

    def largest(self, x: Tensor) -> Tensor:
        return fill_padding(x, self.valid, -torch.inf).amax(dim=(1, 2), keepdim=True)

    def spread(self, of_clips: Tensor) -> Tensor:
        return of_clips


class _Row:
    """The same for clips that lie one behind the other.

    Parameters
    ----------
    starts : list of int
        First row of each clip, and the number of rows.
    counts : list of int
        Frames of each clip.
    """

    def __init__(self, starts: list[int], counts: list[int]) -> None:
        self.counts = torch.tensor(counts)
        self.lengths = torch.tensor(starts).diff()

    def largest(self, x: Tensor) -> Tensor:
        parts = torch.stack([self.counts, self.lengths - self.counts], dim=1).flatten()
        return torch.segment_reduce(x.amax(dim=1), "max", lengths=parts.to(x.device))[::2]

    def spread(self, of_clips: Tensor) -> Tensor:
        return of_clips.repeat_interleave(self.lengths.to(of_clips.device)).unsqueeze(1)


def _mean(x: Tensor, over: tuple[int, ...]) -> Tensor:
    """Means, one dimension after the other: rounding is the same in any layout of the memory."""
    for dim in over:
        x = x.mean(dim=dim, keepdim=True)
    return x


def _within(x: Tensor, mean: Tensor, over: tuple[int, ...]) -> Tensor:
    """The mean, but not outside of the values: rounding may put that of equal ones there."""
    low, high = (limit(x, dim=over, keepdim=True) for limit in (torch.amin, torch.amax))
    return torch.maximum(torch.minimum(mean, high), low)
