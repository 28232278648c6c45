"""Normalisation of what enters a network."""

import torch
from torch import nn

from .conv_stage import frame_mask, mask_frames
from .masked_norm import MaskedBatchNorm


class InputNorm(nn.Module):
    """Bring spectrograms to zero mean and unit variance.

    Parameters
    ----------
    n_bands : int
    kind : {None, "batch", "clip", "band"}
        None leaves the input as it is. "batch" standardises each band by running
        statistics of the training clips. "clip" uses the mean and standard
        deviation of all bands and frames of each clip, which removes its
        loudness. "band" also subtracts the mean over time from each band of each
        clip, which removes the colour of microphone and room. Clips of a single
        frame have no statistics of their own, and are standardised as by "batch".
    eps : float, default=1e-3
        Added to variances, so that silence stays finite.

    Shape
    -----
    Input and output (n_clips, n_bands, n_frames).
    """

    def __init__(self, n_bands, kind, eps=1e-3):
        super().__init__()
        if kind not in (None, "batch", "clip", "band"):
            raise ValueError(f"input_norm={kind!r}: expected None, 'batch', 'clip' or 'band'")
        self.kind, self.eps = kind, eps
        self.norm = None if kind is None else MaskedBatchNorm(n_bands, affine=False, eps=eps)

    def forward(self, x, lengths=None):
        if self.kind is None:
            return x
        if self.kind == "batch" or x.shape[-1] == 1:
            return self._by_batch(x, lengths)
        axes = (1, 2) if self.kind == "clip" else (2,)
        centred = mask_frames(x - self._mean(x, lengths, axes), lengths)
        variance = self._mean(centred.square(), lengths, (1, 2))
        by_clip = centred * torch.rsqrt(variance + self.eps)
        if lengths is None or not bool((lengths == 1).any()):
            return by_clip
        return torch.where((lengths == 1).view(-1, 1, 1), self._by_batch(x, lengths), by_clip)

    def _by_batch(self, x, lengths):
        mask = None if lengths is None else frame_mask(lengths, x.shape[-1])
        return mask_frames(self.norm(x, mask), lengths)

    @staticmethod
    def _mean(x, lengths, axes):
        if lengths is None:
            return x.mean(axes, keepdim=True)
        total = mask_frames(x, lengths).sum(axes, keepdim=True)
        count = lengths.to(x.dtype).view(-1, 1, 1) * (x.shape[1] if 1 in axes else 1)
        return total / count
