"""Augmented copies of clips, one array beside the clips."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..base._augmentations import check_augmentations
from ..utils.rates import rate_of, with_rate
from ..utils.validation import is_ragged, make_ragged

#: Clips that are changed at a time.
_BATCH = 64
#: Width of a batch of clips of different lengths, relative to the longest: slower copies fit.
_ROOM = 2


def check_copying(augment: Sequence[Any]) -> None:
    """Check that augmentations can follow each other, and change nothing but the clips.

    Parameters
    ----------
    augment : sequence of augmentations

    Raises
    ------
    ValueError
        If there is none, or if one is no augmentation, changes something else than the
        first one, mixes labels, or has an invalid parameter.
    """
    if len(augment) == 0:
        raise ValueError("augment is empty: expected augmentations of sklearn_speech.augmentation")

    def problem_of(augmentation: Any) -> str | None:
        if hasattr(augmentation, "mix"):
            return " mixes labels, which copies cannot have"
        if augmentation.domain != augment[0].domain:
            return f" changes {augmentation.domain}s, but augment[0] changes {augment[0].domain}s"
        return None

    check_augmentations(augment, problem_of)


def add_copies(X: NDArray[Any], augment: Sequence[Any], n_copies: int, seed: int) -> NDArray[Any]:
    """Clips, followed by `n_copies` changed versions of all of them.

    Parameters
    ----------
    X : ndarray of shape (n_clips, ...) or object ndarray of shape (n_clips,)
        Waveforms or spectrograms.
    augment : sequence of augmentations
        Applied one after another.
    n_copies : int
    seed : int

    Returns
    -------
    clips : ndarray of shape ((1 + n_copies) * n_clips, ...), or object ndarray
        In the order of `X`, again for each copy; ragged if `X` is.
    """
    if n_copies == 0:
        return X
    generator = torch.Generator().manual_seed(seed)
    copies = [X]
    for _ in range(n_copies):
        parts = [
            _changed(X[start : start + _BATCH], augment, generator)
            for start in range(0, len(X), _BATCH)
        ]
        copies.append(np.concatenate(parts))
    return with_rate(np.concatenate([np.asarray(part) for part in copies]), rate_of(X))


def _changed(X: NDArray[Any], augment: Sequence[Any], generator: torch.Generator) -> NDArray[Any]:
    if not is_ragged(X):
        x, _ = _apply(torch.tensor(np.asarray(X)), None, augment, generator)
        return x.numpy()
    n_steps = np.array([clip.shape[-1] for clip in X])
    shape = (len(X), *X[0].shape[:-1], _ROOM * n_steps.max())
    padded = torch.zeros(shape, dtype=torch.as_tensor(X[0]).dtype)
    for row, clip in zip(padded, X, strict=True):
        row[..., : clip.shape[-1]] = torch.tensor(clip)
    x, lengths = _apply(padded, torch.as_tensor(n_steps), augment, generator)
    # however much longer the longest clip of the batch is
    ends = np.minimum(np.asarray(lengths), _ROOM * n_steps)
    return make_ragged(clip[..., :end].numpy().copy() for clip, end in zip(x, ends, strict=True))


def _apply(
    x: torch.Tensor,
    lengths: torch.Tensor | None,
    augment: Sequence[Any],
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    dtype = x.dtype
    for augmentation in augment:
        x, lengths = augmentation.apply(x, lengths, generator)
    return x.to(dtype), lengths
