"""Tell what the store wrote to a folder from what others keep there, and remove only that."""

import hashlib
import os
import re
import stat
import time
import uuid
from pathlib import Path

from ._shard import DATA, META

#: Names of entries: digests of the clips and of the steps.
_ENTRY = re.compile("[0-9a-f]{32}-[0-9a-f]{32}")

#: Names of folders that are being written or removed.
_TEMPORARY = re.compile(r"\.sklearn-speech-[0-9a-f]{32}")

#: How the files of an entry begin.
_BEGINNINGS = {DATA: b"\x93NUMPY", META: b'{"checksum": "'}

#: Age in seconds from which a temporary folder belongs to a process that died.
_ABANDONED = 24 * 3600.0


def name_of_key(key: str) -> str:
    """Return the name of the folder of an entry.

    Parameters
    ----------
    key : str
        Its part after the last hyphen tells the steps, and the part before it the clips.

    Returns
    -------
    name : str
        Two digests of 32 hexadecimal digits. Parts of the key that are such digests are kept,
        so the name of a name is itself.

    Examples
    --------
    >>> name = name_of_key("clips-mel")
    >>> len(name), name_of_key(name) == name
    (65, True)
    """
    clips, _, steps = key.rpartition("-")
    return f"{_hexadecimal(clips)}-{_hexadecimal(steps)}"


def _hexadecimal(part):
    if re.fullmatch("[0-9a-f]{32}", part):
        return part
    return hashlib.blake2b(part.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def is_entry_name(name: str) -> bool:
    """Whether an entry may have this name."""
    return _ENTRY.fullmatch(name) is not None


def is_temporary_name(name: str) -> bool:
    """Whether a folder that is being written or removed may have this name."""
    return _TEMPORARY.fullmatch(name) is not None


def temporary(folder: Path) -> Path:
    """Return a new path within `folder` for what is being written or removed."""
    return folder / f".sklearn-speech-{uuid.uuid4().hex}"


def holds_only_own_files(place: str | os.PathLike[str]) -> bool:
    """Whether a path is a folder, and no link to one, without files of others."""
    try:
        if not stat.S_ISDIR(os.lstat(place).st_mode):
            return False
        with os.scandir(place) as found:
            return all(
                file.name in _BEGINNINGS and file.is_file(follow_symlinks=False) for file in found
            )
    except OSError:
        return False


def size_of_entry(entry: Path) -> int:
    """Size of an entry in bytes.

    Parameters
    ----------
    entry : Path

    Returns
    -------
    n_bytes : int
        0 for what the store did not write, what cannot be read, and what another process removed.
    """
    if not is_entry_name(entry.name) or not holds_only_own_files(entry):
        return 0
    try:
        for name, beginning in _BEGINNINGS.items():
            with open(entry / name, "rb") as file:
                if file.read(len(beginning)) != beginning:
                    return 0
        return sum(os.lstat(entry / name).st_size for name in _BEGINNINGS)
    except OSError:
        return 0


def remove_entry(entry: Path) -> bool:
    """Rename an entry, so that it disappears in one step, and then delete it.

    Parameters
    ----------
    entry : Path

    Returns
    -------
    removed : bool
        False if it is not there, this process may not remove it, or others have files in it.
    """
    own = is_entry_name(entry.name) and holds_only_own_files(entry)
    # who may rename a folder but not empty it would leave its files under another name
    if not own or not os.access(entry, os.W_OK | os.X_OK):
        return False
    place = temporary(entry.parent)
    try:
        os.rename(entry, place)
    except OSError:
        return False  # another process removed it first, or this one has no permission
    remove_temporary(place)
    return True


def remove_temporary(place: Path) -> None:
    """Delete the files of the store in a temporary folder, and the folder if nothing is left."""
    if not is_temporary_name(place.name) or not holds_only_own_files(place):
        return
    try:
        for name in _BEGINNINGS:
            (place / name).unlink(missing_ok=True)
        place.rmdir()
    except OSError:
        pass  # another process removes it too, or this one has no permission


def remove_if_abandoned(place: Path) -> None:
    """Delete a temporary folder of a process that died a day ago."""
    try:
        last_use = os.lstat(place).st_mtime
    except OSError:
        return
    if last_use < time.time() - _ABANDONED:
        remove_temporary(place)
