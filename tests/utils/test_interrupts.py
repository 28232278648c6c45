import signal

import pytest

from sklearn_speech.utils.interrupts import stop_run_on_interrupt


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
        assert signal.getsignal(signal.SIGINT) is not before
        raise ZeroDivisionError
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
