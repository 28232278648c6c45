"""Refuses parameters that have no effect beside the others."""

import inspect
from numbers import Real
from typing import Any

import numpy as np

from .sklearn_private import InvalidParameterError


class _Set:
    """Any value but None, False and 0."""

    def __contains__(self, value):
        return value is not None and not (isinstance(value, Real) and value == 0)

    def __repr__(self):
        return "SET"


#: Stands for any value but None, False and 0.
SET = _Set()


def refuse_idle_parameters(estimator: Any) -> None:
    """Raise where a parameter was changed that has no effect beside the others.

    A class declares in ``_needs`` which parameters have an effect only where another one has
    one of some values, as ``{name: (other name, values)}``. A parameter that has its default
    is never refused.

    Parameters
    ----------
    estimator : estimator instance

    Raises
    ------
    InvalidParameterError
        Names both parameters, and what the other one must be.

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
