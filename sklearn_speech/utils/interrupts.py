"""Handle KeyboardInterrupt: it ends a single fit early, but stops a run of several fits."""

import dis
import inspect
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: Packages that fit estimators for the user: a fit that they call is one of several.
_CALLERS = ("sklearn", "joblib", "sklearn_speech")

#: Modules of these packages that only pass on a user's own call of ``fit``.
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
    """Whether a KeyboardInterrupt comes from a ``raise`` statement rather than from Ctrl-C.

    skorch's callbacks end training with ``raise KeyboardInterrupt``.

    Parameters
    ----------
    interrupt : KeyboardInterrupt
        A caught exception, which has a traceback.

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
    # a signal can arrive at any instruction, a raise statement only at this one
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def is_nested_fit() -> bool:
    """Whether the running ``fit`` was called by a search, an ensemble or a cross-validation.

    Returns
    -------
    nested : bool
        False if the user called ``fit`` of an estimator or a pipeline.
    """
    frame = inspect.currentframe()
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if _belongs(module, _CALLERS) and not _belongs(module, _PASS_ON):
            return True
        frame = frame.f_back
    return False


def _belongs(module: str, packages: tuple[str, ...]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


@contextmanager
def stop_run_on_interrupt() -> Iterator[None]:
    """Make sure that Ctrl-C inside the block stops the run.

    A plain skorch net catches the interrupt and returns a partly trained network; the interrupt
    is then raised again at the end of the block. Signals arrive in the main thread, so this has
    no effect in other threads.
    """
    received = []
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield
        return

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)
        handler(number, frame)

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if received:
        raise KeyboardInterrupt
