"""From the tree and the arrays of a file back to the estimator, checking every node."""

import inspect
import math
from pathlib import Path

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
from ._nets import check_attribute, rebuild

#: Words of state that the Mersenne twister has.
_TWISTER_SIZE = 624


class Decoder:
    """Builds values from nodes; see :class:`~sklearn_speech.persistence._encoder.Encoder`.

    Nothing is called that a file names: objects are made without their
    constructors and given their attributes, and only if their class is allowed.

    Parameters
    ----------
    names : Names
    arrays : callable
        Gives the stored array of a name.
    """

    def __init__(self, names, arrays):
        self.names, self._array, self._values, self._depth = names, arrays, [], 0

    def decode(self, node):
        """The value of a node."""
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
                raise ValueError(f"{kind!r:.100} is no kind of value")
            value = read(self, content)
        self._depth -= 1
        return value

    def reserve(self, value=None):
        """Count a value that can be referred to; returns its number."""
        self._values.append(value)
        return len(self._values) - 1

    def keep(self, number, value):
        """Set the value that was counted before it was there."""
        self._values[number] = value
        return value

    def ref(self, number):
        """The value that was counted as `number`."""
        if type(number) is not int or not 0 <= number < len(self._values):
            raise ValueError(f"reference to a value {number!r} that was not read before")
        if self._values[number] is None:
            raise ValueError("a value that cannot hold itself refers to itself")
        return self._values[number]

    def _list(self, nodes):
        values = []
        self.reserve(values)
        values.extend(map(self.decode, nodes))
        return values

    def pairs(self, mapping, content):
        """Fill a dict from pairs of nodes."""
        self.reserve(mapping)
        for key, value in content:
            key = self.decode(key)
            mapping[key] = self.decode(value)
        return mapping

    def stored(self, header):
        """The array that a header describes."""
        return unpack(self._array(header["name"]), header)

    def tensor(self, header):
        """The tensor that a header describes."""
        array = self.stored(header)
        tensor = torch.from_numpy(array)
        return tensor.view(torch.bfloat16) if header.get("bfloat16") else tensor


def _set(decoder, content):
    values = set()
    decoder.reserve(values)
    values.update(map(decoder.decode, content))
    return values


def _masked(decoder, content):
    data, mask, fill_value = map(decoder.decode, content)
    mask = np.ma.nomask if mask is None else mask
    return np.ma.MaskedArray(data, mask=mask, fill_value=fill_value)


def _array(decoder, header):
    number = decoder.reserve()
    return decoder.keep(number, decoder.stored(header))


def _objects(decoder, content):
    shape, items = sizes(content["shape"]), content["items"]
    if math.prod(shape) != len(items):
        raise ValueError(f"{len(items)} objects are no array of shape {shape}")
    flat = np.empty(len(items), dtype=object)
    array = flat.reshape(shape)
    decoder.reserve(array)
    flat[:] = make_ragged(map(decoder.decode, items))
    return array


def _tensor(decoder, header):
    number = decoder.reserve()
    return decoder.keep(number, decoder.tensor(header))


def _random_state(decoder, content):
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


def _dtype(decoder, content):
    return np.dtype(object) if content == "O" else plain_dtype(content)


def _object(decoder, node):
    cls = decoder.names.resolve_class(node["class"])
    value = object.__new__(cls)
    decoder.reserve(value)
    state = {}
    for name, content in node["state"].items():
        check_attribute(cls, name)
        state[name] = decoder.decode(content)
    if isinstance(value, IsotonicRegression):
        # which builds its interpolator here
        value.__setstate__({**state, "_sklearn_version": sklearn.__version__})
        return value
    vars(value).update(_defaults(cls) | state)
    if isinstance(value, BaseSpeechNet) and "net" in node:
        net = node["net"]
        parts = {
            part: {name: decoder.tensor(header) for name, header in net[part].items()}
            for part in ("weights", "criterion")
        }
        rebuild(value, **parts, history=decoder.decode(net["history"]))
    return value


def _defaults(cls):
    """Parameters of an estimator that one saved by an older version does not have yet."""
    if not issubclass(cls, BaseEstimator):
        return {}
    parameters = inspect.signature(cls.__init__).parameters.values()
    return {p.name: p.default for p in parameters if p.default is not p.empty}


def _slice(decoder, content):
    start, stop, step = map(decoder.decode, content)
    return slice(start, stop, step)


def _range(decoder, content):
    start, stop, step = content
    return range(start, stop, step)


def _int(decoder, content):
    return int(content, 16)


def _float(decoder, content):
    if content not in ("nan", "inf", "-inf"):
        raise ValueError(f"{content!r} is not a float that JSON lacks")
    return float(content)


_READERS = {
    "array": _array,
    "bunch": lambda decoder, content: decoder.pairs(Bunch(), content),
    "bytes": lambda decoder, content: bytes.fromhex(content),
    "complex": lambda decoder, content: complex(unpack_scalar(content)),
    "device": lambda decoder, content: torch.device(content),
    "dict": lambda decoder, content: decoder.pairs({}, content),
    "dtype": _dtype,
    "float": _float,
    "frozenset": lambda decoder, content: frozenset(map(decoder.decode, content)),
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
    "tuple": lambda decoder, content: tuple(map(decoder.decode, content)),
    "value": lambda decoder, content: decoder.names.resolve_value(content),
}
