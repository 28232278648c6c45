"""Read the next batch while the current one is used."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Index = TypeVar("Index")
Batch = TypeVar("Batch")


def read_ahead(read: Callable[[Index], Batch], indices: Iterable[Index]) -> Iterator[Batch]:
    """Yield ``read(index)`` for each index, and read the next one in a thread meanwhile.

    At most two batches are in memory: the one that is used, and the next.

    Parameters
    ----------
    read : callable
    indices : iterable

    Yields
    ------
    batch : object
        What `read` returns, in the order of `indices`. An error of `read` is raised in its turn.

    Examples
    --------
    >>> list(read_ahead(abs, [-1, 2, -3]))
    [1, 2, 3]
    """
    with ThreadPoolExecutor(max_workers=1) as reader:
        waiting: Future[Batch] | None = None
        for index in indices:
            coming = reader.submit(read, index)
            if waiting is not None:
                yield waiting.result()
            waiting = coming
        if waiting is not None:
            yield waiting.result()
