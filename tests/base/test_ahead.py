import threading

import pytest

from sklearn_speech.base._ahead import read_ahead


def test_the_next_item_is_read_while_one_is_used_and_no_more():
    begun = [threading.Event() for _ in range(5)]

    def read(i):
        begun[i].set()
        return i

    seen = []
    for i in read_ahead(read, range(5)):
        seen.append(i)
        if i < 4:
            assert begun[i + 1].wait(10)
        assert not any(event.is_set() for event in begun[i + 2 :])
    assert seen == list(range(5))


def test_an_error_is_raised_in_its_turn_and_nothing_is_read_after_a_break():
    read = [0]

    def invert(x):
        read.append(x)
        return 1 / x

    inverses = read_ahead(invert, [1, 2, 0, 4, 5])
    assert [next(inverses), next(inverses)] == [1, 0.5]
    with pytest.raises(ZeroDivisionError):
        next(inverses)
    assert 5 not in read
    before = threading.active_count()
    for _ in read_ahead(invert, [7, 8, 9]):
        break
    assert 9 not in read and threading.active_count() == before
