"""Where tensors live, and how many threads compute them."""

import os
from typing import Any

import torch

if hasattr(os, "register_at_fork"):
    # OpenMP's threads do not survive a fork: a forked process that asked them for work, as
    # joblib's "multiprocessing" backend would, waited forever
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def resolve_device(device: Any) -> torch.device:
    """The torch device that a `device` parameter means.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"} or str or torch.device
        "auto" is the first CUDA device where there is one, else the CPU.

    Returns
    -------
    device : torch.device

    Raises
    ------
    ValueError
        When a CUDA device is asked for and none is there, or the name is unknown.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise ValueError(
            f"device={device!r}: expected 'auto', 'cpu', 'cuda' or a torch device"
        ) from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ValueError(f"device={str(device)!r}, but torch sees no CUDA device here")
    return device
