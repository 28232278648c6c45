"""Files and folders that appear whole or not at all, also where the machine stops half-way."""

import errno
import os
import re
import secrets
import shutil
import stat
import time
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: What is being written carries this name, however long the name of the target is.
_PREFIX = ".unfinished-"
_UNFINISHED = re.compile(re.escape(_PREFIX) + r"[0-9a-f]{16}")

#: Where a file system knows no locks: seconds without a change after which a writer is dead.
ABANDONED_AFTER = 24 * 3600


def write_atomically(path, content):
    """Write a file, or replace one, in a single step.

    The content goes to a temporary file beside the target, is flushed to the disk,
    and takes the target's place. A reader finds the old file or the new one, whole,
    even after a crash. What killed writers left in that folder is removed first.

    Parameters
    ----------
    path : str or path-like
        A new file gets the mode that the process gives all its files. A file that is
        replaced passes on its mode, and its owner where the system permits. Where
        `path` is a symbolic link, the file that it points to is replaced, and the
        link stays.
    content : bytes

    Raises
    ------
    OSError
        Names `path`, never the temporary file: its folder does not exist, the disk
        is full, or what is there is write-protected or no regular file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "scores.json"
    ...     write_atomically(path, b"{}")
    ...     path.read_bytes(), len(os.listdir(folder))
    (b'{}', 1)
    """
    with _naming(path):
        target = _real(path)
        old = _status(target)
        remove_abandoned(target.parent)
        mode = 0o666 if old is None else stat.S_IMODE(old.st_mode)
        with _unfinished(target.parent, lambda place: _make_file(place, mode)) as place:
            with open(place, "r+b") as file:
                file.write(content)
                file.flush()
                if old is not None:
                    with suppress(OSError, AttributeError):  # of another user, or on Windows
                        os.chown(place, old.st_uid, old.st_gid)
                    os.chmod(place, mode)
                os.fsync(file.fileno())
            os.replace(place, target)
        _flush(target.parent)


@contextmanager
def unfinished_folder(parent):
    """A folder inside another for work that may fail, removed at the end.

    What killed processes left in `parent` is removed first. Use
    :func:`move_into_place` to keep what was made.

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


def move_into_place(source, target):
    """Flush a file or folder to the disk and rename it, replacing a file that is there.

    Parameters
    ----------
    source, target : pathlib.Path
        On one file system.
    """
    if source.is_dir():
        if hasattr(os, "sync"):
            os.sync()  # thousands of files would take thousands of fsync
    else:
        with open(source, "rb") as file:
            os.fsync(file.fileno())
    os.replace(source, target)
    _flush(target.parent)


def remove_abandoned(folder):
    """Remove what writers left in a folder when they were killed.

    A writer holds a lock as long as it lives; what carries the name of unfinished
    work and no lock is abandoned. On file systems without locks it is abandoned
    after a day without a change. What cannot be removed stays, without an error.

    Parameters
    ----------
    folder : str or path-like
    """
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _UNFINISHED.fullmatch(entry.name):
                with suppress(OSError):
                    _remove_if_abandoned(entry.path)


def _remove_if_abandoned(path):
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
    except BlockingIOError:  # its writer lives
        pass
    except OSError:  # no locks here
        if _is_old(path):
            _remove(path)
    finally:
        os.close(handle)


def _is_old(path):
    """Whether nothing in a file or folder changed for a day."""
    places = [path]
    for folder, _, names in os.walk(path):
        places += [folder, *(os.path.join(folder, name) for name in names)]
    newest = max(os.lstat(place).st_mtime for place in places)
    return time.time() - newest > ABANDONED_AFTER


def _remove(path):
    if os.path.isdir(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        os.unlink(path)


@contextmanager
def _unfinished(parent, make):
    """A locked file or folder of a free name; what is left of it at the end is removed."""
    place, handle = _make_locked(parent, make)
    try:
        yield place
    finally:
        with suppress(FileNotFoundError):
            _remove(place)
        if handle is not None:
            os.close(handle)


def _make_locked(parent, make):
    while True:
        place = parent / f"{_PREFIX}{secrets.token_hex(8)}"
        make(place)
        if fcntl is None:
            return place, None
        # another process may take it for abandoned before it is locked, and remove it
        with suppress(FileNotFoundError):
            handle = os.open(place, os.O_RDONLY)
            with suppress(OSError):  # no locks here
                fcntl.flock(handle, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(handle), os.lstat(place)):
                    return place, handle
            os.close(handle)


def _make_file(place, mode):
    own = stat.S_IRUSR | stat.S_IWUSR
    os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode | own))


def _make_folder(place):
    place.mkdir()


def _real(path):
    """The file to be replaced: links are followed, so that they stay what they are."""
    circle = OSError(errno.ELOOP, "the symbolic link leads back to itself")
    try:
        target = Path(path).resolve()
    except RuntimeError as error:
        raise circle from error
    if target.is_symlink():
        raise circle
    return target


def _status(target):
    """Status of the file to be replaced, None where there is none."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise OSError(errno.EISDIR, "a folder, expected the name of a file")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "no regular file, which is not replaced")
    if not os.access(target, os.W_OK):
        raise OSError(errno.EACCES, "the file is write-protected")
    return status


def _flush(folder):
    """Make a rename outlast a crash, where folders can be flushed."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _naming(path):
    """Errors that name the path the user gave."""
    try:
        yield
    except OSError as error:
        if error.errno is None:
            named = type(error)(f"{path} cannot be written: {error}")
        else:
            named = OSError(error.errno, error.strerror, os.fspath(path))
        raise named from error
