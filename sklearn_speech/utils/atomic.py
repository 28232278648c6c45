"""Write files and folders completely or not at all, even if the machine crashes."""

import errno
import os
import re
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .paths import check_path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: Prefix of temporary files and folders, which does not depend on the name of the target.
_PREFIX = ".unfinished-"
_UNFINISHED = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{16}")

#: On file systems without locks: seconds without a change after which a writer counts as dead.
ABANDONED_AFTER = 24 * 3600


def write_atomically(path: str | os.PathLike[str], content: bytes) -> None:
    """Write a file, or replace one, in a single step.

    The content is written to a temporary file in the same folder, flushed to the disk and
    renamed to the target. A reader finds either the complete old file or the complete new one,
    even after a crash. Temporary files of killed writers in that folder are removed first.

    Parameters
    ----------
    path : str or path-like
        A new file gets the default mode of the process. A replaced file keeps its mode, and its
        owner if the system permits. If `path` is a symbolic link, the file that it points to is
        replaced, and the link stays.
    content : bytes

    Raises
    ------
    OSError
        If the folder does not exist, the disk is full, or `path` is write-protected or not a
        regular file. The message names `path`, never the temporary file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "scores.json"
    ...     write_atomically(path, b"{}")
    ...     path.read_bytes(), len(os.listdir(folder))
    (b'{}', 1)
    """
    check_path(path, "path")
    with _errors_naming(path):
        target = _follow_links(path)
        old = _status(target)
        remove_abandoned(target.parent)
        mode = 0o666 if old is None else stat.S_IMODE(old.st_mode)
        with _unfinished(target.parent, lambda place: _make_file(place, mode)) as place:
            with open(place, "r+b") as file:
                file.write(content)
                file.flush()
                if old is not None:
                    with suppress(OSError, AttributeError):  # a file of another user, or Windows
                        os.chown(place, old.st_uid, old.st_gid)
                    os.chmod(place, mode)
                os.fsync(file.fileno())
            os.replace(place, target)
        _flush(target.parent)


@contextmanager
def unfinished_folder(parent: str | os.PathLike[str]) -> Iterator[Path]:
    """Create a temporary folder inside another, and remove it at the end.

    Temporary files of killed processes in `parent` are removed first. Use
    :func:`move_into_place` to keep the result.

    Parameters
    ----------
    parent : str or path-like
        An existing folder.

    Yields
    ------
    folder : pathlib.Path

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     with unfinished_folder(parent) as folder:
    ...         folder.name.startswith(".unfinished-")
    ...     os.listdir(parent)
    True
    []
    """
    remove_abandoned(parent)
    with _unfinished(Path(parent), _make_folder) as folder:
        yield folder


def move_into_place(source: Path, target: Path) -> None:
    """Flush a file or folder to the disk and rename it, replacing an existing file.

    Parameters
    ----------
    source, target : pathlib.Path
        Paths on the same file system.
    """
    if source.is_dir():
        if hasattr(os, "sync"):
            os.sync()  # one call instead of one fsync per file
    else:
        with open(source, "rb") as file:
            os.fsync(file.fileno())
    os.replace(source, target)
    _flush(target.parent)


def remove_abandoned(folder: str | os.PathLike[str]) -> None:
    """Remove temporary files of killed writers from a folder.

    A writer holds a lock while it is running, so a temporary file without a lock is abandoned.
    On file systems without locks, it counts as abandoned after a day without a change. Files
    that cannot be removed stay, without an error.

    Parameters
    ----------
    folder : str or path-like
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _UNFINISHED.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_if_abandoned(entry.path)


def _remove_if_abandoned(path: str | os.PathLike[str]) -> None:
    kind = os.lstat(path).st_mode
    if not (stat.S_ISREG(kind) or stat.S_ISDIR(kind)):
        return
    if fcntl is None:
        if _is_old(path):
            _remove(path)
        return
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove(path)
    except BlockingIOError:  # its writer is still running
        pass
    except OSError:  # this file system has no locks
        if _is_old(path):
            _remove(path)
    finally:
        os.close(handle)


def _is_old(path: str | os.PathLike[str]) -> bool:
    """Whether nothing in a file or folder has changed for a day."""
    places: list[str | os.PathLike[str]] = [path]
    for folder, _, names in os.walk(path):
        places += [folder, *(os.path.join(folder, name) for name in names)]
    newest = max(os.lstat(place).st_mtime for place in places)
    return time.time() - newest > ABANDONED_AFTER


def _remove(path: str | os.PathLike[str]) -> None:
    if os.path.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        os.unlink(path)


@contextmanager
def _unfinished(parent: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """Create a locked file or folder with an unused name, and remove what is left of it."""
    place, handle = _make_locked(parent, make)
    try:
        yield place
    finally:
        with suppress(FileNotFoundError):
            _remove(place)
        if handle is not None:
            os.close(handle)


def _make_locked(parent: Path, make: Callable[[Path], None]) -> tuple[Path, int | None]:
    while True:
        place = parent / f"{_PREFIX}{secrets.token_hex(8)}"
        make(place)
        if fcntl is None:
            return place, None
        # another process may consider it abandoned and remove it before it is locked
        with suppress(FileNotFoundError):
            handle = os.open(place, os.O_RDONLY)
            with suppress(OSError):  # this file system has no locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.lstat(place)):
                    return place, handle
            os.close(handle)


def _make_file(place: Path, mode: int) -> None:
    own = stat.S_IRUSR | stat.S_IWUSR
    os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode | own))


def _make_folder(place: Path) -> None:
    place.mkdir()


def _follow_links(path: str | os.PathLike[str]) -> Path:
    """Return the file to be replaced; links are followed, so that they are not replaced."""
    circle = OSError(errno.ELOOP, "the symbolic link leads back to itself")
    try:
        target = Path(path).resolve()
    except RuntimeError as error:
        raise circle from error
    if target.is_symlink():
        raise circle
    return target


def _status(target: Path) -> os.stat_result | None:
    """Return the status of the file to be replaced, or None if it does not exist."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, "is a folder, expected a file name")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "is not a regular file, so it is not replaced")
    if not os.access(target, os.W_OK):
        raise OSError(errno.EACCES, "the file is write-protected")
    return status


def _flush(folder: Path) -> None:
    """Make a rename permanent, if folders can be flushed."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _errors_naming(path: str | os.PathLike[str]) -> Iterator[None]:
    """Re-raise errors with the path that the user gave."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            named = type(error)(f"{path} cannot be written: {error}")
        else:
            named = OSError(error.errno, error.strerror, os.fspath(path))
        raise named from error
