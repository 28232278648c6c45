"""Tensors from arrays, and their digests."""

import hashlib
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch


def as_tensor(array: Any, dtype: Any = None) -> torch.Tensor:
    """Return a tensor that shares the memory of an array, or a copy if torch cannot share it.

    Parameters
    ----------
    array : array-like
        Copied if it is not contiguous or is read-only, like arrays that joblib shares between
        processes, because torch has no read-only tensors.
    dtype : numpy dtype, default=None
        None keeps the dtype of `array`.

    Returns
    -------
    tensor : torch.Tensor
        On the CPU.
    """
    return torch.from_numpy(np.require(array, dtype, ["C", "W"]))


def digest_of_tensors(named: Iterable[tuple[str, torch.Tensor]]) -> str:
    """Return a digest of the names and contents of tensors.

    Parameters
    ----------
    named : iterable of (str, Tensor)

    Returns
    -------
    digest : str
    """
    digest = hashlib.blake2b()
    for name, tensor in named:
        content = tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        digest.update(name.encode() + content.numpy().tobytes())
    return digest.hexdigest()
