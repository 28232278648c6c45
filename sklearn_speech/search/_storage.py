"""Open the storage of a study, and wait while it is unreachable."""

import os
import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ProgrammingError,
)
from sqlalchemy.pool import NullPool, QueuePool

from ..utils.optuna_private import engine_of
from ._journal import RepairingJournalBackend

Result = TypeVar("Result")

#: Errors that a storage raises while it is unreachable, locked or full.
UNREACHABLE = (StorageInternalError, OperationalError, InterfaceError, OSError)

#: Seconds that a search waits for a storage that has become unreachable.
MAX_WAIT = 600.0

#: Seconds that SQLite itself waits for a database that another process has locked.
SQLITE_TIMEOUT = 60.0

#: SQLite errors that may go away by themselves.
_PASSING = ("SQLITE_BUSY", "SQLITE_LOCKED", "SQLITE_IOERR", "SQLITE_FULL", "SQLITE_CANTOPEN",
            "SQLITE_PROTOCOL", "SQLITE_INTERRUPT")  # fmt: skip

#: SQLite errors for a file that cannot be opened as a database.
_UNUSABLE = ("SQLITE_NOTADB", "SQLITE_CORRUPT", "SQLITE_READONLY", "SQLITE_CANTOPEN",
             "SQLITE_PERM", "SQLITE_AUTH")  # fmt: skip


class StorageError(OSError):
    """The storage of a study cannot be used; the message names the storage and the reason."""


def open_storage(storage: str | os.PathLike | BaseStorage | None) -> BaseStorage | None:
    """Open an Optuna storage that the user named by URL or path.

    Parameters
    ----------
    storage : str, os.PathLike, optuna storage or None
        A URL (``sqlite:///search.db``, ``postgresql+psycopg://...``), or the path
        of a journal file.

    Returns
    -------
    storage : optuna.storages.BaseStorage or None

    Raises
    ------
    ValueError
        If the file or the URL is not that of a storage.
    StorageError
        If the storage cannot be opened.
    """
    if storage is None or not isinstance(storage, (str, os.PathLike)):
        return storage
    if storage in ("sqlite://", "sqlite:///:memory:"):
        return RDBStorage(os.fspath(storage))
    with errors_named(name_of(storage)):
        if isinstance(storage, str) and "://" in storage:
            return _open_database(storage)
        return JournalStorage(RepairingJournalBackend(os.fspath(storage)))


def _open_database(url: str) -> RDBStorage:
    options: dict[str, Any] = {"poolclass": NullPool}  # a server may go away between calls
    if url.startswith("sqlite"):
        options = {
            "poolclass": QueuePool,  # a new connection would read the schema again; see close()
            "connect_args": {"timeout": SQLITE_TIMEOUT},  # other processes write too
        }
    for attempt in range(5):
        try:
            return RDBStorage(url, engine_kwargs=options)
        except (IntegrityError, OperationalError, ProgrammingError) as error:
            code = getattr(root_cause(error), "sqlite_errorname", "")
            if attempt == 4 or code.startswith(_UNUSABLE):
                raise
            time.sleep(0.2 * 2**attempt)  # another process may be creating the tables
    raise AssertionError("unreachable")


def close(storage: BaseStorage) -> None:
    """Close all connections; the next use of the storage opens a new one."""
    engine = engine_of(storage)
    if engine is not None and engine.url.database not in (None, "", ":memory:"):
        storage.remove_session()
        engine.dispose()


def name_of(storage: str | os.PathLike) -> str:
    """Return the name of a storage for error messages, without passwords."""
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", os.fspath(storage))


def root_cause(error: BaseException) -> BaseException:
    """Return the error that caused an Optuna error, whose own message says little."""
    while error.__cause__ is not None:
        error = error.__cause__
    return getattr(error, "orig", None) or error


def is_permanent(error: BaseException) -> bool:
    """Whether SQLite reports an error that waiting cannot fix, such as a damaged file."""
    code = getattr(root_cause(error), "sqlite_errorname", None)
    return code is not None and not code.startswith(_PASSING)


@contextmanager
def errors_named(name: str) -> Iterator[None]:
    """Re-raise the errors of a storage as StorageError with its name."""
    try:
        yield
    except StorageError:
        raise
    except (ArgumentError, ImportError, RuntimeError) as error:  # RuntimeError: other version
        raise ValueError(f"storage={name!r} cannot be opened: {error}") from error
    except (*UNREACHABLE, DatabaseError) as error:
        raise storage_error(name, error) from error


def storage_error(name: str, error: BaseException) -> StorageError:
    """Return the error to raise if a storage fails."""
    cause = root_cause(error)
    code = getattr(cause, "sqlite_errorname", "")
    if code in ("SQLITE_NOTADB", "SQLITE_CORRUPT"):
        remedy = "the file is damaged or not a database; restore it, or use another file"
    elif code.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        remedy = "check that the folder exists, and that file and folder can be written"
    elif code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        remedy = "another process has locked the database; end it, then run the search again"
    elif code == "SQLITE_FULL" or getattr(cause, "errno", None) == 28:
        remedy = "free some disk space, then run the search again"
    else:
        remedy = "once it can be reached, run the search again"
    return StorageError(
        f"storage {name!r} of the study failed ({type(cause).__name__}: {cause}); {remedy}. "
        "Finished trials stay in the storage, and the search continues with them"
    )


def retry_while_unreachable(
    name: str, function: Callable[..., Result], *args: Any, **kwargs: Any
) -> Result:
    """Call a function that uses the storage, and repeat the call while it is unreachable.

    Parameters
    ----------
    name : str
        Name of the storage for messages.
    function : callable
    *args, **kwargs
        Its arguments.

    Returns
    -------
    result : object
        The result of the function.

    Raises
    ------
    StorageError
        If the storage stays unreachable, or is damaged or read-only.

    Warns
    -----
    UserWarning
        When the storage is unreachable for the first time.
    """
    began, pause = time.monotonic(), 0.2
    while True:
        try:
            return function(*args, **kwargs)
        except UNREACHABLE as error:
            if time.monotonic() - began > MAX_WAIT or is_permanent(error):
                raise storage_error(name, error) from error
            if pause == 0.2:
                cause = root_cause(error)
                warnings.warn(
                    f"storage {name!r} of the study is unreachable "
                    f"({type(cause).__name__}: {cause}); trying again for {MAX_WAIT:.0f} seconds",
                    UserWarning,
                    stacklevel=3,
                )
            time.sleep(pause)
            pause = min(2 * pause, 30.0)
