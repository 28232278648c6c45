"""Check paths that users give."""

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any


def check_path(path: Any, name: str) -> Path:
    """Return what a user gave as a path.

    Parameters
    ----------
    path : object
    name : str
        Of the parameter, for the message.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    TypeError
        When it is neither a str nor an os.PathLike object of a str.

    Examples
    --------
    >>> check_path("clips.csv", "manifest").name
    'clips.csv'
    >>> check_path(3, "manifest")
    Traceback (most recent call last):
    TypeError: manifest=3: expected a path, a str or an os.PathLike object
    """
    if isinstance(path, (str, os.PathLike)) and isinstance(os.fspath(path), str):
        return Path(path)
    raise TypeError(f"{name}={path!r:.80}: expected a path, a str or an os.PathLike object")


def absolute_path(path: Any, name: str) -> Path:
    """Return an absolute path; "~" is the user's home folder.

    Parameters
    ----------
    path, name : object and str
        As of :func:`check_path`.

    Returns
    -------
    path : pathlib.Path

    Raises
    ------
    TypeError
        As :func:`check_path`.
    """
    return Path(os.path.abspath(check_path(path, name).expanduser()))


def digest_of_file(path: str | os.PathLike[str]) -> str:
    """Return a digest of the content of a file; it is read again if size or time changed.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    digest : str

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    state = os.stat(path)
    return _digest(os.path.abspath(path), state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=16)
def _digest(path: str, size: int, time: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()
