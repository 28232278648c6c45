"""KeyboardInterrupt: it ends a single fit early, but stops a run over several fits."""

import dis
import inspect
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

#: Packages whose code fits estimators on somebody's behalf: a fit that they call is one of many.
_CALLERS = ("sklearn", "joblib", "sklearn_speech")

#: Modules of these packages that only pass a user's own call of ``fit`` on.
_PASS_ON = (
    "sklearn.base",
    "sklearn.pipeline",
    "sklearn.utils",
    "sklearn_speech.base",
    "sklearn_speech.classification",
    "sklearn_speech.pretraining",
    "sklearn_speech.recognition",
    "sklearn_speech.regression",
    "sklearn_speech.utils",
)


def raised_by_code(interrupt: KeyboardInterrupt) -> bool:
    """Whether a KeyboardInterrupt comes from a ``raise`` statement, and not from Ctrl-C.

    skorch's callbacks end a training by ``raise KeyboardInterrupt``.

    Parameters
    ----------
    interrupt : KeyboardInterrupt
        Caught, so that it has a traceback.

    Returns
    -------
    by_code : bool

    Examples
    --------
    >>> try:
    ...     raise KeyboardInterrupt
    ... except KeyboardInterrupt as interrupt:
    ...     raised_by_code(interrupt)
    True
    """
    trace = interrupt.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return False
    # a signal strikes at any instruction, a statement at this one
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def is_nested_fit() -> bool:
    """Whether a search, an ensemble or a cross-validation called the ``fit`` that is running.

    Returns
    -------
    nested : bool
        False where a user called ``fit`` of an estimator or of a pipeline.
    """
    frame = inspect.currentframe()
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if _belongs(module, _CALLERS) and not _belongs(module, _PASS_ON):
            return True
        frame = frame.f_back
    return False


def _belongs(module, packages):
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@contextmanager
def stop_run_on_interrupt() -> Iterator[None]:
    """Let no Ctrl-C inside the block pass unnoticed.

    A plain skorch net catches it and returns what it has learned so far; the interrupt is
    then raised again at the end of the block. Signals arrive in the main thread, so in other
    threads this does nothing.
    """
    received = []
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return

    def note(number, frame):
        received.append(number)
        handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if received:
        raise KeyboardInterrupt
