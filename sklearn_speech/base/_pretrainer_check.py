"""Checks that a network can start from the layers of a fitted one."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import nn

from ..modules.front_end_net import FrontEndNet

#: Parameters of a front end that do not change its layers.
_FREE = {"lr", "device"}


def check_input(pretrainer: Any, net: Any, n_given: int | None) -> None:
    """Refuse a pretrainer that was fitted on other bands, or on clips of another fixed length.

    Parameters
    ----------
    pretrainer : network or FrozenEstimator of one
        It must be fitted.
    net : PretrainedNet
    n_given : int or None
        Bands that enter the network, or samples of clips of one length.

    Raises
    ------
    ValueError
        Names both numbers.
    """
    if net.reads == "waveform" and not net._fixes_length:
        return
    unit = "samples" if net.reads == "waveform" else "bands"
    n_fitted = pretrainer.network_shape_[0]
    if n_fitted != n_given:
        raise ValueError(
            f"the pretrainer of {type(net).__name__} was fitted on {n_fitted} {unit}, but X has "
            f"{'clips of several lengths' if n_given is None else n_given}"
        )


def check_front_end(pretrainer: Any, net: Any) -> None:
    """Refuse a pretrainer with another front end than the net.

    Parameters
    ----------
    pretrainer : network or FrozenEstimator of one
        It must be fitted. Without a front end, it takes any that gives its number of bands.
    net : PretrainedNet

    Raises
    ------
    ValueError
        Names what differs.
    """
    given, name = pretrainer.frontend, type(net).__name__
    if given is None:
        return
    if net.frontend is None:
        raise ValueError(
            f"the pretrainer of {name} takes waveforms, with frontend={given!r} inside: set the "
            f"frontend of {name} to the same"
        )
    if type(given) is not type(net.frontend):
        raise ValueError(
            f"the pretrainer of {name} has frontend={given!r}, but {name} has "
            f"frontend={net.frontend!r}: use the same"
        )
    theirs, ours = given.get_params(deep=True), net.frontend.get_params(deep=True)
    for key in sorted(theirs.keys() | ours.keys()):
        old, new = theirs.get(key), ours.get(key)
        if key.rpartition("__")[2] in _FREE:
            continue
        if isinstance(old, nn.Module) and isinstance(new, nn.Module):
            _check_encoders(old, new, key, name)
            continue
        nested = hasattr(old, "get_params") and type(old) is type(new)
        if not nested and not _equal(old, new):
            raise ValueError(
                f"the pretrainer of {name} has a frontend with {key}={old!r}, but that of {name} "
                f"has {key}={new!r}: use the same"
            )


def _check_encoders(old: nn.Module, new: nn.Module, key: str, name: str) -> None:
    shapes, others = ({n: tuple(t.shape) for n, t in m.state_dict().items()} for m in (old, new))
    for part in sorted(shapes.keys() | others.keys()):
        if shapes.get(part) != others.get(part):
            raise ValueError(
                f"the pretrainer of {name} has a frontend with another {key} than {name}: {part} "
                f"has the shape {shapes.get(part)}, not {others.get(part)}; use the same"
            )


def check_settings(pretrainer: Any, net: Any, names: Iterable[str]) -> None:
    """Refuse a pretrainer whose layers have other sizes than those of the net.

    Parameters
    ----------
    pretrainer : network or FrozenEstimator of one
    net : PretrainedNet
    names : iterable of str
        Parameters that determine the layers.

    Raises
    ------
    ValueError
        Names the parameter and both values.
    """
    for key in names:
        old, new = getattr(pretrainer, key), getattr(net, key)
        if not _equal(old, new):
            raise ValueError(
                f"the pretrainer of {type(net).__name__} has {key}={old!r}, but "
                f"{type(net).__name__} has {key}={new!r}: set {key}={old!r}"
            )
    module = pretrainer.module_
    layers = list(_network(pretrainer).backbone().values())
    layers += [module.front_end] if isinstance(module, FrontEndNet) else []
    if not any(list(layer.parameters()) for layer in layers):
        raise ValueError(
            f"the pretrainer of {type(net).__name__} has no layers with weights before its output "
            "layer, and no trained front end: there is nothing to start from"
        )


def check_unchanged(pretrainer: Any, name: str) -> None:
    """Refuse a pretrainer whose parameters no longer describe its network.

    Parameters
    ----------
    pretrainer : network or FrozenEstimator of one
        It must be fitted.
    name : str
        Name of the estimator, for errors.

    Raises
    ------
    ValueError
        Names what differs.
    """
    network = _network(pretrainer)
    with torch.device("meta"):
        described = pretrainer.module_class(**pretrainer.get_params_for("module"))
    if hasattr(network, "stage_settings"):
        _check_stages(network, described, name, hasattr(pretrainer, "down"))
    kinds = [getattr(getattr(n, "input_norm", None), "kind", None) for n in (network, described)]
    if kinds[0] != kinds[1]:
        raise ValueError(
            f"the pretrainer of {name} was fitted with input_norm={kinds[0]!r}, but now has "
            f"input_norm={kinds[1]!r}; fit it again"
        )
    old, new = (
        {f"{part}.{n}": tuple(t.shape) for part, layer in net.backbone().items()
         for n, t in layer.state_dict().items()}
        for net in (network, described)
    )  # fmt: skip
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            raise ValueError(
                f"the pretrainer of {name} was fitted with other parameters than it has now: "
                f"{key} has the shape {old.get(key)}, not {new.get(key)}; fit it again"
            )


def _check_stages(network: Any, described: Any, name: str, strides_by_pooling: bool) -> None:
    if len(described.stages) != len(network.stages):
        raise ValueError(
            f"the pretrainer of {name} was fitted with n_layers={len(network.stages)}, but now "
            f"has n_layers={len(described.stages)}; fit it again"
        )
    for i, (old, new) in enumerate(zip(network.stage_settings, described.stage_settings)):
        names = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
        for key in sorted(names):
            shown = "n_filters" if key == "out_channels" else key
            shown = "stride" if key == "pool_size" and strides_by_pooling else shown
            raise ValueError(
                f"layer {i} of the pretrainer of {name} was fitted with {shown}={old.get(key)!r}, "
                f"but now has {shown}={new.get(key)!r}; fit it again"
            )


def _network(pretrainer: Any) -> Any:
    module = pretrainer.module_
    return module.network if isinstance(module, FrontEndNet) else module


def _equal(one: Any, other: Any) -> bool:
    """Whether two values of a parameter mean the same: a number is a list of one."""
    one, other = (np.ravel(np.asarray(value, dtype=object)).tolist() for value in (one, other))
    return one == other
