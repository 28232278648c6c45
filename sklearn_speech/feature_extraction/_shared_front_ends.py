"""Front ends built once and shared by the transformers that have the same parameters."""

from functools import lru_cache
from typing import Any

import torch

from ..modules.front_end import Blocks, FrontEnd

#: Settings kept at a time. One takes as much memory as its filter bank, well below a megabyte.
_N_KEPT = 16


def shared_front_end(
    parameters: dict[str, Any], dtype: torch.dtype, device: torch.device
) -> tuple[FrontEnd, Blocks | None]:
    """The front end that the parameters describe, and its filter bank in blocks.

    Designing the window and the filters takes longer than one short clip does, so
    serving clips one by one would spend most of its time on them. The module belongs to
    no estimator: estimators stay small to pickle, and clones share it. It is only
    read, so threads may use it at the same time.

    Parameters
    ----------
    parameters : dict of str to object
        Parameters of :class:`~sklearn_speech.modules.front_end.FrontEnd`, always in the same
        order. If one cannot be hashed, such as a window given as an array, the front end is
        built anew.
    dtype : torch.dtype
    device : torch.device

    Returns
    -------
    front_end : FrontEnd
        In evaluation mode, on the device. Must not be changed.
    blocks : list of (slice, slice, Tensor), or None
        See :meth:`~sklearn_speech.modules.front_end.FrontEnd.blocks`.
    """
    values = tuple(parameters.values())
    # 1, 1.0 and True are equal as keys, but not as parameters
    key = (tuple(parameters), values, tuple(map(type, values)))
    try:
        hash(key)
    except TypeError:
        return _build(key, dtype, device)
    return _kept(key, dtype, device)


def _build(
    key: tuple[tuple[str, ...], tuple[Any, ...], tuple[type, ...]],
    dtype: torch.dtype,
    device: torch.device,
) -> tuple[FrontEnd, Blocks | None]:
    names, values, _ = key
    front_end = FrontEnd(dtype=dtype, **dict(zip(names, values))).to(device).eval()
    return front_end, front_end.blocks()


_kept = lru_cache(maxsize=_N_KEPT)(_build)
