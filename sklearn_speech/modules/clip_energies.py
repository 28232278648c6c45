"""Energies of the frames of many clips, without gradients, in memory that is used again."""

import torch
from torch import Tensor

from .front_end import Blocks, FrontEnd

#: Frames are computed in multiples of this. A matrix product computes the rest of a tile by other
#: means, with other rounding, so features of a clip would depend on the clips beside it.
_TILE = 48


class ClipEnergies:
    """Spectral energies of clips under a fixed front end.

    The samples of all clips lie in one row, each clip at a multiple of the hop, so that the
    frames of all clips are one view, with one Fourier transform and one filter bank, however
    long each clip is. A few frames between two clips reach into both; nobody reads them.

    The memory for samples and windowed frames grows with the largest call and is kept for
    later ones. One object must not be used in two threads at a time.

    Parameters
    ----------
    front_end : FrontEnd
        With a fixed Fourier transform, which keeps the frames' memory padded with zeros.
    blocks : list of (slice, slice, Tensor), default=None
        Result of :meth:`FrontEnd.blocks`, for speed.

    Examples
    --------
    >>> front_end = FrontEnd(8000, n_mels=40)
    >>> energies = ClipEnergies(front_end, front_end.blocks())
    >>> energies.of_batch(torch.zeros(2, 8000), 1000).shape
    torch.Size([2, 101, 40])
    >>> row, starts, counts = energies.of_list([torch.zeros(8000), torch.zeros(400)])
    >>> row[starts[1] : starts[1] + counts[1]].shape
    torch.Size([6, 40])
    """

    def __init__(self, front_end: FrontEnd, blocks: Blocks | None = None) -> None:
        self.front_end = front_end
        self.blocks = blocks
        window = front_end.stft.window
        self._samples = window.new_zeros(0)
        self._windowed = window.new_zeros(0, front_end.n_fft)

    def of_batch(self, waveforms: Tensor, budget: int) -> Tensor:
        """Energies of clips of one length.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_samples)
        budget : int
            Frames computed at a time, where a clip has more.

        Returns
        -------
        energies : Tensor of shape (n_clips, n_frames, n_bands)
            A view of memory in which each band is contiguous.
        """
        framing = self.front_end.framing
        framing.check_length(waveforms.shape[1])
        n_clips, n_frames = len(waveforms), framing.n_frames(waveforms.shape[1])
        if n_frames <= budget or n_clips != 1:
            return self._piece(waveforms, 0, n_frames)
        ends = range(budget, n_frames + budget, budget)
        pieces = [self._piece(waveforms, end - budget, min(end, n_frames)) for end in ends]
        return torch.cat([piece.mT for piece in pieces], dim=2).mT

    def of_list(self, waveforms: list[Tensor]) -> tuple[Tensor, list[int], list[int]]:
        """Energies of clips of different lengths.

        Parameters
        ----------
        waveforms : list of Tensor of shape (n_samples,)

        Returns
        -------
        energies : Tensor of shape (n_rows, n_bands)
            Frames of all clips, with a few meaningless ones behind each clip.
        starts : list of int
            Row of each clip's first frame, and the number of rows.
        counts : list of int
            Frames of each clip.
        """
        framing = self.front_end.framing
        counts = [framing.n_frames(len(waveform)) for waveform in waveforms]
        starts = [0]
        for count in counts:
            starts.append(starts[-1] + count + framing.n_overlapping)
        samples = self._room(starts[-1])
        hop = framing.hop_length
        for waveform, count, start, stop in zip(waveforms, counts, starts, starts[1:]):
            part = samples[start * hop : stop * hop]
            framing.write(waveform.unsqueeze(0), part.unsqueeze(0), 0, count)
        return self._energies(starts[-1]), starts, counts

    def _piece(self, waveforms: Tensor, first: int, stop: int) -> Tensor:
        framing = self.front_end.framing
        n_clips, n_rows = len(waveforms), stop - first + framing.n_overlapping
        samples = self._room(n_clips * n_rows)[: n_clips * n_rows * framing.hop_length]
        framing.write(waveforms, samples.view(n_clips, -1), first, stop)
        energies = self._energies(n_clips * n_rows)
        return energies.view(n_clips, n_rows, -1)[:, : stop - first]

    def _room(self, n_rows: int) -> Tensor:
        """Memory for the samples of `n_rows` frames, and of the tile in which they end."""
        n_rows = _whole_tiles(n_rows)
        if n_rows > len(self._windowed):
            framing = self.front_end.framing
            n_samples = n_rows * framing.hop_length + framing.win_length
            self._samples = self._samples.new_zeros(n_samples)
            self._windowed = self._windowed.new_zeros(n_rows, self._windowed.shape[1])
        return self._samples

    def _energies(self, n_rows: int) -> Tensor:
        framing, stft = self.front_end.framing, self.front_end.stft
        n_computed = _whole_tiles(n_rows)
        frames = self._samples.unfold(0, framing.win_length, framing.hop_length)[:n_computed]
        windowed = self._windowed[:n_computed]
        stft.windowed(frames, out=windowed[:, : framing.win_length])
        energies = self.front_end.energies_of_spectra(stft.spectrum(windowed), self.blocks)
        return energies[:n_rows]


def _whole_tiles(n_rows: int) -> int:
    return -(-n_rows // _TILE) * _TILE
