"""Run a front end over any number of clips in chunks that stay in the processor's cache."""

import threading
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..modules.front_end import Blocks, FrontEnd
from ..modules.stft import FrameMemory
from ..utils.tensors import as_tensor

#: Samples in the frames of one chunk: they fit into the cache of a CPU, and fill a GPU.
_CHUNK_SAMPLES = {"cpu": 2**19, "cuda": 2**26}

#: A chunk needs about 7 MiB of memory: six at a time stay well below 64 MiB.
_MAX_WORKERS = 6

#: Held while torch's number of threads, which belongs to the process, is changed.
_CHANGING_THREADS = threading.Lock()


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
    dtype = np.dtype(str(front_end.dtype).removeprefix("torch."))
    budget = max(1, _CHUNK_SAMPLES.get(device.type, 2**19) // front_end.win_length)
    if clips.dtype == object or front_end.zero_frames == "drop":
        out = np.empty(len(clips), dtype=object)
    else:
        n_frames = max(front_end.n_frames(clips.shape[1]), 0)
        out = np.empty((len(clips), front_end.n_bands, n_frames), dtype=dtype)
    width = front_end.n_bands if front_end.scaling.normalize == "band" else 1
    ranges = np.empty((len(clips), 3, width), dtype=dtype)

    of_thread = threading.local()

    @torch.inference_mode()
    def work(start: int, stop: int) -> None:
        if not hasattr(of_thread, "memory"):
            of_thread.memory = FrameMemory(front_end.stft)
        features, taken = _chunk(
            front_end, clips[start:stop], start, budget, blocks, of_thread.memory
        )
        ranges[start:stop] = taken.cpu().numpy()
        if out.dtype == object:
            for i, clip in enumerate(features, start):
                out[i] = np.ascontiguousarray(clip.T.cpu().numpy())
        else:
            torch.from_numpy(out[start:stop]).copy_(features.transpose(1, 2))

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


def _chunk(
    front_end: FrontEnd,
    clips: np.ndarray,
    first_index: int,
    budget: int,
    blocks: Blocks | None,
    memory: FrameMemory,
) -> tuple[Any, torch.Tensor]:
    """Features (one tensor, or a list of tensors) and ranges of the clips of one chunk."""
    if clips.dtype != object:
        energies = _energies(front_end, _tensor(clips, front_end), budget, blocks, memory)
        if front_end.zero_frames == "keep":
            return front_end.scale(energies)
        parts = list(energies)
    else:
        parts = _ragged_energies(front_end, clips, first_index, budget, blocks, memory)
    if front_end.zero_frames == "drop":
        parts = [_without_zero_frames(part, i) for i, part in enumerate(parts, first_index)]
    if front_end.scaling.elementwise:
        features, ranges = front_end.scale(torch.cat(parts).unsqueeze(0))
        clips_apart = features[0].split([len(part) for part in parts])
        return clips_apart, ranges.expand(len(parts), -1, -1)
    scaled = [front_end.scale(part.unsqueeze(0)) for part in parts]
    return [f[0] for f, _ in scaled], torch.cat([r for _, r in scaled])


def _energies(
    front_end: FrontEnd,
    waveforms: torch.Tensor,
    budget: int,
    blocks: Blocks | None,
    memory: FrameMemory,
) -> torch.Tensor:
    """Energies of clips of one length; a clip longer than the budget goes block by block."""
    n_frames = front_end.n_frames(waveforms.shape[1])
    framing = front_end.framing
    framing.check_length(waveforms.shape[1])
    parts = [
        front_end.energies(
            framing(waveforms, first=i, stop=min(i + budget, n_frames)), blocks, memory
        )
        for i in range(0, n_frames, budget)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _ragged_energies(
    front_end: FrontEnd,
    clips: np.ndarray,
    first_index: int,
    budget: int,
    blocks: Blocks | None,
    memory: FrameMemory,
) -> list[torch.Tensor]:
    """One tensor of energies for each clip; short clips share one transform."""
    for i, clip in enumerate(clips, first_index):
        try:
            front_end.framing.check_length(len(clip))
        except ValueError as error:
            raise ValueError(f"clip {i} of X: {error}") from error
    waveforms = [_tensor(clip, front_end).unsqueeze(0) for clip in clips]
    if sum(front_end.n_frames(len(clip)) for clip in clips) > budget:
        return [_energies(front_end, x, budget, blocks, memory)[0] for x in waveforms]
    frames = [front_end.framing(x)[0] for x in waveforms]
    return front_end.ragged_energies(frames, blocks, memory)


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
