import signal
import threading

import pytest

from sklearn_speech.utils.interrupts import interrupts_stop_the_run, stop_run_on_interrupt


def test_an_interrupt_that_is_caught_inside_is_raised_at_the_end():
    reached = []
    with pytest.raises(KeyboardInterrupt), stop_run_on_interrupt():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            reached.append("caught inside")
    assert reached == ["caught inside"]


def test_nothing_of_it_stays_behind():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), stop_run_on_interrupt():
        assert interrupts_stop_the_run()
        assert signal.getsignal(signal.SIGINT) is not before
        raise ZeroDivisionError
    assert not interrupts_stop_the_run()
    assert signal.getsignal(signal.SIGINT) is before


def test_blocks_nest_and_each_passes_the_interrupt_on():
    with pytest.raises(KeyboardInterrupt), stop_run_on_interrupt():
        try:
            with stop_run_on_interrupt():
                try:
                    signal.raise_signal(signal.SIGINT)
                except KeyboardInterrupt:
                    pass
        except KeyboardInterrupt:
            pass


def test_threads_have_a_state_of_their_own():
    seen = []

    def look():
        with stop_run_on_interrupt():
            seen.append(interrupts_stop_the_run())
        seen.append(interrupts_stop_the_run())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [True, False] and not interrupts_stop_the_run()
