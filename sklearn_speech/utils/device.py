"""Select the torch device and the number of threads."""

import os
from typing import Any

import torch

if hasattr(os, "register_at_fork"):
    # OpenMP's threads do not survive a fork: a forked process that uses them, as with joblib's
    # "multiprocessing" backend, would wait forever
    os.register_at_fork(after_in_child=lambda: torch.set_num_threads(1))


def resolve_device(device: Any) -> torch.device:
    """Return the torch device of a `device` parameter.

    Parameters
    ----------
    device : {"auto", "cpu", "cuda"} or str or torch.device
        "auto" means the first CUDA device if there is one, otherwise the CPU.

    Returns
    -------
    device : torch.device

    Raises
    ------
    ValueError
        If a CUDA device is requested but there is none, or the name is unknown.

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
        raise ValueError(f"device={str(device)!r}, but torch finds no CUDA device")
    return device
