"""Warn about bad files once, in one list, however many blocks and processes read them."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

#: What was read in place of bad files, by position, where a caller collects it.
_COLLECTED: ContextVar[dict[int, str] | None] = ContextVar("_COLLECTED", default=None)


@contextmanager
def bad_files() -> Iterator[dict[int, str]]:
    """Collect what is said of bad files by position, instead of a warning.

    Yields
    ------
    bad : dict of int to str
        Filled by :func:`report`.
    """
    bad: dict[int, str] = {}
    token = _COLLECTED.set(bad)
    try:
        yield bad
    finally:
        _COLLECTED.reset(token)


def report(bad: dict[int, str], n_files: int) -> None:
    """Pass on what is said of bad files to a caller that collects it, or warn.

    Parameters
    ----------
    bad : dict of int to str
        A line for each bad file, by its position.
    n_files : int
    """
    collected = _COLLECTED.get()
    if collected is not None:
        collected.update(bad)
    elif bad:
        warn_of_bad_files(bad.values(), n_files, stacklevel=4)


def warn_of_new_bad_files(
    lines: Iterable[str], told: set[str], n_files: int, stacklevel: int = 3
) -> None:
    """Warn about the bad files that were not yet told of, in one list.

    Parameters
    ----------
    lines : iterable of str
        A line for each bad file.
    told : set of str
        Lines of earlier warnings; the new ones are added.
    n_files : int
    stacklevel : int, default=3
    """
    new = [line for line in dict.fromkeys(lines) if line not in told]
    told.update(new)
    if new:
        warn_of_bad_files(new, n_files, stacklevel)


def warn_of_bad_files(lines: Iterable[str], n_files: int, stacklevel: int = 3) -> None:
    """Warn about bad files in one list.

    Parameters
    ----------
    lines : iterable of str
        A line for each bad file.
    n_files : int
    stacklevel : int, default=3
    """
    lines = list(lines)
    warnings.warn(
        f"{len(lines)} of {n_files} files cannot be read completely; what is read instead is given "
        "in brackets:\n" + "\n".join(f"  {line}" for line in lines),
        UserWarning,
        stacklevel=stacklevel,
    )
