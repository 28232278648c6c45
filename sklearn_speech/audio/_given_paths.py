"""Paths for other processes, which may have another working directory."""

import dataclasses
import os
from typing import Any

from ._audio_segment import AudioSegment


class GivenPath(str):
    """An absolute path, which messages show as the user gave it.

    Parameters
    ----------
    path : str
        Relative to the working directory, or absolute.

    Examples
    --------
    >>> path = GivenPath("clips/1.wav")
    >>> os.path.isabs(path), path.given
    (True, 'clips/1.wav')
    """

    #: ``given`` is the path as the user gave it. Without a dict, a million take 300 MB less.
    __slots__ = ("given",)

    given: str

    def __new__(cls, path: str) -> "GivenPath":
        # not normalised: ".." after a link leads elsewhere
        found = super().__new__(cls, os.path.join(os.getcwd(), path))
        found.given = path
        return found


def absolute_entries(entries: list[Any]) -> list[Any]:
    """Entries that another process finds in the same place.

    Parameters
    ----------
    entries : list of str, AudioSegment or Recording
        As ``check_entries`` returns them.

    Returns
    -------
    entries : list of GivenPath, AudioSegment or Recording
    """
    return [_absolute(entry) for entry in entries]


def _absolute(entry):
    if isinstance(entry, AudioSegment):
        path = _absolute(entry.path)
        return entry if path is entry.path else dataclasses.replace(entry, path=path)
    is_relative = isinstance(entry, str) and entry and not os.path.isabs(entry)
    return GivenPath(entry) if is_relative else entry


def printable(entry: Any) -> str:
    """A path or segment as text that can be printed, whatever bytes its name has."""
    if isinstance(entry, AudioSegment):
        entry = dataclasses.replace(entry, path=getattr(entry.path, "given", entry.path))
    text = str(getattr(entry, "given", entry))
    return text.encode(errors="backslashreplace").decode()
