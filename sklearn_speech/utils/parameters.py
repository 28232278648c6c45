"""Reject parameters that have no effect in combination with the others."""

import inspect
from numbers import Real
from typing import Any

import numpy as np

from .sklearn_private import InvalidParameterError


class _Set:
    """A container of all values except None, False and 0."""

    def __contains__(self, value: object) -> bool:
        return value is not None and not (isinstance(value, Real) and value == 0)

    def __repr__(self) -> str:
        return "SET"


#: Matches any value except None, False and 0.
SET = _Set()


def refuse_idle_parameters(estimator: Any) -> None:
    """Raise an error if a changed parameter has no effect in combination with the others.

    ``_needs`` of a class lists parameters that have an effect only if another parameter has
    certain values: ``{name: (other name, values)}``. A parameter with its default value is
    never rejected.

    Parameters
    ----------
    estimator : estimator instance

    Raises
    ------
    InvalidParameterError
        If a parameter has no effect; the message names both parameters and the required values.

    Examples
    --------
    >>> from sklearn_speech import MelSpectrogram
    >>> refuse_idle_parameters(MelSpectrogram(scaling="log", log_offset=1e-3))
    """
    defaults = inspect.signature(type(estimator).__init__).parameters
    for kind in type(estimator).__mro__:
        for name, (other, values) in vars(kind).get("_needs", {}).items():
            if name not in defaults or other not in defaults:
                continue
            value, present = getattr(estimator, name), getattr(estimator, other)
            if _equal(value, defaults[name].default) or _is_among(present, values):
                continue
            wanted = f"a {other}"
            if values is not SET:
                wanted = " or ".join(f"{other}={allowed!r}" for allowed in values)
            raise InvalidParameterError(
                f"{name}={value!r} of {type(estimator).__name__} has no effect with "
                f"{other}={present!r}: it needs {wanted}"
            )


def _is_among(value, values):
    if values is SET:
        return value in SET
    return any(_equal(value, allowed) for allowed in values)


def _equal(value, other):
    if isinstance(value, np.ndarray) or isinstance(other, np.ndarray):
        return np.array_equal(value, other)
    return (type(value) is type(other) and value == other) or value is other
