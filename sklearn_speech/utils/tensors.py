"""Arrays as tensors."""

from typing import Any

import numpy as np
import torch


def as_tensor(array: Any, dtype: Any = None) -> torch.Tensor:
    """A tensor on the memory of an array, or on a copy where torch could not have it.

    Parameters
    ----------
    array : array-like
        Copied where it is not in one piece, or locked, as the arrays are that joblib
        shares between processes: torch has no tensors that are only read.
    dtype : numpy dtype, default=None
        None is that of `array`.

    Returns
    -------
    tensor : torch.Tensor
        On the CPU.
    """
    return torch.from_numpy(np.require(array, dtype, ["C", "W"]))
