"""Clips through a speech embedding, batch by batch."""

from collections import defaultdict
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..modules.embedding_front_end import EmbeddingFrontEnd
from ..utils.tensors import as_tensor

#: Samples at the encoder's rate in one batch: on a CPU its layers stay in the cache.
_BATCH_SAMPLES = {"cpu": 2**17, "cuda": 2**23}


@torch.inference_mode()
def embed(
    front_end: EmbeddingFrontEnd, clips: np.ndarray, dtype: np.dtype, device: torch.device
) -> NDArray[Any]:
    """Vectors of clips, in batches of clips that give the same number of vectors."""
    groups = defaultdict(list)
    for i, clip in enumerate(clips):
        groups[int(front_end.n_frames(len(clip)))].append(i)
    ragged = clips.dtype == object
    out = np.empty(len(clips), dtype=object)
    if not ragged:
        out = np.empty((len(clips), front_end.n_bands, *groups), dtype=dtype)
    for rows in groups.values():
        longest = front_end.n_encoded(max(len(clips[i]) for i in rows))
        size = max(1, _BATCH_SAMPLES.get(device.type, 2**17) // longest)
        for first in range(0, len(rows), size):
            batch = rows[first : first + size]
            vectors = front_end(*_padded([clips[i] for i in batch], device))
            vectors = vectors.cpu().numpy().astype(dtype, copy=False)
            for i, clip_vectors in zip(batch, vectors):
                out[i] = np.ascontiguousarray(clip_vectors)
    return out


def _padded(
    clips: list[np.ndarray], device: torch.device
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Clips as one tensor, and their lengths where these differ."""
    lengths = [len(clip) for clip in clips]
    if len(set(lengths)) == 1:
        return as_tensor(np.stack(clips)).to(device), None
    padded = np.zeros((len(clips), max(lengths)), dtype=clips[0].dtype)
    for row, clip in zip(padded, clips):
        row[: len(clip)] = clip
    return as_tensor(padded).to(device), torch.tensor(lengths, device=device)
