"""Run jobs on a Dask cluster whose workers may die."""

import time
from concurrent.futures import CancelledError
from typing import Any

import numpy as np
from joblib.parallel import get_active_backend

#: Arrays of at least this size (bytes) are sent to the cluster only once.
LARGE = 2**16


class LostWorker(RuntimeError):
    """The worker of a job died on every attempt, or held the only copy of the job's data."""


def dask_backend() -> Any:
    """Return joblib's active backend if it is Dask's, otherwise None."""
    backend, _ = get_active_backend()
    return backend if type(backend).__name__ == "DaskDistributedBackend" else None


def run_on_dask(
    backend: Any, jobs: list[Any], time_left: float | None, sent: dict[int, Any]
) -> list[Any]:
    """Run jobs on a cluster.

    Joblib itself waits forever for a job whose worker was killed (in 1.6.0, the callback of a
    future that ended in an error is never called), and it sends the clips again with every
    call.

    Parameters
    ----------
    backend : joblib backend
        Dask's backend, which holds the client.
    jobs : list
        Calls made with ``joblib.delayed``.
    time_left : float or None
        Seconds after which jobs that are still running are cancelled.
    sent : dict
        Arrays that the cluster keeps between calls; changed in place.

    Returns
    -------
    outcomes : list
        For each job, its result, an instance of LostWorker, or None for a job
        that was still running when time ran out.

    Raises
    ------
    Exception
        The exception that a job raised.
    """
    from distributed.scheduler import KilledWorker

    client = backend.client
    _send(client, jobs, sent)
    futures = [_submit(client, job, sent) for job in jobs]
    try:
        with backend.retrieval_context():
            _wait(futures, None if time_left is None else max(time_left, 0.01))
    except TimeoutError:
        client.cancel([future for future in futures if not future.done()], force=True)
        return [future.result() if future.status == "finished" else None for future in futures]
    outcomes = []
    for future in futures:
        try:
            outcomes.append(future.result())
        except (KilledWorker, CancelledError) as error:
            outcomes.append(LostWorker(f"{type(error).__name__}: {error}"))
            sent.clear()  # the worker may have held the only copy
    return outcomes


def _wait(futures: list[Any], seconds: float | None) -> None:
    from distributed import wait

    end = None if seconds is None else time.monotonic() + seconds
    while running := [future for future in futures if not future.done()]:
        left = None if end is None else end - time.monotonic()
        if left is not None and left <= 0:
            raise TimeoutError
        try:
            wait(running, timeout=left)
        except CancelledError:
            continue  # some jobs lost their clips with a worker; others are still running


def _submit(client: Any, job: Any, sent: dict[int, Any]) -> Any:
    function, args, kwargs = job
    args = [sent[id(arg)][1] if id(arg) in sent else arg for arg in args]
    # each job runs in its own thread on a worker; the results are small
    return client.submit(function, *args, pure=False, **kwargs)


def _send(client: Any, jobs: list[Any], sent: dict[int, Any]) -> None:
    """Send new large arrays, and drop those that no job needs any more."""
    large = {id(arg): arg for _, args, _ in jobs for arg in args if _is_large(arg)}
    for key in sent.keys() - large.keys():
        del sent[key]
    for key, arg in large.items():
        if key not in sent:
            # another machine cannot open a memory map on this one
            data = np.asarray(arg) if isinstance(arg, np.memmap) else arg
            # keep the array alive, so that no other object gets its id
            sent[key] = arg, client.scatter(data, hash=False)


def _is_large(arg: Any) -> bool:
    if not isinstance(arg, np.ndarray):
        return False
    if arg.dtype != object:
        return arg.nbytes >= LARGE
    return sum(getattr(clip, "nbytes", 64) for clip in arg.ravel()) >= LARGE
