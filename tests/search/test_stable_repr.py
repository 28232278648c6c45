"""Values are told apart by their content, and by nothing that differs between processes."""

import numpy as np
import pytest
import torch
from optuna.distributions import FloatDistribution

from sklearn_speech.augmentation import BackgroundNoise, SpecAugment
from sklearn_speech.search._stable_repr import stable_repr


def long(middle):
    x = np.zeros(5000)
    x[2500] = middle
    return x


def linear(weight):
    layer = torch.nn.Linear(1, 1)
    torch.nn.init.constant_(layer.weight, weight)
    torch.nn.init.zeros_(layer.bias)
    return layer


class Plain:
    def __init__(self, value):
        self.value = value


#: Makes a value of a number.
MAKERS = {
    "array": long,
    "list of arrays": lambda x: [long(0), long(x)],
    "dict of arrays": lambda x: {"a": {"b": long(x)}},
    "tensor": lambda x: torch.from_numpy(long(x)),
    "noises": lambda x: [BackgroundNoise([long(x)])],
    "noise in a tuple": lambda x: (BackgroundNoise([long(0), long(x)]),),
    "module": linear,
    "object": lambda x: Plain(long(x)),
    "object in an object": lambda x: Plain(Plain(x)),
    "set": lambda x: {x, "a"},
    "float": float,
    "setting": lambda x: SpecAugment(n_time_masks=int(x)),
    "distribution": lambda x: FloatDistribution(0, 1 + x),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_values_look_alike_only_where_their_content_is_the_same(make):
    assert stable_repr(make(1)) == stable_repr(make(1))
    assert stable_repr(make(1)) != stable_repr(make(2))
    assert " at 0x" not in stable_repr(make(1))


@pytest.mark.parametrize("value", [None, 1, 0.5, "a", (1,), [1, (2, "b")], {"a": [None]}, ()])
def test_plain_values_keep_their_repr(value):
    assert stable_repr(value) == repr(value)


def test_a_value_that_holds_itself_has_an_end():
    loop = [1]
    loop.append(loop)
    assert stable_repr(loop) == "[1, ...]"


def test_the_order_of_a_set_which_differs_between_processes_does_not_count():
    assert stable_repr({"b", "a", "c"}) == "set([\"'a'\", \"'b'\", \"'c'\"])"
