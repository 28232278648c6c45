"""Run jobs in parallel, even if a job kills its worker or never returns."""

import multiprocessing
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import joblib
from joblib import Parallel, delayed

from ._dask import LostWorker, dask_backend, run_on_dask


class WorkerDied(RuntimeError):
    """The process of a job was killed or ran out of memory."""


class WorkerTimedOut(RuntimeError):
    """A job was still running when time ran out."""


def in_this_process(n_jobs: int | None) -> bool:
    """Whether jobs run in this process, in sequence.

    Parameters
    ----------
    n_jobs : int or None

    Returns
    -------
    here : bool
    """
    return dask_backend() is None and joblib.effective_n_jobs(n_jobs) == 1


def run_jobs(
    jobs: list[Any],
    n_jobs: int | None,
    time_left: float | None = None,
    sent: dict[int, Any] | None = None,
) -> list[Any]:
    """Run jobs on joblib's active backend.

    Parameters
    ----------
    jobs : list
        Calls made with ``joblib.delayed``.
    n_jobs : int or None
    time_left : float or None, default=None
        Seconds until worker processes are stopped; a job in this process runs to its end.
    sent : dict, default=None
        Arrays that a Dask cluster keeps between calls.

    Returns
    -------
    outcomes : list
        For each job, its result, or an instance of WorkerDied or WorkerTimedOut.
    """
    if in_this_process(n_jobs):
        return Parallel(n_jobs=1)(jobs)
    backend = dask_backend()
    if backend is not None:
        return _run_by_dask(backend, jobs, time_left, {} if sent is None else sent)
    outcomes: list[Any] = [None] * len(jobs)
    todo = set(range(len(jobs)))
    try:
        _run(jobs, outcomes, todo, n_jobs, time_left)
    except (TimeoutError, multiprocessing.TimeoutError):
        for i in todo:
            outcomes[i] = _timed_out()
    except BrokenProcessPool:
        for i in sorted(todo):  # run each job alone, to find the one that kills its worker
            outcomes[i] = _run_alone(jobs[i])
    return outcomes


def _timed_out() -> WorkerTimedOut:
    return WorkerTimedOut("the search's timeout passed")


def _died(reason: str) -> WorkerDied:
    return WorkerDied(f"the worker process was killed or ran out of memory: {reason}")


def _run(
    jobs: list[Any],
    outcomes: list[Any],
    todo: set[int],
    n_jobs: int | None,
    time_left: float | None,
) -> None:
    parallel = Parallel(n_jobs=n_jobs, return_as="generator_unordered", batch_size=1)
    if time_left is not None and parallel._backend.supports_timeout:
        parallel.timeout = max(time_left, 0.01)
    numbered = (delayed(_numbered)(i, job) for i, job in enumerate(jobs))
    for i, outcome in parallel(numbered):
        outcomes[i] = outcome
        todo.discard(i)


def _run_alone(job: Any) -> Any:
    try:
        return Parallel(n_jobs=2)([job])[0]
    except BrokenProcessPool as error:
        return _died(type(error).__name__)


def _run_by_dask(
    backend: Any, jobs: list[Any], time_left: float | None, sent: dict[int, Any]
) -> list[Any]:
    outcomes = run_on_dask(backend, jobs, time_left, sent)
    for i, outcome in enumerate(outcomes):
        if isinstance(outcome, LostWorker):
            # the cluster reports every job of a dead worker as failed
            outcomes[i] = outcome = run_on_dask(backend, [jobs[i]], time_left, sent)[0]
        if isinstance(outcome, LostWorker):
            outcomes[i] = _died(str(outcome))
        elif outcome is None:
            outcomes[i] = _timed_out()
    return outcomes


def _numbered(i: int, job: Any) -> tuple[int, Any]:
    function, args, kwargs = job
    return i, function(*args, **kwargs)
