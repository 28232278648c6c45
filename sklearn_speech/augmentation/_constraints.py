"""Parameter constraints shared by several augmentations."""

from numbers import Integral, Real
from typing import Any

from ..utils.sklearn_private import Interval

#: Levels beyond plus or minus this would leave the range of float32.
MAX_DB = 200.0

FRACTION = [Interval(Real, 0, 1, closed="both")]
COUNT = [Interval(Integral, 0, None, closed="left")]
NOT_NEGATIVE = [Interval(Real, 0, None, closed="left")]
SAMPLE_RATE = [Interval(Real, 1, None, closed="left")]
PAIR = [tuple, list]


def check_range(name: str, value: Any, low: float, high: float) -> None:
    """Raise ValueError unless a value is a pair of ascending numbers within [low, high].

    Parameters
    ----------
    name : str
        Name of the parameter, for the message.
    value : object
    low, high : float

    Raises
    ------
    ValueError
        If the value is not such a pair.
    """
    numbers = len(value) == 2 and all(
        isinstance(v, Real) and low <= float(v) <= high for v in value
    )
    if not numbers:
        raise ValueError(f"{name}={value!r}: expected a (low, high) pair within [{low}, {high}]")
    if value[0] > value[1]:
        raise ValueError(f"{name}={value!r}: the first number must not be above the second")
