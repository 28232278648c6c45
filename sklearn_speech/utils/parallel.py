"""Check joblib's backend and the options of functions that run in parallel; run in one folder."""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from numbers import Integral
from typing import Any

from joblib.parallel import get_active_backend

from .sklearn_private import validate_parameter_constraints


def check_run_options(caller: str, *, n_jobs: Any = None, verbose: Any = 0) -> None:
    """Check the number of processes and the verbosity of a public function.

    Parameters
    ----------
    caller : str
        Name of the public function, for the message.
    n_jobs : int or None, default=None
    verbose : int, default=0

    Raises
    ------
    ValueError
        If `n_jobs` is no whole number but 0, or `verbose` no number of at least 0.
    """
    validate_parameter_constraints(
        {"n_jobs": [Integral, None], "verbose": ["verbose"]},
        {"n_jobs": n_jobs, "verbose": verbose},
        caller,
    )
    if n_jobs == 0:
        raise ValueError(f"n_jobs=0 of {caller}: expected at least 1, or -1 for all processors")


def refuse_multiprocessing(caller: str) -> None:
    """Raise ValueError if joblib's active backend is "multiprocessing".

    That backend forks a process with running threads (of torch or BLAS), which may hang, and it
    returns no result until all are ready.

    Parameters
    ----------
    caller : str
        Name of the public function, for the message.

    Raises
    ------
    ValueError
        If the backend cannot return results one by one.
    """
    backend = get_active_backend()[0]
    if not backend.supports_return_generator:
        raise ValueError(
            f"{caller} cannot run on joblib's {type(backend).__name__}: use one of the backends "
            "'loky' (the default), 'threading' and 'dask', as in joblib.parallel_config('loky')"
        )


def in_this_folder(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that worker processes run in the working directory of this process.

    joblib keeps its workers, which stay in the directory where they were started. Relative paths
    would lead elsewhere there after ``os.chdir``.

    Parameters
    ----------
    function : callable
        A function of a module.

    Returns
    -------
    function : callable
        It can be pickled. A thread runs it where it is, since a thread cannot change its
        directory without that of all others; so do machines that lack the directory.
    """
    try:
        return partial(_run_in, os.getpid(), os.getcwd(), function)
    except OSError:  # the directory was removed
        return function


def _run_in(process, folder, function, *args, **kwargs):
    if os.getpid() != process and threading.current_thread() is threading.main_thread():
        with suppress(OSError):
            os.chdir(folder)
    return function(*args, **kwargs)
