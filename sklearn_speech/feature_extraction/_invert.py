"""Invert a front end for any number of clips: features to waveforms."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from scipy.signal import lfilter

from ..modules.front_end import FrontEnd
from ..modules.griffin_lim import griffin_lim

#: Frames of one batch, each clip counted as long as the longest.
_BATCH_FRAMES = {"cpu": 2**10, "cuda": 2**17}


def invert(
    front_end: FrontEnd,
    spectrograms: Sequence[np.ndarray] | np.ndarray,
    ranges: np.ndarray,
    *,
    lengths: Sequence[int] | None = None,
    n_iter: int = 32,
    momentum: float = 0.9,
    seed: int = 0,
) -> list[np.ndarray]:
    """Waveforms whose features come close to the given ones, each found as if it were alone.

    Scaling is undone first; :func:`griffin_lim` then estimates the phases, and with a
    filter bank also the energies inside its bands. Pre-emphasis is undone last, starting
    from silence. What detrending removed, levels below the floor of the scaling and dropped
    frames cannot be restored.

    Parameters
    ----------
    front_end : FrontEnd
        On the device to compute on.
    spectrograms : sequence of ndarray of shape (n_bands, n_frames)
        Features of the front end's dtype.
    ranges : ndarray of shape (n_clips, 3, 1) or (n_clips, 3, n_bands)
        What ``extract`` returned for the clips, or an estimate.
    lengths : sequence of int or None, default=None
        Samples of each clip; by default the fewest that give its frames.
    n_iter, momentum
        See :func:`griffin_lim`.
    seed : int, default=0
        Seed of the first phases, the same for every clip, so that its waveform does not
        depend on the other clips.

    Returns
    -------
    waveforms : list of ndarray of shape (n_times,)
        One per clip.

    Raises
    ------
    ValueError
        When the windows leave samples uncovered, or features correspond to energies that
        overflow; the message names the clip.

    Examples
    --------
    >>> from sklearn_speech.modules.front_end import FrontEnd
    >>> front_end = FrontEnd(8000, n_mels=40)
    >>> ranges = np.tile(np.array([[[0.0], [0.0], [1.0]]], dtype=np.float32), (2, 1, 1))
    >>> waveforms = invert(front_end, np.zeros((2, 40, 101), dtype=np.float32), ranges)
    >>> [len(waveform) for waveform in waveforms]
    [8000, 8000]
    """
    waveforms: dict[int, np.ndarray] = {}
    device = front_end.stft.window.device
    with torch.inference_mode():
        window = _full_window(front_end)
        filterbank = None if front_end.bank is None else front_end.bank.matrix()
        if filterbank is not None and front_end.gain is not None:
            filterbank = filterbank * front_end.gain
        budget = _BATCH_FRAMES.get(device.type, _BATCH_FRAMES["cpu"])
        for clips in _batches([clip.shape[1] for clip in spectrograms], budget):
            energies = [_energies(front_end, spectrograms[i], ranges[i], i) for i in clips]
            batch = griffin_lim(
                torch.nn.utils.rnn.pad_sequence(energies, batch_first=True).transpose(1, 2),
                window,
                front_end.hop_length,
                filterbank=filterbank,
                power=front_end.power,
                center=front_end.framing.center,
                pad_mode=front_end.framing.pad_mode,
                n_frames=[len(e) for e in energies],
                lengths=None if lengths is None else [lengths[i] for i in clips],
                n_iter=n_iter,
                momentum=momentum,
                generator=torch.Generator().manual_seed(seed),
            )
            for i, waveform, clip in zip(clips, batch.cpu().numpy(), energies):
                n_times = lengths[i] if lengths is not None else _n_times(front_end, len(clip))
                waveforms[i] = _deemphasised(waveform[:n_times], front_end.framing.preemphasis)
    return [waveforms[i] for i in range(len(spectrograms))]


def _batches(n_frames: list[int], budget: int) -> Iterator[list[int]]:
    """Indices of clips of about one length, which together stay within the budget."""
    order = sorted(range(len(n_frames)), key=n_frames.__getitem__)
    start = 0
    for stop in range(1, len(order) + 1):
        full = stop < len(order) and n_frames[order[stop]] * (stop + 1 - start) > budget
        if full or stop == len(order):
            yield order[start:stop]
            start = stop


def _full_window(front_end: FrontEnd) -> torch.Tensor:
    """The window in the middle of the FFT's length."""
    window = front_end.stft.window
    before = (front_end.n_fft - len(window)) // 2
    return torch.nn.functional.pad(window, (before, front_end.n_fft - len(window) - before))


def _energies(
    front_end: FrontEnd, features: np.ndarray, ranges: np.ndarray, index: int
) -> torch.Tensor:
    """One clip's energies before scaling, (n_frames, n_bands)."""
    device, dtype = front_end.stft.window.device, front_end.dtype
    frames = torch.as_tensor(np.ascontiguousarray(features.T), dtype=dtype, device=device)
    clip_ranges = torch.as_tensor(ranges, dtype=dtype, device=device)
    energies = front_end.unscale(frames.unsqueeze(0), clip_ranges.unsqueeze(0))[0]
    if not torch.isfinite(energies).all():
        raise ValueError(
            f"clip {index}: features up to {float(features.max()):.4g} correspond to energies "
            "that overflow; were they scaled with other parameters or other ranges?"
        )
    if front_end.bank is None and front_end.gain is not None:
        energies = energies / front_end.gain
    return energies


def _n_times(front_end: FrontEnd, n_frames: int) -> int | None:
    """The fewest samples that give this many frames; None where none are needed."""
    inside = 2 * (front_end.n_fft // 2) if front_end.framing.center else 0
    least = (n_frames - 1) * front_end.hop_length + front_end.n_fft - inside
    return least or None  # a single centred frame needs none: use all that come


def _deemphasised(waveform: np.ndarray, preemphasis: float) -> np.ndarray:
    if not preemphasis:
        return waveform.copy()
    # from silence: the first sample was subtracted from itself and is nearly lost
    return lfilter([1.0], [1.0, -preemphasis], waveform).astype(waveform.dtype)
