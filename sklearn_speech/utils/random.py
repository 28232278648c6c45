"""Seed torch from a `random_state`, without changing global generators."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from sklearn.utils import check_random_state
from torch.overrides import TorchFunctionMode

#: All threads of a process share torch's generator, so only one seeded block may run at a time.
_seeded = threading.RLock()


def draw_seed(random_state: Any) -> int:
    """Draw a seed for torch from any `random_state` that scikit-learn accepts.

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
def torch_seed(seed: int, device: str | torch.device = "cpu") -> Iterator[None]:
    """Seed torch inside the block, and restore its generators afterwards.

    Blocks in several threads run in sequence, because initial weights and dropout draw from
    torch's global generator, which all threads share.

    Parameters
    ----------
    seed : int
        See :func:`draw_seed`.
    device : str or torch.device, default="cpu"
        The generator of a CUDA device is seeded and restored too.
    """
    device = torch.device(device)
    devices = [device] if device.type == "cuda" else []
    with _seeded, torch.random.fork_rng(devices=devices):
        torch.default_generator.manual_seed(seed)
        if devices:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield


class WithoutInitialWeights(TorchFunctionMode):
    """Draw no weights for the layers that are made inside the block, in this thread.

    For networks whose weights are loaded next: drawing them would take time, and numbers from
    torch's global generator, which other threads may be using.
    """

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


@contextmanager
def default_float32() -> Iterator[None]:
    """Let torch create float32 tensors inside the block, regardless of its default dtype."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
