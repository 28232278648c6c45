"""What a value is, in words that are the same in every process."""

import re
from typing import Any

import numpy as np

from ..store._cache_key import digest


def stable_repr(value: object) -> str:
    """A repr by which two values with different contents differ.

    The repr of an array leaves its middle out, and that of many objects names their class
    only. Here, arrays and tensors are described by a digest of their content, and objects by
    their class and attributes. Memory addresses, which differ from run to run, are left out.

    Parameters
    ----------
    value : object

    Returns
    -------
    words : str
        ``repr(value)`` of numbers, strings, functions and containers of these.

    Examples
    --------
    >>> stable_repr({"n": (1, 2.5)})
    "{'n': (1, 2.5)}"
    >>> long = np.zeros(2000)
    >>> other = long.copy()
    >>> other[1000] = 1
    >>> repr(long) == repr(other), stable_repr(long) == stable_repr(other)
    (True, False)
    """
    return _words(value, ())


def _words(value: Any, around: tuple[int, ...]) -> str:
    if id(value) in around:
        return "..."
    around = (*around, id(value))
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        items = ", ".join(_words(item, around) for item in value)
        if isinstance(value, list):
            return f"[{items}]"
        return f"({items},)" if len(value) == 1 else f"({items})"
    if type(value) is dict:
        items = ", ".join(f"{key!r}: {_words(item, around)}" for key, item in value.items())
        return f"{{{items}}}"
    if type(value) in (set, frozenset):
        return f"{type(value).__name__}({sorted(_words(item, around) for item in value)})"
    if not isinstance(value, (type, np.generic)) and hasattr(value, "__array__"):
        return f"{type(value).__qualname__} {_digest_of_array(value)}"
    if hasattr(value, "get_params") and not isinstance(value, type):
        return _object(value, value.get_params(deep=False), around)
    if type(value).__repr__ is object.__repr__ and getattr(value, "__dict__", None):
        return _object(value, vars(value), around)
    if hasattr(value, "state_dict"):
        return f"{value!r} {_words(dict(value.state_dict()), around)}"
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _object(value: Any, state: dict[str, Any], around: tuple[int, ...]) -> str:
    items = ", ".join(f"{name}={_words(item, around)}" for name, item in sorted(state.items()))
    return f"{type(value).__qualname__}({items})"


def _digest_of_array(value: Any) -> str:
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    return digest(np.asarray(value))
