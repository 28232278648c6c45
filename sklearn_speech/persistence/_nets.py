"""What is saved of a fitted net, and how the net is rebuilt from it."""

import inspect
import warnings
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from skorch.history import History
from torch import nn

from ..base import BaseSpeechNet
from ..base._parameters import PREFIXES
from ..utils.device import resolve_device
from ..utils.random import torch_seed
from ..utils.sklearn_private import METADATA_REQUESTS
from ._network_check import check_callbacks, check_sizes, difference_of_shapes, plain_windows

#: Attributes that ``initialize`` sets again from the parameters, and those kept elsewhere.
_REBUILT = {
    "_criteria",
    "_modules",
    "_optimizers",
    "callbacks_",
    "criterion_",
    "cuda_dependent_attributes_",
    "device_",
    "history_",
    "init_context_",
    "initialized_",
    "module_",
    "optimizer_",
    "prefixes_",
    "virtual_params_",
}

#: Classes whose objects may refer to the object that owns them.
OWNED = {(kind.__module__, kind.__qualname__) for kind in METADATA_REQUESTS}

#: Parameters that set where an estimator writes; loaded as None, whatever a file says.
ON_DISK = {"memory", "storage"}
#: Settings of layers that are compared.
_PLAIN = (bool, int, float, str, tuple, list, type(None))


def may_be_circular(cls: type, name: str) -> bool:
    """Whether an attribute may refer to the object that owns its own object."""
    return name == "owner" and (cls.__module__, cls.__qualname__) in OWNED


def state_of_net(net: BaseSpeechNet) -> dict[str, Any]:
    """Parameters and learned attributes except weights, by name."""
    return {name: value for name, value in vars(net).items() if name not in _REBUILT}


def fitted_parts(net: BaseSpeechNet, path: str) -> dict[str, Any]:
    """Weights, state of the loss, and history of a fitted net.

    Parameters
    ----------
    net : BaseSpeechNet
        Fitted.
    path : str
        Its name in errors.

    Returns
    -------
    parts : dict
        ``weights`` and ``criterion``, dicts of tensors; ``history``, a list of dicts, one per
        epoch, without what was recorded of each batch.

    Raises
    ------
    ValueError
        When the parameters no longer describe ``module_``: built from them, the
        net would predict something else.
    """
    difference = _difference(net.module_, _twin(net).module_)
    if difference:
        raise ValueError(
            f"cannot save {path}: its parameters do not describe its module_ ({difference}); "
            "was one of the two changed after fit? Fit again before saving"
        )
    weights = net.module_.state_dict()
    try:
        check_callbacks(net)
        check_sizes(net, weights)
    except ValueError as error:
        raise ValueError(f"cannot save {path}: it could not be loaded again: {error}") from error
    history: Iterable[dict[str, Any]] = net.history_ or []
    return {
        "weights": weights,
        "criterion": net.criterion_.state_dict(),
        "history": [{**epoch, "batches": []} for epoch in history],
    }


def _twin(net: BaseSpeechNet) -> BaseSpeechNet:
    """The net that loading will build, with other weights."""
    twin = object.__new__(type(net))
    twin.__dict__.update(state_of_net(net))
    twin.device_ = torch.device("cpu")
    with torch_seed(0):
        twin._initialize_module()
    return twin


def _difference(module: nn.Module, other: nn.Module) -> str | None:
    """A difference between two modules other than weights; None if there is none."""
    difference = difference_of_shapes(module.state_dict(), other.state_dict())
    if difference:
        return difference
    layers, other_layers = dict(module.named_modules()), dict(other.named_modules())
    for name in sorted(layers.keys() | other_layers.keys()):
        one, two = layers.get(name), other_layers.get(name)
        if type(one) is not type(two):
            return f"{name} is {type(one).__name__}, not {type(two).__name__}"
        for setting, value in vars(one).items():
            if setting.startswith("_") or setting == "training" or not isinstance(value, _PLAIN):
                continue
            wanted = vars(two).get(setting)
            if repr(value) != repr(wanted):
                return f"{setting} of {name or 'the network'} is {value!r}, not {wanted!r}"
    return None


def check_attribute(cls: type, name: str) -> None:
    """Refuse an attribute that a file must not set: files give values only.

    Raises
    ------
    ValueError
        When the name is that of a method, a property or another attribute of the
        class that is neither a parameter nor learned, such as ``module_class``.
    """
    inherited = inspect.getattr_static(cls, name, None)
    shadows = callable(inherited) or hasattr(type(inherited), "__get__")
    if shadows or (name.startswith("__") and name.endswith("__")):
        raise ValueError(f"{name} of {cls.__name__} is not an attribute that can be set")
    if issubclass(cls, BaseSpeechNet):
        _check_name_of_net(cls, name)
    elif hasattr(cls, name) and not name.endswith("_") and name not in _parameters(cls):
        raise ValueError(f"{name} of {cls.__name__} is not an attribute that can be set")


def _parameters(cls: Any) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(cls.__init__).parameters


def _check_name_of_net(net_class: type[BaseSpeechNet], name: str) -> None:
    if name in net_class._signature_names():
        return
    if name in _REBUILT or (hasattr(net_class, name) and not name.endswith("_")):
        raise ValueError(f"{name} of {net_class.__name__} is not an attribute that can be set")
    prefix, _, rest = name.partition("__")
    if not ((rest and prefix in PREFIXES) or name.endswith("_") or name.startswith("_")):
        raise ValueError(f"{net_class.__name__} has no parameter {name}")


def rebuild(
    net: BaseSpeechNet,
    weights: dict[str, torch.Tensor],
    criterion: dict[str, torch.Tensor],
    history: Any,
) -> None:
    """Build the module of a net from its parameters, and give it its weights.

    Parameters
    ----------
    net : BaseSpeechNet
        With parameters, sizes of the input and classes, but not initialised.
    weights, criterion : dict of str to Tensor
        States of ``module_`` and ``criterion_``.
    history : list of dict
    """
    optimizer = net.optimizer
    if not isinstance(optimizer, str) and not (
        isinstance(optimizer, type) and issubclass(optimizer, torch.optim.Optimizer)
    ):
        raise ValueError(f"optimizer={optimizer!r} is not a class of optimisers")
    _check_history(history)
    check_callbacks(net)
    net._validate_params()
    check_sizes(net, weights)
    requested = net.device
    net.device = _device_at_hand(requested)
    try:
        with torch_seed(0, net.device), plain_windows(net):
            net._initialize_without_optimizer()
    finally:
        net.device = requested
    for module, state in ((net.module_, weights), (net.criterion_, criterion)):
        difference = difference_of_shapes(state, module.state_dict())
        if difference:
            raise ValueError(f"the weights do not fit the {type(module).__name__}: {difference}")
        module.load_state_dict(state)
    _warn_of_nan(net)
    net.module_.eval()
    net.history_ = History(history)


def _check_history(history: Any) -> None:
    if not isinstance(history, list) or any(type(row) is not dict for row in history):
        raise ValueError("the history is not a list of dicts")


def _warn_of_nan(net: BaseSpeechNet) -> None:
    for name, tensor in net.module_.state_dict().items():
        if tensor.is_floating_point() and bool(tensor.isnan().any()):
            warnings.warn(
                f"{name} of the {type(net).__name__} holds NaN, as it did when it was saved: its "
                "predictions mean nothing",
                UserWarning,
                stacklevel=2,
            )
            return


def _device_at_hand(requested: Any) -> torch.device:
    try:
        return resolve_device(requested)
    except ValueError as error:
        warnings.warn(f"the net is put on the CPU: {error}", UserWarning, stacklevel=2)
        return torch.device("cpu")
