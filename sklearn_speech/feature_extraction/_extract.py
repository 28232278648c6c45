"""Run a front end over any number of clips in chunks that stay in the processor's cache."""

import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import accumulate
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..modules.clip_energies import ClipEnergies
from ..modules.front_end import Blocks, FrontEnd
from ..utils.tensors import as_tensor

#: Samples in the frames of one chunk: they fit into the cache of a CPU, and fill a GPU.
_CHUNK_SAMPLES = {"cpu": 2**19, "cuda": 2**26}

#: A chunk needs about 7 MiB of memory: six at a time stay well below 64 MiB.
_MAX_WORKERS = 6

#: Held while torch's number of threads, which belongs to the process, is changed.
_CHANGING_THREADS = threading.Lock()

#: Holds the memory that each thread computes in.
_OF_THREAD = threading.local()


def extract(
    front_end: FrontEnd, clips: np.ndarray, blocks: Blocks | None = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Spectrograms of clips, each computed as if it were alone.

    On a CPU, chunks are distributed over as many threads as torch is set to use.
    Each thread computes whole chunks: threads that shared every operation would
    have to wait for each other after each one. Extractions that run in several
    threads of a program take turns where they use several threads themselves.

    Parameters
    ----------
    front_end : FrontEnd
        On the device to compute on; its window, transform and filters are not learned.
    clips : ndarray of shape (n_clips, n_samples), or object ndarray of shape (n_clips,)
        Waveforms of the front end's dtype.
    blocks : list of (slice, slice, Tensor), default=None
        Result of :meth:`FrontEnd.blocks`, for speed.

    Returns
    -------
    spectrograms : ndarray of shape (n_clips, n_bands, n_frames), or object ndarray \
            of shape (n_clips,)
        Ragged where `clips` is, or where frames are dropped.
    ranges : ndarray of shape (n_clips, 3, 1) or (n_clips, 3, n_bands)
        What :meth:`Scaling.scale` removed from each clip.
    """
    device = front_end.stft.window.device
    dtype = clips[0].dtype
    budget = max(1, _CHUNK_SAMPLES.get(device.type, 2**19) // front_end.win_length)
    if clips.dtype == object or front_end.zero_frames == "drop":
        out = np.empty(len(clips), dtype=object)
    else:
        n_frames = max(front_end.n_frames(clips.shape[1]), 0)
        out = np.empty((len(clips), front_end.n_bands, n_frames), dtype=dtype)
    width = front_end.n_bands if front_end.scaling.normalize == "band" else 1
    ranges = np.empty((len(clips), 3, width), dtype=dtype)

    def work(start: int, stop: int) -> None:
        energies_of = _energies_of_thread(front_end, blocks)
        with torch.inference_mode():
            if out.dtype != object:
                part = torch.from_numpy(out[start:stop])
                taken = _features_of_batch(clips[start:stop], energies_of, budget, part)
            else:
                features, taken = _chunk(clips[start:stop], start, budget, energies_of)
                for i, clip in enumerate(features, start):
                    out[i] = np.ascontiguousarray(clip.T.cpu().numpy())
            ranges[start:stop] = taken.cpu().numpy()

    chunks = list(_chunks(front_end, clips, budget))
    if device.type != "cpu" or len(chunks) < 2 or torch.get_num_threads() < 2:
        for chunk in chunks:
            work(*chunk)
        return out, ranges
    with _CHANGING_THREADS:
        n_threads = torch.get_num_threads()
        n_workers = min(n_threads, len(chunks), _MAX_WORKERS)
        with ThreadPoolExecutor(
            n_workers, initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            try:
                for done in [pool.submit(work, *chunk) for chunk in chunks]:
                    done.result()
            finally:
                pool.shutdown(cancel_futures=True)
                # the workers' setting is also the default of later threads
                torch.set_num_threads(n_threads)
    return out, ranges


def _chunks(front_end: FrontEnd, clips: np.ndarray, budget: int) -> Iterator[tuple[int, int]]:
    """Consecutive clips whose frames together stay within the budget, or single long clips."""
    if clips.dtype != object:
        step = max(1, budget // max(1, front_end.n_frames(clips.shape[1])))
        for start in range(0, len(clips), step):
            yield start, min(start + step, len(clips))
        return
    start = used = 0
    for i, clip in enumerate(clips):
        needed = front_end.n_frames(len(clip))
        if i > start and used + needed > budget:
            yield start, i
            start, used = i, 0
        used += needed
    if len(clips):
        yield start, len(clips)


def _features_of_batch(
    clips: np.ndarray, energies_of: ClipEnergies, budget: int, out: torch.Tensor
) -> torch.Tensor:
    """Write the features of clips of one length to `out`, and return their ranges."""
    front_end = energies_of.front_end
    # energies in the place of the features are scaled there
    in_place = front_end.scaling.cepstrum is None and front_end.stft.window.device == out.device
    waveforms = _tensor(clips, front_end)
    energies = energies_of.of_batch(waveforms, budget, out if in_place else None)
    features, ranges = front_end.scale(energies.mT)
    if features.data_ptr() != out.data_ptr():
        out.copy_(features.mT)
    return ranges


def _chunk(
    clips: np.ndarray, first_index: int, budget: int, energies_of: ClipEnergies
) -> tuple[list[torch.Tensor], torch.Tensor]:
    """Features of each clip of one chunk, and ranges."""
    front_end = energies_of.front_end
    keeps_all = front_end.zero_frames == "keep"
    waveforms = [_tensor(clip, front_end) for clip in clips]
    for i, waveform in enumerate(waveforms, first_index):
        try:
            front_end.framing.check_length(len(waveform))
        except ValueError as error:
            raise ValueError(f"clip {i} of X: {error}") from error
    if len(clips) == 1:
        energies = energies_of.of_batch(waveforms[0].unsqueeze(0), budget).mT
        if keeps_all:
            features, ranges = front_end.scale(energies)
            return list(features), ranges
        parts = list(energies)
    else:
        row, starts, counts = energies_of.of_list(waveforms)
        if keeps_all:
            return front_end.scaling.scale_row(row.T, starts, counts)
        parts = [row[:, start : start + count].T for start, count in zip(starts, counts)]
    parts = [_without_zero_frames(part, i) for i, part in enumerate(parts, first_index)]
    counts = [len(part) for part in parts]
    row = torch.cat([part.T for part in parts], dim=1)
    return front_end.scaling.scale_row(row.T, [0, *accumulate(counts)], counts)


def _energies_of_thread(front_end: FrontEnd, blocks: Blocks | None) -> ClipEnergies:
    """The memory that this thread computes in, kept for the next call with this front end."""
    kept = getattr(_OF_THREAD, "energies", None)
    if kept is None or kept.front_end is not front_end:
        kept = ClipEnergies(front_end, blocks)
        # on a GPU, a chunk takes memory that others need
        _OF_THREAD.energies = kept if front_end.stft.window.device.type == "cpu" else None
    return kept


def _tensor(array: np.ndarray, front_end: FrontEnd) -> torch.Tensor:
    return as_tensor(array).to(front_end.stft.window.device)


def _without_zero_frames(energies: torch.Tensor, index: int) -> torch.Tensor:
    kept = energies[(energies > 0).all(dim=1)]
    if len(kept):
        return kept
    warnings.warn(
        f"every frame of clip {index} has a band of energy 0 and would be dropped by "
        "zero_frames='drop'; its first frame is kept",
        UserWarning,
        stacklevel=2,
    )
    return energies[:1]
