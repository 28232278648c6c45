"""Cutting waveforms into frames, with padding at each clip's own end."""

from typing import Literal

import torch
from torch import Tensor, nn

from .counts import Count

#: What lies outside a clip: zeros, its outermost sample, or its mirror image.
PadMode = Literal["constant", "edge", "reflect"]


class Framing(nn.Module):
    """Overlapping frames of waveforms.

    Frame ``f`` begins at sample ``first_sample + f * hop_length`` of its clip;
    samples before the clip's start and after its end come from padding.

    Parameters
    ----------
    n_fft, win_length, hop_length : int
        In samples. The window lies in the middle of the FFT's length.
    center : bool, default=True
        Whether frame ``f`` is centred on sample ``f * hop_length``.
    pad_mode : {"constant", "reflect", "edge"}, default="constant"
        What lies outside the clip: zeros, its mirror image, or its last sample.
    preemphasis : float, default=0.0
        Share of the previous sample subtracted from each sample.
    """

    def __init__(
        self,
        n_fft: int,
        win_length: int,
        hop_length: int,
        *,
        center: bool = True,
        pad_mode: PadMode = "constant",
        preemphasis: float = 0.0,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.win_length = win_length
        self.hop_length = hop_length
        self.center = center
        self.pad_mode = pad_mode
        self.preemphasis = preemphasis
        self.first_sample = (n_fft - win_length) // 2 - (n_fft // 2 if center else 0)
        #: Frames after a clip's last one that would still reach into its samples.
        self.n_overlapping = max(0, -(-(win_length - hop_length) // hop_length))

    def n_frames(self, n_samples: Count) -> Count:
        """Number of frames of clips of `n_samples` samples.

        Parameters
        ----------
        n_samples : int or Tensor
            In samples.

        Returns
        -------
        n_frames : int or Tensor
        """
        padding = 2 * (self.n_fft // 2) if self.center else 0
        return 1 + (n_samples + padding - self.n_fft) // self.hop_length

    def check_length(self, n_samples: int) -> None:
        """Refuse a clip that is too short for its padding, or for one window without padding."""
        if not self.center and n_samples < self.n_fft:
            raise ValueError(
                f"a clip of {n_samples} samples is shorter than one window of n_fft={self.n_fft}; "
                "use center=True or pad the clips"
            )
        if self.pad_mode == "reflect" and n_samples <= -self.first_sample:
            raise ValueError(
                f"a clip of {n_samples} samples is too short for pad_mode='reflect', which mirrors "
                f"{-self.first_sample} samples at each end; use pad_mode='constant'"
            )

    def forward(
        self,
        waveforms: Tensor,
        lengths: Tensor | None = None,
        first: int = 0,
        stop: int | None = None,
    ) -> Tensor:
        """Frames `first` to `stop` of every clip.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_samples)
            Waveforms; samples beyond a clip's own length are ignored.
        lengths : int64 Tensor of shape (n_clips,), default=None
            Samples of each clip; None is the whole width.
        first, stop : int
            Range of frames; the default is all of the longest clip.

        Returns
        -------
        frames : Tensor of shape (n_clips, stop - first, win_length)
            Overlapping view: copy before changing it in place.
        """
        n_samples = waveforms.shape[1]
        if lengths is None:
            self.check_length(n_samples)
        else:
            self.check_length(int(lengths.min()))
        stop = self.n_frames(n_samples) if stop is None else stop
        begin = self.first_sample + first * self.hop_length
        end = self.first_sample + (stop - 1) * self.hop_length + self.win_length
        if lengths is None:
            padded = self._segment(waveforms, begin, end)
        else:
            padded = self._gather(waveforms, lengths, begin, end)
        return padded.unfold(1, self.win_length, self.hop_length)

    def write(self, waveforms: Tensor, out: Tensor, first: int, stop: int) -> None:
        """Write the samples of frames `first` to `stop` of each clip, with their padding.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_samples)
        out : Tensor of shape (n_clips, width)
            Filled with zeros behind the last frame.
        first, stop : int
            Range of frames.
        """
        begin = self.first_sample + first * self.hop_length
        end = self.first_sample + (stop - 1) * self.hop_length + self.win_length
        if self.pad_mode == "constant" and not self.preemphasis:
            segment = waveforms[:, max(begin, 0) : max(end, 0)]
            left = min(max(-begin, 0), end - begin)
        else:
            segment = self._segment(waveforms, begin, end)
            left = 0
        right = left + segment.shape[1]
        out[:, :left].zero_()
        out[:, left:right].copy_(segment)
        out[:, right:].zero_()

    def _segment(self, x: Tensor, begin: int, end: int) -> Tensor:
        """Samples begin to end of the padded clips, all of one length."""
        n = x.shape[1]
        inner_begin, inner_end = max(begin, 0), max(min(end, n), max(begin, 0))
        inner = x[:, inner_begin:inner_end]
        if self.preemphasis and inner.shape[1]:
            before = x[:, max(inner_begin - 1, 0) : inner_begin]
            if inner_begin == 0:
                before = x[:, :1]  # sample 0 is its own predecessor
            inner = inner - self.preemphasis * torch.cat([before, inner[:, :-1]], dim=1)
        left = min(inner_begin, end) - begin
        right = end - begin - left - inner.shape[1]
        if left == right == 0:
            return inner
        if self.pad_mode == "constant":
            return nn.functional.pad(inner, (left, right))
        ends = []
        for start, count in ((begin, left), (end - right, right)):
            index = self._inside(torch.arange(start, start + count, device=x.device), n)
            ends.append(self._emphasised(x, index.expand(len(x), -1)))
        return torch.cat([ends[0], inner, ends[1]], dim=1)

    def _gather(self, x: Tensor, lengths: Tensor, begin: int, end: int) -> Tensor:
        """Samples begin to end of clips that are padded each at its own end."""
        position = torch.arange(begin, end, device=x.device)
        last = lengths.to(x.device).unsqueeze(1)
        padded = self._emphasised(x, self._inside(position, last))
        if self.pad_mode == "constant":
            inside = (position >= 0) & (position < last)
            return torch.where(inside, padded, padded.new_zeros(()))
        # frames of shorter clips that lie wholly outside are never valid, but stay finite
        return padded

    def _inside(self, position: Tensor, length: int | Tensor) -> Tensor:
        """Index of the sample that stands at a position of the padded clip."""
        if self.pad_mode == "reflect":
            position = position.abs()
            position = torch.where(position >= length, 2 * (length - 1) - position, position)
        last = torch.as_tensor(length - 1, device=position.device)
        return torch.minimum(position.clamp(min=0), last)

    def _emphasised(self, x: Tensor, index: Tensor) -> Tensor:
        samples = x.gather(1, index)
        if self.preemphasis:
            before = x.gather(1, (index - 1).clamp(min=0))
            samples = samples - self.preemphasis * before
        return samples
