"""Digests of data that are equal for equal data in every process."""

import hashlib
import os
from typing import Any

import joblib
import numpy as np

from ..audio import AudioSegment
from ..audio._reading import check_entries


def digest(*values: object) -> str:
    """Return a hexadecimal digest of some values.

    Parameters
    ----------
    *values : object
        Arrays, ragged arrays, lists, dicts, strings, paths, numbers and None are hashed by
        value; anything else is hashed by joblib.

    Returns
    -------
    digest : str of length 32

    Examples
    --------
    >>> import numpy as np
    >>> digest(np.zeros(3), "a") == digest(np.zeros(3), "a")
    True
    >>> digest(np.zeros(3)) == digest(np.zeros(3, np.float32))
    False
    """
    state = hashlib.blake2b(digest_size=16)
    for value in values:
        _update(state, value)
    return state.hexdigest()


def _update(state, value):
    if isinstance(value, np.ndarray) and value.dtype != object:
        state.update(f"array {value.dtype.str} {value.shape};".encode())
        state.update(np.ascontiguousarray(value).view(np.uint8).data if value.size else b"")
    elif isinstance(value, np.ndarray):
        state.update(f"objects {value.shape};".encode())
        for item in value.ravel():
            _update(state, item)
    elif isinstance(value, (list, tuple)):
        state.update(f"{len(value)} items;".encode())
        for item in value:
            _update(state, item)
    elif isinstance(value, dict):
        state.update(f"{len(value)} entries;".encode())
        for key in sorted(value, key=repr):
            _update(state, key)
            _update(state, value[key])
    elif isinstance(value, os.PathLike):
        state.update(f"path {os.fspath(value)};".encode(errors="surrogateescape"))
    elif value is None or isinstance(value, (bool, int, float, str, bytes, np.generic)):
        state.update(f"{type(value).__name__} {value!r};".encode(errors="surrogatepass"))
    else:
        state.update(f"{type(value).__qualname__} {joblib.hash(value)};".encode())


def file_identities(X: Any) -> list[tuple[Any, ...]] | None:
    """Return path, size and modification time of each file, to detect changed files.

    Parameters
    ----------
    X : array-like of str, os.PathLike or AudioSegment
        In any form that :class:`~sklearn_speech.audio.AudioReader` takes.

    Returns
    -------
    identities : list of tuple, or None
        Size and time are None for a missing file; the result is None if X holds no files.
    """
    if getattr(X, "dtype", None) is not None and X.dtype.kind in "biufc":
        return None
    try:
        entries = check_entries(X)
    except (TypeError, ValueError):
        return None
    identities = []
    for entry in entries:
        path = os.path.abspath(entry.path if isinstance(entry, AudioSegment) else entry)
        try:
            found = os.stat(path)
            state: tuple[int | None, int | None] = found.st_size, found.st_mtime_ns
        except (OSError, ValueError):  # ValueError: a null character in a name
            state = None, None
        part = (entry.start, entry.end) if isinstance(entry, AudioSegment) else ()
        identities.append((path, *state, *part))
    return identities
