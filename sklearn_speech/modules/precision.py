"""Enough precision for sums, lengths and statistics."""

import torch
from torch import Tensor


def at_least_single(x: Tensor) -> Tensor:
    """x in float32 where it is in half precision, else unchanged.

    Parameters
    ----------
    x : Tensor

    Returns
    -------
    x : float32 or float64 Tensor

    Examples
    --------
    >>> at_least_single(torch.zeros(1, dtype=torch.bfloat16)).dtype
    torch.float32
    >>> at_least_single(torch.zeros(1, dtype=torch.float64)).dtype
    torch.float64
    """
    return x if x.dtype == torch.float64 else x.float()
