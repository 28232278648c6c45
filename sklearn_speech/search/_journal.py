"""Optuna's journal file, repaired when a process was killed while it wrote a record."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from optuna.storages.journal import JournalFileBackend

from ._journal_lock import JournalLock

#: The first bytes of each record of a journal.
_BEGINNING = b'{"op_code":'


def _refuse_other_files(path: str) -> None:
    """Raise ValueError if a file does not begin like a journal, complete or truncated."""
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        found = file.read(len(_BEGINNING))
    if not _BEGINNING.startswith(found):
        raise ValueError(
            f"storage={path!r} is not an Optuna journal: it begins with {found!r}. Nothing was "
            "written to it. Give a database by its URL, such as 'sqlite:///search.db'"
        )


class RepairingJournalBackend(JournalFileBackend):
    """A journal file that never keeps an incomplete record.

    Optuna's own backend appends to whatever is there. A journal with an incomplete
    record in the middle cannot be read any more.

    Parameters
    ----------
    path : str
        Path of the file, which is created if it does not exist.

    Raises
    ------
    ValueError
        If the file holds something else; it is not changed.
    """

    def __init__(self, path: str) -> None:
        _refuse_other_files(path)
        self._path = path
        self._file_lock = JournalLock(path)
        super().__init__(path, lock_obj=self._file_lock)  # type: ignore[arg-type]
        with self._locked():
            self._drop_incomplete_record()

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append all records, or none of them after an error."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with self._locked():
            end = self._drop_incomplete_record()
            try:
                with open(self._path, "ab") as file:
                    file.write(lines.encode())
                    file.flush()
                    os.fsync(file.fileno())
            except OSError:
                os.truncate(self._path, end)
                raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._file_lock.acquire()
        try:
            yield
        finally:
            self._file_lock.release()

    def _drop_incomplete_record(self) -> int:
        """Cut the file after its last complete line, and return its size."""
        with open(self._path, "r+b") as file:
            end = size = file.seek(0, os.SEEK_END)
            while end > 0:
                begin = max(0, end - 4096)
                file.seek(begin)
                end = begin + file.read(end - begin).rfind(b"\n") + 1
                if end > begin:
                    break
            if end < size:
                file.truncate(end)
        return end
