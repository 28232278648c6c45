"""Check paths that users give."""

import os
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
