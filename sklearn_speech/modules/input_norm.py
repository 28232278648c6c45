"""Normalisation of what enters a network."""

from typing import Any

import torch
from torch import Tensor, nn

from .masked_norm import MaskedBatchNorm
from .masking import fill_padding, frame_mask, mask_frames

#: Smallest standard deviation of a clip, as a fraction of the range of its levels: where a click
#: is the only sound, a smaller one would amplify everything else too much.
LEAST_DEVIATION = 1 / 8


class InputNorm(nn.Module):
    """Bring spectrograms to zero mean and unit variance.

    Parameters
    ----------
    n_bands : int
    kind : {None, "batch", "clip", "band"}
        None leaves the input as it is. "batch" standardises each band by running statistics
        of the training clips. "clip" uses the mean and standard deviation of all bands of
        each clip, which removes its loudness. "band" also subtracts the mean over time from
        each band of each clip, which removes the colour of microphone and room. Statistics
        of a clip are those of its sounding frames, whose mean level lies in the upper half
        of the clip's range: silence and padding have no weight, and the deviation is at
        least an eighth of that range. Clips of a single frame have no statistics of their
        own, and are standardised as with "batch".
    eps : float, default=1e-3
        Added to variances, so that silence stays finite.

    Shape
    -----
    Input and output (n_clips, n_bands, n_frames).
    """

    def __init__(self, n_bands: int, kind: str | None, eps: float = 1e-3) -> None:
        super().__init__()
        if kind not in (None, "batch", "clip", "band"):
            raise ValueError(f"input_norm={kind!r}: expected None, 'batch', 'clip' or 'band'")
        self.kind, self.eps = kind, eps
        self.norm: Any = None  # a MaskedBatchNorm where there is a kind
        if kind is not None:
            self.norm = MaskedBatchNorm(n_bands, affine=False, eps=eps)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if self.kind is None:
            return x
        if self.kind == "batch" or x.shape[-1] == 1:
            return self._by_batch(x, lengths)
        x = x.contiguous()  # the order of sums, and their last digits, depend on the layout
        counted, span = sounding_frames(x, lengths)
        least = (span * LEAST_DEVIATION).square()
        shares = counted / counted.sum(2, keepdim=True)
        if self.kind == "clip":
            centred = x - _weighted(x.mean(1, keepdim=True), shares)
        else:
            centred = x - _mean_of_bands(x, shares)
        variance = _weighted(centred.square().mean(1, keepdim=True), shares)
        by_clip = centred * torch.rsqrt(torch.maximum(variance, least) + self.eps)
        if lengths is None:
            return by_clip
        by_clip = mask_frames(by_clip, lengths)
        if not bool((lengths == 1).any()):
            return by_clip
        return torch.where((lengths == 1).view(-1, 1, 1), self._by_batch(x, lengths), by_clip)

    def _by_batch(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        mask = None if lengths is None else frame_mask(lengths, x.shape[-1])
        return mask_frames(self.norm(x, mask), lengths)


def sounding_frames(x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Mark the frames whose mean level lies in the upper half of their clip's range.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_bands, n_frames)
    lengths : Tensor of shape (n_clips,), default=None
        Frames of each clip; None means all.

    Returns
    -------
    counted : Tensor of shape (n_clips, 1, n_frames), of the type of x
        1 where a frame counts, 0 elsewhere.
    span : Tensor of shape (n_clips, 1, 1)
        Between the lowest and the highest level.
    """
    level = x.mean(1)
    if lengths is None:
        low, high = torch.aminmax(level, dim=1, keepdim=True)
        sounding = level >= (low + high) / 2
    else:
        inside = frame_mask(lengths, x.shape[2])
        low = fill_padding(level, inside, torch.inf).amin(1, keepdim=True)
        high = fill_padding(level, inside, -torch.inf).amax(1, keepdim=True)
        sounding = inside & (level >= (low + high) / 2)
    return sounding[:, None].to(x.dtype), (high - low)[:, None]


def _weighted(x: Tensor, shares: Tensor) -> Tensor:
    """Weighted mean over the frames, of shape (n_clips, 1, 1)."""
    return (x * shares).sum(2, keepdim=True)


def _mean_of_bands(x: Tensor, shares: Tensor) -> Tensor:
    """Weighted mean of each band over the frames, of shape (n_clips, n_bands, 1)."""
    # levels need more digits than bfloat16 has; the context takes longer than the product
    if not torch.is_autocast_enabled(x.device.type):
        return torch.bmm(x, shares.transpose(1, 2))
    with torch.autocast(x.device.type, enabled=False):
        return torch.bmm(x, shares.transpose(1, 2))
