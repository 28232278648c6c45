"""Energies of the frames of many clips, without gradients, in memory that is used again."""

from dataclasses import dataclass

import torch
from torch import Tensor

from .front_end import Blocks, FrontEnd

#: Frames are multiplied by the filter bank in multiples of this. A matrix product computes the
#: rest by other means, with other rounding, so features of a clip would depend on its neighbours.
_GROUP = 48

#: Samples of the windowed frames that a CPU transforms at a time: these and their spectra stay in
#: its cache, and calling the operations takes little of the time.
_TILE_SAMPLES = 2**18

#: Numbers of frames for which the views of the memory are kept.
_N_PLANS = 4


@dataclass(frozen=True)
class _Tile:
    """Views of the memory in which the frames of one tile are computed."""

    frames: Tensor
    target: Tensor  # of the windowed frames, without the zeros that pad them
    windowed: Tensor
    squares: Tensor | None  # of the real and imaginary parts; None without blocks
    products: list[tuple[Tensor, Tensor, Tensor]]  # weights, squares, and energies of each block
    energies: Tensor


@dataclass(frozen=True)
class _Plan:
    """Memory for the energies of a number of frames, and the tiles in which it is filled."""

    energies: Tensor
    tiles: list[_Tile]


class ClipEnergies:
    """Spectral energies of clips under a fixed front end.

    The samples of all clips lie in one row, each clip at a multiple of the hop, so that the
    frames of all clips are one view, however long each clip is. A few frames between two clips
    reach into both; nobody reads them. On a CPU, windows, Fourier transform and filter bank run
    over tiles of this view that stay in the cache.

    The memory for samples, windowed frames and their spectra is kept for later calls. One
    object must not be used in two threads at a time.

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
    torch.Size([2, 40, 101])
    >>> row, starts, counts = energies.of_list([torch.zeros(8000), torch.zeros(400)])
    >>> row[:, starts[1] : starts[1] + counts[1]].shape
    torch.Size([40, 6])
    """

    def __init__(self, front_end: FrontEnd, blocks: Blocks | None = None) -> None:
        self.front_end = front_end
        self.blocks = blocks
        self._framing = front_end.framing
        self._window = front_end.stft.window
        self._n_bands = front_end.stft.n_bins
        if front_end.bank is not None:
            self._n_bands = len(front_end.bank.matrix())
        self._samples = self._window.new_zeros(0)
        self._frames = self._window.new_zeros(0, front_end.win_length)
        self._plans: dict[int, _Plan] = {}
        self._tile = 0
        if self._window.device.type == "cpu":
            self._make_tile(max(1, _TILE_SAMPLES // (front_end.n_fft * _GROUP)) * _GROUP)

    def of_batch(self, waveforms: Tensor, budget: int, out: Tensor | None = None) -> Tensor:
        """Energies of clips of one length.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_samples)
        budget : int
            Frames whose samples are prepared at a time, where a clip has more.
        out : Tensor of shape (n_clips, n_bands, n_frames), default=None
            Where to write the energies; None is new memory.

        Returns
        -------
        energies : Tensor of shape (n_clips, n_bands, n_frames)
        """
        framing = self._framing
        framing.check_length(waveforms.shape[1])
        n_clips, n_frames = len(waveforms), framing.n_frames(waveforms.shape[1])
        if out is None:
            out = self._window.new_empty(n_clips, self._n_bands, n_frames)
        budget = min(budget, n_frames) if n_clips == 1 else n_frames
        for first in range(0, n_frames, budget):
            stop = min(first + budget, n_frames)
            n_rows = stop - first + framing.n_overlapping
            samples = self._room(n_clips * n_rows)[: n_clips * n_rows * framing.hop_length]
            framing.write(waveforms, samples.view(n_clips, -1), first, stop)
            energies = self._energies(self._kept_plan(n_clips * n_rows))[:, : n_clips * n_rows]
            energies = energies.view(self._n_bands, n_clips, n_rows)[:, :, : stop - first]
            out[:, :, first:stop].copy_(energies.transpose(0, 1))
        return out

    def of_list(self, waveforms: list[Tensor]) -> tuple[Tensor, list[int], list[int]]:
        """Energies of clips of different lengths.

        Parameters
        ----------
        waveforms : list of Tensor of shape (n_samples,)

        Returns
        -------
        energies : Tensor of shape (n_bands, n_rows)
            Frames of all clips, with a few meaningless ones behind each clip.
        starts : list of int
            Row of each clip's first frame, and the number of rows.
        counts : list of int
            Frames of each clip.
        """
        framing = self._framing
        counts = [framing.n_frames(len(waveform)) for waveform in waveforms]
        starts = [0]
        for count in counts:
            starts.append(starts[-1] + count + framing.n_overlapping)
        samples = self._room(starts[-1])
        hop = framing.hop_length
        for waveform, count, start, stop in zip(waveforms, counts, starts, starts[1:]):
            part = samples[start * hop : stop * hop]
            framing.write(waveform.unsqueeze(0), part.unsqueeze(0), 0, count)
        energies = self._energies(self._plan(starts[-1]))
        return energies[:, : starts[-1]], starts, counts

    def _room(self, n_rows: int) -> Tensor:
        """Memory for the samples of `n_rows` frames, and of the group in which they end."""
        n_rows = _whole_groups(n_rows)
        if n_rows > len(self._frames):
            framing = self._framing
            n_samples = n_rows * framing.hop_length + framing.win_length
            self._samples = self._samples.new_zeros(n_samples)
            self._frames = self._samples.unfold(0, framing.win_length, framing.hop_length)
            self._plans.clear()
            if self._samples.device.type != "cpu":
                self._make_tile(n_rows)
        return self._samples

    def _make_tile(self, n_rows: int) -> None:
        """Memory for the frames and spectra that are computed at a time."""
        self._tile = n_rows
        self._windowed = self._window.new_zeros(n_rows, self.front_end.n_fft)
        if self.blocks is not None:
            self._squares = self._window.new_zeros(n_rows, 2 * self.front_end.stft.n_bins)

    def _kept_plan(self, n_rows: int) -> _Plan:
        """A plan whose memory is used again: making the views takes as long as a short clip."""
        plan = self._plans.get(n_rows)
        if plan is None:
            if len(self._plans) == _N_PLANS:
                self._plans.clear()
            plan = self._plans[n_rows] = self._plan(n_rows)
        return plan

    def _plan(self, n_rows: int) -> _Plan:
        # frames side by side, as in features: what follows runs along them
        energies = self._window.new_empty(self._n_bands, _whole_groups(n_rows))
        firsts = range(0, n_rows, self._tile)
        return _Plan(energies, [self._tile_of(energies, first, n_rows) for first in firsts])

    def _tile_of(self, energies: Tensor, first: int, n_rows: int) -> _Tile:
        stop = min(first + self._tile, energies.shape[1])
        part = energies[:, first:stop]
        squares, products = None, []
        n_frames = stop - first
        if self.blocks is not None:
            # the matrix products alone need whole groups: what else lies in them is not read
            n_frames = min(stop, n_rows) - first
            squares = self._squares[:n_frames].view(n_frames, -1, 2)
            products = [
                (weights, self._squares[: stop - first, columns].T, part[bands])
                for bands, columns, weights in self.blocks
            ]
        windowed = self._windowed[:n_frames]
        target = windowed[:, : self._framing.win_length]
        frames = self._frames[first : first + n_frames]
        return _Tile(frames, target, windowed, squares, products, part)

    def _energies(self, plan: _Plan) -> Tensor:
        """Energies of the frames of a plan, of shape (n_bands, n_columns)."""
        stft = self.front_end.stft
        for tile in plan.tiles:
            stft.windowed(tile.frames, out=tile.target)
            spectrum = stft.spectrum(tile.windowed)
            if tile.squares is None:
                tile.energies.copy_(self.front_end.energies_of_spectra(spectrum).T)
                continue
            parts = torch.view_as_real(spectrum)
            torch.mul(parts, parts, out=tile.squares)
            for weights, squares, energies in tile.products:
                torch.mm(weights, squares, out=energies)
        return plan.energies


def _whole_groups(n_rows: int) -> int:
    return -(-n_rows // _GROUP) * _GROUP
