"""Representations depend on the content of values alone, not on the process."""

import numpy as np
import pytest
import torch
from optuna.distributions import FloatDistribution

from sklearn_speech.augmentation import BackgroundNoise, SpecAugment
from sklearn_speech.search._stable_repr import stable_repr


def long_array(middle):
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


#: Functions that make a value from a number.
MAKERS = {
    "array": long_array,
    "list of arrays": lambda x: [long_array(0), long_array(x)],
    "dict of arrays": lambda x: {"a": {"b": long_array(x)}},
    "tensor": lambda x: torch.from_numpy(long_array(x)),
    "noises": lambda x: [BackgroundNoise([long_array(x)])],
    "noise in a tuple": lambda x: (BackgroundNoise([long_array(0), long_array(x)]),),
    "module": linear,
    "object": lambda x: Plain(long_array(x)),
    "object in an object": lambda x: Plain(Plain(x)),
    "set": lambda x: {x, "a"},
    "float": float,
    "setting": lambda x: SpecAugment(n_time_masks=int(x)),
    "distribution": lambda x: FloatDistribution(0, 1 + x),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_representations_are_equal_exactly_when_the_content_is(make):
    assert stable_repr(make(1)) == stable_repr(make(1))
    assert stable_repr(make(1)) != stable_repr(make(2))
    assert " at 0x" not in stable_repr(make(1))


@pytest.mark.parametrize("value", [None, 1, 0.5, "a", (1,), [1, (2, "b")], {"a": [None]}, ()])
def test_plain_values_keep_their_repr(value):
    assert stable_repr(value) == repr(value)


def test_a_recursive_value_has_a_finite_representation():
    loop = [1]
    loop.append(loop)
    assert stable_repr(loop) == "[1, ...]"


def test_sets_are_sorted_since_their_order_differs_between_processes():
    assert stable_repr({"b", "a", "c"}) == "set([\"'a'\", \"'b'\", \"'c'\"])"
