"""From the tree and the arrays of a file back to the estimator, checking every node."""

import inspect
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import sklearn
import torch
from sklearn.base import BaseEstimator
from sklearn.isotonic import IsotonicRegression
from sklearn.utils import Bunch, check_random_state

from ..base import BaseSpeechNet
from ..utils.validation import make_ragged
from ._arrays import plain_dtype, sizes, unpack, unpack_scalar
from ._encoder import MAX_DEPTH
from ._names import Names
from ._nets import ON_DISK, check_attribute, may_be_circular, rebuild

#: Words of state that the Mersenne twister has.
_TWISTER_SIZE = 624

#: Most values of a file; a value counts once for every reference to it.
MAX_VALUES = 1_000_000

#: Most keys of a dict that may have the same hash.
_MAX_EQUAL_HASHES = 1000


class Decoder:
    """Builds values from nodes; see :class:`~sklearn_speech.persistence._encoder.Encoder`.

    Nothing that a file names is called: objects of allowed classes are created without
    their constructors and given their attributes.

    Parameters
    ----------
    names : Names
    arrays : callable
        Gives the stored array of a name.
    """

    def __init__(self, names: Names, arrays: Callable[[str], np.ndarray]) -> None:
        self.names, self._array = names, arrays
        self._values: list[Any] = []
        self._sizes: list[int] = []
        self._begun: dict[int, Any] = {}
        self._used: set[str] = set()
        self._count, self._depth = 0, 0

    def decode(self, node: Any) -> Any:
        """The value of a node."""
        self.count(1)
        if node is None or isinstance(node, (bool, int, float, str)):
            return node
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ValueError(f"values are nested more than {MAX_DEPTH} deep")
        if isinstance(node, list):
            value = self._list(node)
        else:
            if len(node) != 1:
                raise ValueError(f"a node has the keys {sorted(node)}, expected one")
            ((kind, content),) = node.items()
            read = _READERS.get(kind)
            if read is None:
                raise ValueError(f"{kind!r:.100} is not a kind of value")
            value = read(self, content)
        self._depth -= 1
        return value

    def count(self, n: int) -> None:
        """Count values, including those behind references and inside ranges.

        Code that walks over all of them, such as ``repr``, visits shared values again.
        """
        self._count += n
        if self._count > MAX_VALUES:
            raise ValueError(f"it holds more than {MAX_VALUES} values")

    def reserve(self) -> int:
        """Reserve a number for a value that can be referred to once it is complete."""
        self._values.append(None)
        self._sizes.append(-self._count)
        return len(self._values) - 1

    def keep(self, number: int, value: Any) -> Any:
        """Store the value of a reserved number."""
        self._values[number] = value
        self._sizes[number] += self._count
        return value

    def ref(self, number: object) -> Any:
        """The value with this number."""
        if type(number) is not int or not 0 <= number < len(self._values):
            raise ValueError(f"reference to value {number!r}, which has not been read yet")
        if self._values[number] is None:
            raise ValueError("a value contains itself")
        self.count(self._sizes[number])
        return self._values[number]

    def begin(self, number: int, value: Any) -> Any:
        """Remember an object that is not complete yet."""
        self._begun[number] = value
        return value

    def owner(self, node: Any) -> Any:
        """The value of a node that may refer to an object that is not complete yet."""
        number = node.get("ref") if isinstance(node, dict) else None
        begun = self._begun.get(number) if type(number) is int else None
        return self.decode(node) if begun is None else begun

    def _list(self, nodes: list) -> list:
        number = self.reserve()
        return self.keep(number, [self.decode(node) for node in nodes])

    def pairs(self, mapping: dict, content: Any) -> dict:
        """Fill a dict from pairs of nodes."""
        number = self.reserve()
        pairs = [(self.decode(key), self.decode(value)) for key, value in content]
        _check_hashes([key for key, _ in pairs])
        mapping.update(pairs)
        return self.keep(number, mapping)

    def stored(self, header: dict[str, Any]) -> np.ndarray:
        """The array that a header describes."""
        name = header["name"]
        if name in self._used:
            raise ValueError(f"the array {name!r:.100} is used twice")
        self._used.add(name)
        array = unpack(self._array(name), header)
        if array.size == 0:
            self.count(max(array.shape))  # takes no memory, but can be walked over
        return array

    def tensor(self, header: dict[str, Any]) -> torch.Tensor:
        """The tensor that a header describes."""
        array = self.stored(header)
        tensor = torch.from_numpy(array)
        return tensor.view(torch.bfloat16) if header.get("bfloat16") else tensor


def _set(decoder: Decoder, content: Any) -> set:
    number = decoder.reserve()
    return decoder.keep(number, set(_hashable(decoder, content)))


def _hashable(decoder: Decoder, content: Any) -> list:
    values = [decoder.decode(node) for node in content]
    _check_hashes(values)
    return values


def _check_hashes(values: list) -> None:
    """Refuse many keys with the same hash: each would be compared with all others."""
    if len(values) > _MAX_EQUAL_HASHES:
        (_, n_equal), *_ = Counter(map(hash, values)).most_common(1)
        if n_equal > _MAX_EQUAL_HASHES:
            raise ValueError(f"{n_equal} keys have the same hash")


def _masked(decoder: Decoder, content: Any) -> np.ma.MaskedArray:
    data, mask, fill_value = map(decoder.decode, content)
    mask = np.ma.nomask if mask is None else mask
    for part in (data, mask):
        if not isinstance(part, (np.ndarray, np.bool_)):
            raise ValueError(f"a masked array cannot be made of a {type(part).__name__}")
    return np.ma.MaskedArray(data, mask=mask, fill_value=fill_value)


def _array(decoder: Decoder, header: dict[str, Any]) -> np.ndarray:
    number = decoder.reserve()
    return decoder.keep(number, decoder.stored(header))


def _objects(decoder: Decoder, content: Any) -> np.ndarray:
    shape, items = sizes(content["shape"]), content["items"]
    if math.prod(shape) != len(items):
        raise ValueError(f"{len(items)} objects do not make an array of shape {shape}")
    flat = np.empty(len(items), dtype=object)
    array = flat.reshape(shape)
    if array.size == 0 and shape:
        decoder.count(max(shape))
    number = decoder.reserve()
    flat[:] = make_ragged([decoder.decode(item) for item in items])
    return decoder.keep(number, array)


def _tensor(decoder: Decoder, header: dict[str, Any]) -> torch.Tensor:
    number = decoder.reserve()
    return decoder.keep(number, decoder.tensor(header))


def _random_state(decoder: Decoder, content: Any) -> np.random.RandomState:
    number = decoder.reserve()
    if content is None:
        return decoder.keep(number, check_random_state(None))
    state = decoder.decode(content)
    key, position = state["state"]["key"], state["state"]["pos"]
    # numpy reads from this position without a check
    if key.dtype != np.uint32 or key.shape != (_TWISTER_SIZE,):
        raise ValueError("a random state has a wrong size")
    if type(position) is not int or not 0 <= position <= _TWISTER_SIZE:
        raise ValueError(f"a random state is at position {position!r}")
    generator = np.random.RandomState()
    generator.set_state(state)
    return decoder.keep(number, generator)


def _dtype(decoder: Decoder, content: Any) -> np.dtype:
    return np.dtype(object) if content == "O" else plain_dtype(content)


def _object(decoder: Decoder, node: Any) -> Any:
    cls = decoder.names.resolve_class(node["class"])
    number = decoder.reserve()
    value = decoder.begin(number, object.__new__(cls))
    state = {}
    for name, content in node["state"].items():
        check_attribute(cls, name)
        read = decoder.owner if may_be_circular(cls, name) else decoder.decode
        state[name] = read(content)
        if name in ON_DISK and state[name] is not None and issubclass(cls, BaseEstimator):
            raise ValueError(f"{name} of {cls.__name__} sets where files are written")
        packages = getattr(cls, "_read_from_packages", ())
        if name in getattr(cls, "_read_from", ()) and state[name] not in packages:
            decoder.names.check_file(cls, name, state[name])
    if isinstance(value, IsotonicRegression):
        for name in {"X_thresholds_", "y_thresholds_"} & state.keys():
            if not isinstance(state[name], np.ndarray) or state[name].ndim != 1:
                raise ValueError(f"{name} of {cls.__name__} is not a 1-D array")
        # __setstate__ builds the interpolator
        value.__setstate__({**state, "_sklearn_version": sklearn.__version__})
        return decoder.keep(number, value)
    vars(value).update(_defaults(cls) | state)
    if isinstance(value, BaseSpeechNet) and "net" in node:
        net = node["net"]
        parts = {
            part: {name: decoder.tensor(header) for name, header in net[part].items()}
            for part in ("weights", "criterion")
        }
        rebuild(value, **parts, history=decoder.decode(net["history"]))
    return decoder.keep(number, value)


def _defaults(cls: Any) -> dict[str, Any]:
    """Defaults of parameters that an estimator saved by an older version may lack."""
    if not issubclass(cls, BaseEstimator):
        return {}
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _slice(decoder: Decoder, content: Any) -> slice:
    start, stop, step = map(decoder.decode, content)
    return slice(start, stop, step)


def _range(decoder: Decoder, content: Any) -> range:
    start, stop, step = content
    values = range(start, stop, step)
    n_values = (stop - start) // step  # len() fails beyond 64 bits
    decoder.count(max(n_values, 0))
    return values


def _device(decoder: Decoder, content: Any) -> torch.device:
    if not isinstance(content, str):
        raise ValueError("the name of a device is not a string")
    return torch.device(content)


def _int(decoder: Decoder, content: Any) -> int:
    return int(content, 16)


def _float(decoder: Decoder, content: Any) -> float:
    if content not in ("nan", "inf", "-inf"):
        raise ValueError(f"{content!r}: expected 'nan', 'inf' or '-inf'")
    return float(content)


_READERS = {
    "array": _array,
    "bunch": lambda decoder, content: decoder.pairs(Bunch(), content),
    "bytes": lambda decoder, content: bytes.fromhex(content),
    "complex": lambda decoder, content: complex(unpack_scalar(content)),
    "device": _device,
    "dict": lambda decoder, content: decoder.pairs({}, content),
    "dtype": _dtype,
    "float": _float,
    "frozenset": lambda decoder, content: frozenset(_hashable(decoder, content)),
    "int": _int,
    "masked": _masked,
    "object": _object,
    "objects": _objects,
    "path": lambda decoder, content: Path(content),
    "random_state": _random_state,
    "range": _range,
    "ref": Decoder.ref,
    "scalar": lambda decoder, content: unpack_scalar(content),
    "set": _set,
    "slice": _slice,
    "tensor": _tensor,
    "tuple": lambda decoder, content: tuple([decoder.decode(node) for node in content]),
    "value": lambda decoder, content: decoder.names.resolve_value(content),
}
