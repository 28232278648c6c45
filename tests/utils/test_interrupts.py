import signal

import pytest

from sklearn_speech.utils.interrupts import stop_run_on_interrupt


def test_an_interrupt_caught_inside_the_block_is_raised_at_its_end():
    reached = []
    with pytest.raises(KeyboardInterrupt), stop_run_on_interrupt():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            reached.append("caught inside")
    assert reached == ["caught inside"]


def test_the_signal_handler_is_restored_after_an_error():
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(ZeroDivisionError), stop_run_on_interrupt():
        assert signal.getsignal(signal.SIGINT) is not before
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is before


def test_nested_blocks_each_raise_the_interrupt():
    with pytest.raises(KeyboardInterrupt), stop_run_on_interrupt():
        try:
            with stop_run_on_interrupt():
                try:
                    signal.raise_signal(signal.SIGINT)
                except KeyboardInterrupt:
                    pass
        except KeyboardInterrupt:
            pass
