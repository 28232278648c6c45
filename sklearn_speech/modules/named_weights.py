"""Weights that others trained, by name."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


def load_named_weights(
    module: nn.Module, weights: Mapping[str, Any], owner: str, prefix: str = ""
) -> None:
    """Load all parameters of a module.

    Parameters
    ----------
    module : torch.nn.Module
    weights : mapping of str to Tensor
        By the names of the parameters; further names are left out.
    owner : str
        What messages call the network.
    prefix : str, default=""
        What the names in `weights` begin with.

    Raises
    ------
    ValueError
        When weights are missing or have another shape.
    """
    own = {name: weights.get(prefix + name) for name, _ in module.named_parameters()}
    for name, parameter in module.named_parameters():
        found = own[name]
        shape = tuple(found.shape) if isinstance(found, Tensor) else None
        if shape != tuple(parameter.shape):
            raise ValueError(
                f"weights of the {owner}: expected {prefix}{name} of shape "
                f"{tuple(parameter.shape)}, got {'none' if shape is None else shape}"
            )
    module.load_state_dict(own)
