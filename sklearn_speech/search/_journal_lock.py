"""A lock file that names its owner, so that the lock of a killed process is removed at once."""

import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, unquote

from ._processes import Owner, is_known_dead, new_owner

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

#: Seconds after which an unchanged lock of another machine is removed.
GRACE_PERIOD = 30.0

#: Longest pause (seconds) between two attempts.
LONGEST_PAUSE = 0.1


class JournalLock:
    """Lock of a journal file, on local disks and on network drives.

    The lock is the file ``<journal>.lock``. It is made by a hard link, which is atomic on
    network drives too (see ``open(2)``), so the file names its owner as soon as it exists.
    Optuna's own locks use the same file name and respect this lock.

    Parameters
    ----------
    path : str
        Path of the journal.
    """

    def __init__(self, path: str) -> None:
        self._journal = path
        self._lock = path + ".lock"
        self._owner: Owner | None = None
        self._remove_parts_of_dead_owners()

    def acquire(self) -> bool:
        """Wait for the lock, and take it.

        Returns
        -------
        acquired : bool
            True.

        Raises
        ------
        OSError
            When the folder cannot be written.
        """
        self._owner = new_owner()
        part = self._lock + _suffix(self._owner)
        pause, seen, since = 0.001, None, time.monotonic()
        try:
            _write(part, self._owner)
            while not self._link(part):
                held_by = _read(self._lock)
                if held_by != seen:
                    seen, since = held_by, time.monotonic()
                if isinstance(held_by, list) and is_known_dead(held_by):
                    self._remove(held_by)
                elif time.monotonic() - since > GRACE_PERIOD:
                    self._remove(held_by)
                else:
                    time.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            _unlink(part)
        return True

    def release(self) -> None:
        """Release the lock."""
        if _read(self._lock) == self._owner:  # otherwise another machine declared this process dead
            _unlink(self._lock)

    def _link(self, part: str) -> bool:
        try:
            os.link(part, self._lock)
        except FileExistsError:
            return False
        except OSError:
            if os.stat(part).st_nlink == 2:
                return True  # a network drive made the link, but its answer was lost
            return self._create()  # a file system without hard links
        return True

    def _create(self) -> bool:
        try:
            descriptor = os.open(self._lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            return False
        with os.fdopen(descriptor, "w") as file:
            json.dump(self._owner, file)
        return True

    def _remove(self, expected: object) -> None:
        """Remove the lock if it is still the expected one."""
        with self._exclusive_on_this_machine():
            if _read(self._lock) == expected:
                _unlink(self._lock)

    @contextmanager
    def _exclusive_on_this_machine(self) -> Iterator[None]:
        if fcntl is None:
            yield
            return
        with open(self._journal, "ab") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError:
                pass  # a network drive without this kind of lock; the lock file is read again below
            yield

    def _remove_parts_of_dead_owners(self) -> None:
        name = Path(self._lock).name
        for part in Path(self._lock).parent.glob(f"{name}-*"):
            owner = _owner_in(part.name.removeprefix(name))
            if owner is not None and is_known_dead(owner):
                _unlink(str(part))


def _suffix(owner: Owner) -> str:
    """Name the owner in the file name too: a process may be killed before it writes the file."""
    machine, process, start, name = owner
    return f"-{quote(machine, safe='')}-{process}-{start}-{name}"


def _owner_in(suffix: str) -> Owner | None:
    found = re.fullmatch(r"-(.+)-(\d+)-(\d+)-([0-9a-f]+)", suffix)
    if found is None:
        return None
    machine, process, start, name = found.groups()
    return [unquote(machine), int(process), int(start), name]


def _write(path: str, owner: Owner) -> None:
    with open(path, "w") as file:
        json.dump(owner, file)


def _read(path: str) -> object:
    """The owner in a lock file, its modification time if it names none, or None if it is gone."""
    if os.path.islink(path):
        return _time_of(path)  # a lock made by Optuna, which is a link to the journal
    try:
        with open(path) as file:
            found = json.loads(file.read(1000))
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return _time_of(path)
    return found if isinstance(found, list) and len(found) == 4 else _time_of(path)


def _time_of(path: str) -> float | None:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return None


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
