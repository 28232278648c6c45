"""Waveforms from magnitudes or mel energies by a fast Griffin-Lim.

Griffin-Lim alternates between a waveform and its spectrogram and restores the known
magnitudes in each iteration. With mel energies the magnitudes are not known, only weighted
sums of them. Magnitudes estimated once in advance belong to no waveform, so each iteration
keeps the fine structure of the current waveform and corrects only the energies of the
bands.
"""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.signal import check_NOLA
from torch import Tensor

from .framing import PadMode

#: Mel energies, as a share of the clip's largest, below which a band counts as silent.
TINY = 1e-20

#: Largest correction of one bin in one update, so that zero is never multiplied by infinity.
MAX_GAIN = 1e12

#: Multiplicative updates that turn mel energies into the first magnitudes.
N_FIRST_UPDATES = 12

#: Windows may taper off at the ends of a clip: smallest fraction of the peak to divide by.
EDGE_FLOOR = 1e-2


class MelConstraint:
    """Correct spectra bin by bin until the filter bank gives the target energies.

    Parameters
    ----------
    filterbank : tensor of shape (n_bands, n_bins) or None
        Weights of at least 0. None: the target is the spectrum itself.
    power : float, default=2.0
        The target is ``filterbank @ magnitude**power``.
    n_updates : int, default=2
        Multiplicative updates in each call. One update multiplies each bin by
        the ratio of wanted to present energy, averaged over the bands that
        contain the bin: the update for the Kullback-Leibler divergence of Lee
        and Seung, *Algorithms for non-negative matrix factorization* (2001),
        which keeps spectra at or above 0.

    Examples
    --------
    >>> import torch
    >>> bank = torch.tensor([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    >>> target = torch.tensor([[[3.0, 5.0]]])
    >>> spectrum = MelConstraint(bank).first(target)
    >>> torch.allclose(spectrum @ bank.T, target, atol=1e-3)
    True
    """

    def __init__(self, filterbank: Tensor | None, power: float = 2.0, n_updates: int = 2) -> None:
        if filterbank is not None and bool((filterbank < 0).any()):
            raise ValueError("filterbank has negative weights: expected weights of at least 0")
        if power <= 0:
            raise ValueError(f"power={power!r}: expected a number above 0")
        if n_updates < 1:
            raise ValueError(f"n_updates={n_updates!r}: expected at least 1")
        self.power = power
        self.n_updates = n_updates
        self.filterbank = filterbank
        if filterbank is not None:
            weight_sums = filterbank.sum(0)
            self.covered = weight_sums > 0
            self.to_bands = filterbank.T.contiguous()
            self.to_bins = filterbank / weight_sums.clamp(min=torch.finfo(filterbank.dtype).tiny)
            # bins outside all bands keep the waveform's values
            self.uncovered = (~self.covered).to(filterbank.dtype)

    def gain(self, spectrum: Tensor, target: Tensor, n_updates: int | None = None) -> Tensor:
        """Factors for `spectrum` (N, n_frames, n_bins) that bring it to `target` (.., n_bands)."""
        if self.filterbank is None:
            return (target / (spectrum + TINY)).clamp_(max=MAX_GAIN)
        gain = self._update(spectrum, target)
        for _ in range(1, self.n_updates if n_updates is None else n_updates):
            gain = gain.mul_(self._update(spectrum * gain, target)).clamp_(max=MAX_GAIN)
        return gain

    def _update(self, spectrum: Tensor, target: Tensor) -> Tensor:
        """Factors of one multiplicative update."""
        present = spectrum @ self.to_bands
        ratio = torch.div(target, present.add_(TINY)).clamp_(max=MAX_GAIN)
        return (ratio @ self.to_bins).add_(self.uncovered)

    def first(self, target: Tensor) -> Tensor:
        """Spectra (magnitude ** power) with the target energies, and no structure beyond them."""
        if self.filterbank is None:
            return target.clone()
        flat = self.covered.to(target.dtype).expand(*target.shape[:-1], -1)
        return self.gain(flat, target, N_FIRST_UPDATES) * flat


class _Frames:
    """Analysis and synthesis of a batch of clips, each padded at its own ends."""

    def __init__(
        self,
        window: Tensor,
        hop_length: int,
        center: bool,
        pad_mode: PadMode,
        n_frames: list[int],
        lengths: Sequence[int] | None,
    ) -> None:
        self.window, self.hop, self.n_fft = window, hop_length, len(window)
        self.n_frames = max(n_frames)
        self.pad = self.n_fft // 2 if center else 0
        self.lengths = self._fitting(n_frames, lengths)
        device, longest = window.device, max(self.lengths)
        # clips of equal length share one row
        rows = list(zip(n_frames, self.lengths))
        rows = rows[:1] if len(set(rows)) == 1 else rows
        self.source = self._sources(rows, longest, pad_mode).to(device)
        counts = torch.tensor([frames for frames, _ in rows], device=device)
        ends = torch.tensor([length for _, length in rows], device=device)
        present = torch.arange(self.n_frames, device=device) < counts[:, None]
        self.present = present.to(window.dtype)[..., None]  # (rows, n_frames, 1)
        inside = torch.arange(longest, device=device) < ends[:, None]
        weight = self._overlap_add(self.present * window.square())
        weight = weight[:, self.pad : self.pad + longest]
        steady = window.square().cpu().numpy()
        steady = min(steady[i :: self.hop].sum() for i in range(self.hop))
        peak = float(window.square().max())
        weight = weight.clamp(min=min(float(steady), EDGE_FLOOR * peak))
        self.weight = inside / weight
        # allocating this in each iteration would take longer than the transforms
        self.frames = window.new_empty(len(n_frames), self.n_frames, self.n_fft)

    def _fitting(self, n_frames: list[int], lengths: Sequence[int] | None) -> list[int]:
        """The length nearest to the wanted one that has this number of frames."""
        fitting = []
        for i, frames in enumerate(n_frames):
            start = (frames - 1) * self.hop
            least = start + self.n_fft - 2 * self.pad
            # no further than the next frame, or than the last one reaches
            most = max(1, min(least + self.hop - 1, start + self.n_fft - self.pad))
            # a single centred frame needs no sample: use as many as it can contain
            least = least or most
            fitting.append(least if lengths is None else min(max(int(lengths[i]), least), most))
        return fitting

    def _sources(self, rows: list[tuple[int, int]], longest: int, pad_mode: PadMode) -> Tensor:
        """Where each sample of the padded clips comes from; `longest` stands for a zero."""
        width = (self.n_frames - 1) * self.hop + self.n_fft
        source = np.full((len(rows), width), longest)
        for row, (frames, length) in zip(source, rows):
            stop = (frames - 1) * self.hop + self.n_fft
            samples = np.arange(length)
            if pad_mode == "constant":
                padded = np.pad(samples, self.pad, constant_values=longest)
            else:
                padded = np.pad(samples, self.pad, mode=pad_mode)
            padded = padded[:stop]
            row[: len(padded)] = padded
        return torch.from_numpy(source)

    def analyse(self, waveforms: Tensor, out: Tensor | None = None) -> Tensor:
        """(N, longest) -> complex (N, n_frames, n_bins)."""
        samples = torch.nn.functional.pad(waveforms, (0, 1))
        if len(self.source) == 1:
            samples = samples[:, self.source[0]]
        else:
            samples = samples.gather(1, self.source)
        frames = torch.mul(samples.unfold(1, self.n_fft, self.hop), self.window, out=self.frames)
        return torch.fft.rfft(frames, out=out)

    def synthesise(self, spectra: Tensor) -> Tensor:
        """Complex (N, n_frames, n_bins) -> (N, longest), the waveforms of least squared error."""
        frames = torch.fft.irfft(spectra, n=self.n_fft, out=self.frames)
        waveforms = self._overlap_add(frames.mul_(self.window))
        return waveforms[:, self.pad : self.pad + self.weight.shape[1]] * self.weight

    def _overlap_add(self, frames: Tensor) -> Tensor:
        n_clips, n_frames, _ = frames.shape
        n_parts = -(-self.n_fft // self.hop)
        added = frames.new_zeros(n_clips, n_frames - 1 + n_parts, self.hop)
        for part in range(n_parts):
            samples = frames[..., part * self.hop : (part + 1) * self.hop]
            added[:, part : part + n_frames, : samples.shape[-1]] += samples
        return added.flatten(1)


def _check(
    target: Tensor,
    window: Tensor,
    hop_length: int,
    filterbank: Tensor | None,
    n_frames: list[int],
    n_iter: int,
    momentum: float,
) -> None:
    n_fft = len(window)
    n_bands = n_fft // 2 + 1 if filterbank is None else filterbank.shape[0]
    if target.ndim != 3 or target.shape[1] != n_bands:
        raise ValueError(
            f"target has shape {tuple(target.shape)}; expected (n_clips, {n_bands}, n_frames)"
        )
    if filterbank is not None and filterbank.shape[1] != n_fft // 2 + 1:
        raise ValueError(
            f"filterbank has {filterbank.shape[1]} bins, but a window of {n_fft} samples "
            f"has {n_fft // 2 + 1}"
        )
    if len(n_frames) != len(target) or not all(1 <= n <= target.shape[2] for n in n_frames):
        raise ValueError(
            f"n_frames={n_frames}: expected {len(target)} numbers from 1 to {target.shape[2]}"
        )
    if n_iter < 0:
        raise ValueError(f"n_iter={n_iter!r}: expected at least 0")
    if not 0 <= momentum < 2:
        raise ValueError(f"momentum={momentum!r}: expected a number in [0, 2)")
    # this refuses a window of zeros too
    if hop_length > n_fft or not check_NOLA(window.cpu().numpy(), n_fft, n_fft - hop_length):
        raise ValueError(
            f"hop_length={hop_length} leaves samples that no window covers (window of "
            f"{n_fft} samples): these cannot be restored; use a smaller hop_length"
        )


@torch.no_grad()
def griffin_lim(
    target: Tensor,
    window: Tensor,
    hop_length: int,
    *,
    filterbank: Tensor | None = None,
    power: float = 1.0,
    center: bool = True,
    pad_mode: PadMode = "reflect",
    n_frames: Sequence[int] | None = None,
    lengths: Sequence[int] | None = None,
    n_iter: int = 32,
    momentum: float = 0.9,
    n_updates: int = 2,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Waveforms whose spectrogram comes close to the target.

    Parameters
    ----------
    target : tensor of shape (n_clips, n_bands, n_frames)
        ``magnitude ** power``, weighted by `filterbank` where that is given;
        not scaled. Values below 0 count as 0.
    window : tensor of shape (n_fft,)
        The window of the analysis, padded with zeros to n_fft.
    hop_length : int
        Samples from frame to frame.
    filterbank : tensor of shape (n_bands, n_fft // 2 + 1) or None, default=None
        Weights of the mel bands; None where the target has all FFT bins.
    power : float, default=1.0
        1 where the target is made of magnitudes, 2 of energies.
    center : bool, default=True
        Whether frame t is centred on sample ``t * hop_length``.
    pad_mode : str, default="reflect"
        How the analysis padded the ends of a clip, as in `numpy.pad`.
    n_frames : sequence of int or None, default=None
        Frames of each clip in a zero-padded batch.
    lengths : sequence of int or None, default=None
        Samples of each clip; by default the fewest that give its frames. The
        waveforms are padded with zeros or cut to them.
    n_iter : int, default=32
        Iterations from spectrogram to waveform and back.
    momentum : float, default=0.9
        How far to go beyond the last change (Perraudin, Balazs and Søndergaard,
        *A fast Griffin-Lim algorithm*, 2013); 0 is the algorithm of Griffin and
        Lim (1984).
    n_updates : int, default=2
        Corrections towards the mel energies in each iteration, see `MelConstraint`.
    generator : torch.Generator or None, default=None
        Draws the first phases, on the CPU. Every clip starts from the same
        ones, so that its result does not depend on the other clips.

    Returns
    -------
    waveforms : tensor of shape (n_clips, n_times)
        Zero beyond each clip's length.

    Raises
    ------
    ValueError
        When the shapes disagree, or the windows leave samples uncovered.

    Examples
    --------
    >>> import torch
    >>> window = torch.hann_window(64)
    >>> griffin_lim(torch.rand(2, 33, 10), window, 16).shape
    torch.Size([2, 144])
    """
    n_frames = [target.shape[-1]] * len(target) if n_frames is None else [int(n) for n in n_frames]
    _check(target, window, hop_length, filterbank, n_frames, n_iter, momentum)
    frames = _Frames(window, hop_length, center, pad_mode, n_frames, lengths)
    constraint = MelConstraint(filterbank, power, n_updates)
    # scale every clip to a maximum of 1, so that the floors above mean the same at any level
    peak = target.amax(dim=(1, 2), keepdim=True).clamp(min=torch.finfo(target.dtype).tiny)
    target = (target / peak).clamp_(min=0).transpose(1, 2)[:, : frames.n_frames]
    target = target.contiguous() * frames.present

    magnitude = constraint.first(target).pow_(1 / power)
    noise = torch.rand(magnitude.shape[1:], generator=generator, dtype=magnitude.dtype)
    spectra = torch.polar(magnitude, (2 * torch.pi * noise).to(magnitude).expand_as(magnitude))
    current, previous = torch.empty_like(spectra), torch.zeros_like(spectra)
    present = torch.empty_like(magnitude)
    parts = torch.view_as_real(spectra)
    real, imag = parts.unbind(-1)
    for iteration in range(n_iter):
        current = frames.analyse(frames.synthesise(spectra), out=current)
        step = 1 + momentum if iteration else 1
        torch.lerp(torch.view_as_real(previous), torch.view_as_real(current), step, out=parts)
        current, previous = previous, current
        torch.mul(real, real, out=present).addcmul_(imag, imag)
        if power != 2:
            present.pow_(power / 2)
        gain = constraint.gain(present, target).mul_(frames.present)
        spectra.mul_(gain.sqrt_() if power == 2 else gain.pow_(1 / power))
    waveforms = frames.synthesise(spectra) * peak[:, 0].pow(1 / power)
    if lengths is None:
        return waveforms
    ends = torch.tensor([int(n) for n in lengths], device=waveforms.device)
    width = int(ends.max())
    waveforms = torch.nn.functional.pad(waveforms, (0, max(0, width - waveforms.shape[1])))
    return waveforms[:, :width] * (torch.arange(width, device=waveforms.device) < ends[:, None])
