"""Where tensors live."""

import torch


def resolve_device(device):
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
