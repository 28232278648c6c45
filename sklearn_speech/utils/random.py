"""One `random_state` for numpy and torch, without leaving a trace in either."""

from contextlib import contextmanager

import numpy as np
import torch
from sklearn.utils import check_random_state


def draw_seed(random_state):
    """A seed for torch, drawn from anything that scikit-learn takes as random_state.

    Parameters
    ----------
    random_state : int, RandomState instance or None
        None draws from numpy's global generator.

    Returns
    -------
    seed : int
        In [0, 2**31 - 1).

    Examples
    --------
    >>> draw_seed(0) == draw_seed(0)
    True
    """
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


@contextmanager
def torch_seed(seed, device="cpu"):
    """Seed torch inside the block, and put its generators back afterwards.

    Parameters
    ----------
    seed : int
        See :func:`draw_seed`.
    device : str or torch.device, default="cpu"
        A CUDA device has its generator saved and restored too.
    """
    device = torch.device(device)
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
