"""Check joblib's backend, and the options of functions that run in parallel."""

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
