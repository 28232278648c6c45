"""Optuna's journal file, made to survive what stops a process in the middle of a line."""

import json
import os
from contextlib import contextmanager

from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock

#: How each record of a journal begins.
_BEGINNING = b'{"op_code":'


def _refuse_other_files(path):
    """Raise where a file does not begin as a journal, or as half a record of one."""
    if not os.path.exists(path):
        return
    with open(path, "rb") as file:
        found = file.read(len(_BEGINNING))
    if not _BEGINNING.startswith(found):
        raise ValueError(
            f"storage={path!r} is no journal of Optuna: it begins with {found!r}. Nothing was "
            "written to it. A database is named by its URL, such as 'sqlite:///search.db'"
        )


class SoundJournalFileBackend(JournalFileBackend):
    """A journal in which half a record never stays.

    Optuna's own appends to whatever is there, and a journal with half a record
    in its middle can no longer be read by anyone.

    Parameters
    ----------
    path : str
        Of the file; made where there is none.

    Raises
    ------
    ValueError
        When the file holds something else, which is left as it is.
    """

    def __init__(self, path):
        _refuse_other_files(path)
        self._path = path
        self._file_lock = JournalFileSymlinkLock(path)
        super().__init__(path, lock_obj=self._file_lock)
        with self._locked():
            self._drop_half_a_record()

    def append_logs(self, logs):
        """Add records, or nothing."""
        lines = "".join(json.dumps(log, separators=(",", ":")) + "\n" for log in logs)
        with self._locked():
            end = self._drop_half_a_record()
            try:
                with open(self._path, "ab") as file:
                    file.write(lines.encode())
                    file.flush()
                    os.fsync(file.fileno())
            except OSError:
                os.truncate(self._path, end)
                raise

    @contextmanager
    def _locked(self):
        self._file_lock.acquire()
        try:
            yield
        finally:
            self._file_lock.release()

    def _drop_half_a_record(self):
        """Cut the file behind its last whole line, and return its size."""
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
