"""Check joblib's backend."""

from joblib.parallel import get_active_backend


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
