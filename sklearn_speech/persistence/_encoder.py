"""From a fitted estimator to a tree that JSON can hold, and the arrays beside it."""

import math
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path, PosixPath, WindowsPath
from typing import Any, NoReturn

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.utils import Bunch, check_random_state
from skorch.callbacks import Callback

from ..base import BaseSpeechNet
from ._arrays import is_plain, pack, pack_scalar
from ._names import Names
from ._nets import ON_DISK, check_attribute, fitted_parts, may_be_circular, state_of_net

#: Deepest nesting of objects; anything deeper is a mistake, or meant to exhaust the stack.
MAX_DEPTH = 100

_STORABLE = (
    "what can be saved is numbers, strings, arrays, dicts, lists, tuples, sets, slices, dtypes, "
    "random states, and estimators of scikit-learn and sklearn_speech made of these"
)


class Encoder:
    """Writes values as nodes: unchanged where JSON can hold them, else ``{kind: content}``.

    A list, dict, array or object that occurs twice is written once and then referred to by
    its number, so that it is one object again after loading.

    Parameters
    ----------
    names : Names

    Attributes
    ----------
    arrays : dict of str to ndarray
        By path.
    """

    def __init__(self, names: Names) -> None:
        self.names = names
        self.arrays: dict[str, np.ndarray] = {}
        self._numbers: dict[int, int] = {}
        self._alive: list[Any] = []
        self._whole: set[int] = set()
        self._depth = 0

    def encode(self, value: Any, path: str) -> Any:
        """The node of a value; `path` is its location, for errors."""
        kind = type(value)
        if value is None or kind in (bool, str):
            return value
        if kind is int:
            return value if abs(value) < 2**63 else {"int": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        write = _WRITERS.get(kind)
        if write is None:
            write = _writer_of(value)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"cannot save {path}: it is nested more than {MAX_DEPTH} deep")
        node = write(self, value, path)
        self._depth -= 1
        return node

    def refuse(self, value: Any, path: str, why: str = "") -> NoReturn:
        """Raise an error that names the value and where it is."""
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        raise TypeError(f"cannot save {path}: {value!r:.200} of type {kind}; {why or _STORABLE}")

    def seen(self, value: Any, path: str) -> dict[str, int] | None:
        """A reference to `value` if it came before; else None, and it gets a number."""
        if id(value) in self._numbers:
            if id(value) not in self._whole:
                self.refuse(value, path, "it contains itself")
            return {"ref": self._numbers[id(value)]}
        self._numbers[id(value)] = len(self._alive)
        self._alive.append(value)  # keeps its id from being reused
        return None

    def begun(self, value: Any) -> dict[str, int] | None:
        """A reference to a value that came before, whole or not; else None."""
        number = self._numbers.get(id(value))
        return None if number is None else {"ref": number}

    def whole(self, value: Any) -> None:
        """Mark a value as complete: only then may others refer to it."""
        self._whole.add(id(value))

    def pairs(self, mapping: dict, path: str) -> list[list[Any]]:
        """A dict as pairs of nodes: JSON's keys are strings only."""
        return [
            [self.encode(key, f"{path} key"), self.encode(value, f"{path}[{_label(key)}]")]
            for key, value in mapping.items()
        ]

    def items(self, values: Iterable[Any], path: str) -> list[Any]:
        """Nodes of the values of a sequence."""
        return [self.encode(value, _item_path(path, i, value)) for i, value in enumerate(values)]

    def array(self, array: np.ndarray, path: str) -> dict[str, Any]:
        """The node of an array of a plain dtype."""
        stored, header = pack(array)
        name, count = path, 1
        while name in self.arrays:
            count += 1
            name = f"{path} ({count})"
        self.arrays[name] = stored
        return {"name": name, **header}


#: Writes a value, at a path, as a node.
Writer = Callable[[Encoder, Any, str], Any]


def _label(key: object) -> str:
    return repr(key) if isinstance(key, (str, int, float)) else type(key).__name__


def _item_path(path: str, index: int, value: Any) -> str:
    """Path of an item; steps of a pipeline go by their names."""
    if type(value) is tuple and value and isinstance(value[0], str):
        return f"{path}[{value[0]!r}]"
    return f"{path}[{index}]"


def _shared(write: Writer) -> Writer:
    """Let `write` handle values that occur more than once."""

    def write_once(encoder: Encoder, value: Any, path: str) -> Any:
        node = encoder.seen(value, path)
        if node is None:
            node = write(encoder, value, path)
            encoder.whole(value)
        return node

    return write_once


def _tuple(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    if value and isinstance(value[0], str):
        return {"tuple": [encoder.encode(item, path) for item in value]}
    return {"tuple": encoder.items(value, path)}


@_shared
def _list(encoder: Encoder, value: Any, path: str) -> list[Any]:
    return encoder.items(value, path)


@_shared
def _dict(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    return {"dict": encoder.pairs(value, path)}


@_shared
def _bunch(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    return {"bunch": encoder.pairs(value, path)}


@_shared
def _set(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    return {"set": encoder.items(value, path)}


def _frozenset(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    return {"frozenset": encoder.items(value, path)}


def _slice(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    return {"slice": [encoder.encode(part, path) for part in (value.start, value.stop, value.step)]}


@_shared
def _ndarray(encoder: Encoder, value: np.ndarray, path: str) -> dict[str, Any]:
    if value.dtype == object:
        items = [encoder.encode(item, f"{path}[{i}]") for i, item in enumerate(value.flat)]
        return {"objects": {"shape": list(value.shape), "items": items}}
    if not is_plain(value.dtype):
        encoder.refuse(value, path, f"arrays of dtype {value.dtype} cannot be stored")
    return {"array": encoder.array(np.asarray(value), path)}


def _masked(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    mask = None if value.mask is np.ma.nomask else value.mask
    parts = (value.data, mask, value.fill_value)
    return {"masked": [encoder.encode(part, path) for part in parts]}


def _scalar(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    if not is_plain(value.dtype):
        encoder.refuse(value, path)
    return {"scalar": pack_scalar(value)}


@_shared
def _random_state(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    if value is check_random_state(None):
        return {"random_state": None}
    state = value.get_state(legacy=False)
    if state["bit_generator"] != "MT19937":
        encoder.refuse(value, path, "only the default generator of RandomState can be stored")
    return {"random_state": encoder.encode(state, path)}


@_shared
def _tensor(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    return {"tensor": _tensor_node(encoder, value, path)}


def _tensor_node(encoder: Encoder, tensor: torch.Tensor, path: str) -> dict[str, Any]:
    tensor = tensor.detach().cpu()
    if tensor.layout != torch.strided or tensor.is_quantized:
        encoder.refuse(tensor, path, "sparse and quantized tensors cannot be stored")
    if tensor.dtype == torch.bfloat16:
        return {"bfloat16": True, **encoder.array(tensor.view(torch.int16).numpy(), path)}
    return encoder.array(tensor.numpy(), path)


def _value(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    name = encoder.names.name_of_value(value)
    if name is None:
        encoder.refuse(
            value,
            path,
            "functions and classes are stored by name, and only trusted ones or those of numpy, "
            "torch.optim and the public functions of scikit-learn that compute numbers",
        )
    encoder.names.resolve_value(name)
    return {"value": name}


@_shared
def _object(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    name = encoder.names.name_of_class(type(value))
    if name is None or not hasattr(value, "__dict__"):
        encoder.refuse(value, path)
    if isinstance(value, BaseSpeechNet):
        node = {"class": name, "state": _state(encoder, value, state_of_net(value), path)}
        if value.initialized_:
            node["net"] = _net(encoder, value, path)
        return {"object": node}
    state = dict(vars(value))
    if isinstance(value, IsotonicRegression):
        state.pop("f_", None)  # SciPy's interpolator is built again by load
    if isinstance(value, Callback):
        # skorch starts each training without learned attributes
        state = {key: item for key, item in state.items() if not key.endswith("_")}
    return {"object": {"class": name, "state": _state(encoder, value, state, path)}}


def _state(encoder: Encoder, owner: Any, state: dict[str, Any], path: str) -> dict[str, Any]:
    for name in ON_DISK & state.keys():
        if state[name] is not None and isinstance(owner, BaseEstimator):
            warnings.warn(
                f"{name} of {path} is saved as None: a file must not say where a loaded estimator "
                f"writes. Set {name} again after load",
                UserWarning,
                stacklevel=2,
            )
            state = {**state, name: None}
    for name in state:
        try:
            check_attribute(type(owner), name)
        except ValueError as error:
            raise TypeError(f"cannot save {path}: {error}") from error
    nodes = {}
    for name, value in state.items():
        if may_be_circular(type(owner), name) and (node := encoder.begun(value)):
            nodes[name] = node
        else:
            nodes[name] = encoder.encode(value, f"{path}.{name}")
    return nodes


def _net(encoder: Encoder, net: BaseSpeechNet, path: str) -> dict[str, Any]:
    parts = fitted_parts(net, path)
    return {
        "weights": {
            name: _tensor_node(encoder, tensor, f"{path}.module_.{name}")
            for name, tensor in parts["weights"].items()
        },
        "criterion": {
            name: _tensor_node(encoder, tensor, f"{path}.criterion_.{name}")
            for name, tensor in parts["criterion"].items()
        },
        "history": encoder.encode(parts["history"], f"{path}.history_"),
    }


def _writer_of(value: Any) -> Writer:
    """The writer of a value whose type is not in the table."""
    if isinstance(value, np.ma.MaskedArray):
        return _masked if type(value) is np.ma.MaskedArray else _refuse
    if isinstance(value, np.memmap):
        return _ndarray
    if isinstance(value, np.generic):
        return _scalar
    if isinstance(value, np.dtype):
        return _dtype
    if isinstance(value, type) or (callable(value) and not isinstance(value, BaseEstimator)):
        # a callable object, such as a scorer, has attributes and no name
        named = isinstance(value, (type, np.ufunc)) or hasattr(value, "__qualname__")
        return _value if named else _object
    return _object


def _refuse(encoder: Encoder, value: Any, path: str) -> NoReturn:
    encoder.refuse(value, path)


def _dtype(encoder: Encoder, value: Any, path: str) -> dict[str, Any]:
    if value == np.dtype(object):
        return {"dtype": "O"}
    if not is_plain(value):
        encoder.refuse(value, path)
    return {"dtype": value.str}


_WRITERS = {
    tuple: _tuple,
    list: _list,
    dict: _dict,
    Bunch: _bunch,
    set: _set,
    frozenset: _frozenset,
    slice: _slice,
    np.ndarray: _ndarray,
    np.random.RandomState: _random_state,
    torch.Tensor: _tensor,
    torch.nn.Parameter: _refuse,
    torch.device: lambda encoder, value, path: {"device": str(value)},
    bytes: lambda encoder, value, path: {"bytes": value.hex()},
    complex: lambda encoder, value, path: {"complex": pack_scalar(np.complex128(value))},
    range: lambda encoder, value, path: {"range": [value.start, value.stop, value.step]},
    Path: lambda encoder, value, path: {"path": str(value)},
    PosixPath: lambda encoder, value, path: {"path": str(value)},
    WindowsPath: lambda encoder, value, path: {"path": str(value)},
}
