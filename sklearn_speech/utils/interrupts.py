"""KeyboardInterrupt: it ends a single fit early, but stops a run over several folds."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_STOPS_THE_RUN: ContextVar[bool] = ContextVar("interrupts_stop_the_run", default=False)


def interrupts_stop_the_run() -> bool:
    """Whether a KeyboardInterrupt during ``fit`` must be raised again, not end the fit early.

    True in the folds of a cross-validation or search, which must not score an estimator
    whose training was cut short.

    Examples
    --------
    >>> with stop_run_on_interrupt():
    ...     interrupts_stop_the_run()
    True
    >>> interrupts_stop_the_run()
    False
    """
    return _STOPS_THE_RUN.get()


@contextmanager
def stop_run_on_interrupt() -> Iterator[None]:
    """Let no KeyboardInterrupt inside the block pass unnoticed.

    Estimators of this package raise it again (:func:`interrupts_stop_the_run`). Others,
    such as a plain skorch net, catch it and return what they have learned so far; an
    interrupt by the user (SIGINT) is then raised again at the end of the block. Signals
    arrive in the main thread, so in other threads this second part does nothing.
    """
    received = []
    handler = signal.getsignal(signal.SIGINT)
    in_main_thread = threading.current_thread() is threading.main_thread()
    watches = in_main_thread and callable(handler)

    def note(number, frame):
        received.append(number)
        handler(number, frame)

    token = _STOPS_THE_RUN.set(True)
    if watches:
        signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        _STOPS_THE_RUN.reset(token)
        if watches:
            signal.signal(signal.SIGINT, handler)
    if received:
        raise KeyboardInterrupt
