"""Values of the parameters of recipes; errors name the parameter, not a part of the pipeline."""

import math
from collections.abc import Callable, Collection, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from ..modules.speech_embedding import N_LAYERS

#: Statistics over time, in the order in which recipes use them.
STATISTICS = ("mean", "std", "min", "max")


def check_parameters(parameters: dict[str, Any]) -> None:
    """Check all parameters whose valid values are the same in all recipes.

    Parameters
    ----------
    parameters : dict of str to object
        Those without a rule are left to the recipe and to its steps.

    Raises
    ------
    ValueError
        When a value is invalid; the message names the parameter.
    """
    for name, value in parameters.items():
        if name in _RULES:
            expected, is_valid = _RULES[name]
            _require(name, value, is_valid(value), expected)


def check_at_most(name: str, value: int, highest: int, why: str) -> None:
    """Raise an error if a whole number is larger than `highest`."""
    _require(name, value, value <= highest, f"at most {highest}, {why}")


def layers_of_embedding(layers: Any, *, may_be_empty: bool = False) -> tuple[int, ...]:
    """Convert one layer of the speech embedding, or several, to a tuple.

    Examples
    --------
    >>> layers_of_embedding(20), layers_of_embedding([20, 13])
    ((20,), (20, 13))
    """
    what = f"a whole number from 1 to {N_LAYERS}, or several distinct ones"
    options = range(1, N_LAYERS + 1)
    return tuple(map(int, _several("layers", layers, _is_whole, options, what, may_be_empty)))


def names_of_statistics(statistics: Any) -> tuple[str, ...]:
    """Convert the name of one statistic over time, or of several, to a tuple.

    Examples
    --------
    >>> names_of_statistics("mean")
    ('mean',)
    """
    what = f"one of {', '.join(map(repr, STATISTICS))}, or several distinct ones"
    return tuple(map(str, _several("statistics", statistics, _is_name, STATISTICS, what)))


def weights_of_voters(weights: Any, n_voters: int) -> list[Any] | None:
    """Convert the weights of a vote to a list; None are equal weights."""
    if weights is None:
        return None
    is_valid = (
        _is_sequence(weights)
        and len(weights) == n_voters
        and all(_is_number(weight) and weight >= 0 for weight in weights)
        and any(weight > 0 for weight in weights)
    )
    _require(
        "weights",
        weights,
        is_valid,
        f"None, or {n_voters} numbers of at least 0, not all of them 0",
    )
    return list(weights)


def _require(name: str, value: Any, is_valid: bool, expected: str) -> None:
    if not is_valid:
        raise ValueError(f"{name}={value!r:.200}: expected {expected}")


def _several(
    name: str,
    value: Any,
    is_one: Callable[[Any], bool],
    options: Collection[Any],
    what: str,
    may_be_empty: bool = False,
) -> Sequence[Any]:
    """One of some options, or several distinct ones, as a sequence."""
    values = [value] if is_one(value) else value
    is_valid = (
        _is_sequence(values)
        and all(is_one(one) and one in options for one in values)
        and len(set(values)) == len(values)
        and (may_be_empty or len(values) > 0)
    )
    _require(name, value, is_valid, what)
    return values


def _is_sequence(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 1
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _is_name(value: Any) -> bool:
    return isinstance(value, str)


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_number(value: Any, *others: float) -> bool:
    """Whether a value is a finite number, or one of some others."""
    is_real = isinstance(value, Real) and not isinstance(value, bool)
    return is_real and (math.isfinite(value) or value in others)


def _whole(lowest: int) -> tuple[str, Callable[[Any], bool]]:
    return f"a whole number of at least {lowest}", lambda v: _is_whole(v) and v >= lowest


def _is_bool(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _is_part(value: Any) -> bool:
    if value is None or _is_name(value):
        return value is None or value == "all"
    return _is_whole(value) and 1 <= value <= N_LAYERS


#: What is expected of a parameter, and whether a value is that.
_RULES: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "n_mels": _whole(1),
    "n_mfcc": _whole(1),
    "n_fine_mfcc": _whole(1),
    "n_segments": _whole(1),
    "n_copies": _whole(0),
    "max_epochs": _whole(0),
    "max_iter": _whole(1),
    "C": ("a positive number", lambda v: _is_number(v, math.inf) and v > 0),
    "lr": ("a positive number", lambda v: _is_number(v) and v > 0),
    "n_jobs": (
        "a whole number other than 0, or None",
        lambda v: v is None or (_is_whole(v) and v != 0),
    ),
    "n_trained": (f"a whole number from 1 to {N_LAYERS}, 'all', or None", _is_part),
    "random_mel": ("True or False", _is_bool),
    "recognizer": ("True or False", _is_bool),
    "voice_encoder": ("True or False", _is_bool),
}
