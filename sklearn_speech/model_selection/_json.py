"""Write arrays and containers of arrays to JSON, and read them back."""

import json
import math
import os
from typing import Any

import numpy as np

from ..utils.atomic import write_atomically
from ..utils.paths import check_path
from ..utils.validation import make_ragged

VERSION = 1


def write_json(path: str | os.PathLike[str], kind: str, content: dict[str, Any]) -> None:
    """Write plain values and arrays, atomically.

    Parameters
    ----------
    path : str or path-like
    kind : str
        Kind of the content, which is checked when the file is read.
    content : dict
        Numbers, strings, lists, tuples, dicts and arrays of any dtype.
    """
    text = json.dumps(
        {"format": f"sklearn_speech.{kind}", "version": VERSION, "content": _plain(content)},
        allow_nan=False,
    )
    write_atomically(path, f"{text}\n".encode())


def read_json(path: str | os.PathLike[str], kind: str) -> dict[str, Any]:
    """Read a file written by :func:`write_json`.

    Parameters
    ----------
    path : str or path-like
    kind : str

    Returns
    -------
    content : dict

    Raises
    ------
    ValueError
        If the file holds something else.
    """
    try:
        whole = json.loads(check_path(path, "path").read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from error
    expected = f"sklearn_speech.{kind}"
    found = whole.get("format") if isinstance(whole, dict) else None
    if found != expected or whole.get("version") != VERSION:
        raise ValueError(f"{path} holds {found!r}: expected {expected!r}, version {VERSION}")
    try:
        return _from_plain(whole["content"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def _plain(value):
    if isinstance(value, np.ndarray):
        return {"array": _plain(value.tolist()), "dtype": value.dtype.str, "shape": value.shape}
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, tuple):
        return {"tuple": [_plain(item) for item in value]}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        # pairs, because JSON keys can only be strings
        return {"dict": [[_plain(key), _plain(item)] for key, item in value.items()]}
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


def _from_plain(value):
    if isinstance(value, list):
        return [_from_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "array" in value:
        items = _from_plain(value["array"])
        if value["dtype"] == "|O":
            return make_ragged(items)
        return np.array(items, dtype=value["dtype"]).reshape(value["shape"])
    if "tuple" in value:
        return tuple(_from_plain(item) for item in value["tuple"])
    if "dict" in value:
        return {_from_plain(key): _from_plain(item) for key, item in value["dict"]}
    return float(value["float"])
