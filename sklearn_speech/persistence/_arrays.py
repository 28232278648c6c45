"""Arrays and scalars of every plain dtype in a form that safetensors stores bit by bit."""

import math
import re
from typing import Any

import numpy as np

#: Dtypes that the format knows; all others are stored as bytes.
_NATIVE = {np.dtype(code) for code in "? i1 u1 <i2 <u2 <i4 <u4 <i8 <u8 <f2 <f4 <f8".split()}

#: Booleans, numbers, bytes, text and times; never objects, records or sub-arrays.
_DTYPE = re.compile(r"[<>|=]?[biufcSUmM]\d+(\[\d*[a-zA-Z]+\])?", re.ASCII)

_LAST_CODE_POINT = 0x10FFFF


def pack(array: np.ndarray) -> tuple[np.ndarray, dict[str, Any]]:
    """Split an array into stored values and a header.

    Parameters
    ----------
    array : ndarray
        Of a plain dtype.

    Returns
    -------
    stored : ndarray
        In C order, of a dtype that safetensors knows.
    header : dict
        What else :func:`unpack` needs. It holds the memory order, since sums of the same
        numbers in another order differ in the last bit.
    """
    header: dict[str, Any] = {}
    if not array.flags.c_contiguous:
        axes = sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis]))
        if axes != list(range(array.ndim)):
            header["axes"] = axes
            array = array.transpose(axes)
    array = np.asarray(array, order="C")
    if array.dtype not in _NATIVE:
        header["dtype"], header["shape"] = array.dtype.str, list(array.shape)
        array = np.frombuffer(array.tobytes(), np.uint8)
    return array, header


def unpack(stored: np.ndarray, header: dict[str, Any]) -> np.ndarray:
    """Rebuild an array; see :func:`pack`.

    Raises
    ------
    ValueError
        When the header does not fit what is stored.
    """
    if "dtype" in header:
        stored = _from_bytes(stored, plain_dtype(header["dtype"]), sizes(header["shape"]))
    if "axes" in header:
        axes = header["axes"]
        if sorted(sizes(axes)) != list(range(stored.ndim)):
            raise ValueError(f"{axes!r} is not a permutation of {stored.ndim} axes")
        stored = stored.transpose(np.argsort(axes))
    return stored


def _from_bytes(stored: np.ndarray, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    n_bytes = math.prod(shape) * dtype.itemsize
    if stored.dtype != np.uint8 or stored.ndim != 1 or stored.size != n_bytes:
        raise ValueError(
            f"{stored.size} bytes do not make an array of shape {shape} and dtype {dtype}"
        )
    array = stored.view(dtype).reshape(shape) if n_bytes else np.empty(shape, dtype)
    if dtype.kind == "U" and n_bytes:
        codes = stored.view(np.dtype("u4").newbyteorder(dtype.byteorder))
        if codes.max() > _LAST_CODE_POINT:
            raise ValueError("text holds code points beyond Unicode")
    return array


def plain_dtype(text: object) -> np.dtype:
    """The dtype called `text`, if its values are plain bytes.

    Raises
    ------
    ValueError
        For any other name.
    """
    if not isinstance(text, str) or not _DTYPE.fullmatch(text):
        raise ValueError(f"{text!r} is not a dtype of plain values")
    return np.dtype(text)


def is_plain(dtype: np.dtype) -> bool:
    """Whether arrays of a dtype can be packed."""
    return dtype.itemsize > 0 and bool(_DTYPE.fullmatch(dtype.str))


def sizes(values: object) -> tuple[int, ...]:
    """`values` as a tuple, if they are valid sizes.

    Raises
    ------
    ValueError
        When they are not whole numbers of at least 0.
    """
    if not isinstance(values, list) or any(type(v) is not int or v < 0 for v in values):
        raise ValueError(f"{values!r} is not a list of sizes")
    return tuple(values)


def pack_scalar(value: np.generic) -> list[str]:
    """A numpy scalar as its dtype and its bytes."""
    return [value.dtype.str, value.tobytes().hex()]


def unpack_scalar(pair: list[str]) -> Any:
    """The numpy scalar of :func:`pack_scalar`."""
    text, content = pair
    stored = np.frombuffer(bytes.fromhex(content), np.uint8)
    return _from_bytes(stored, plain_dtype(text), ())[()]
