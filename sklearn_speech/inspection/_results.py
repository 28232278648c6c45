"""Check results that are drawn."""

from collections.abc import Mapping
from typing import Any


def named_results(results: Any, kind: type, source: str) -> dict[str, Any]:
    """Return one result, or several by name, as a dict.

    Parameters
    ----------
    results : object
        One result, or a dict of them.
    kind : type
        Class of a result.
    source : str
        Name of the function that returns it, for messages.

    Returns
    -------
    results : dict of str to result
        A single one has the name "".

    Raises
    ------
    TypeError
        When a result is of another class.
    ValueError
        When there is none.
    """
    expected = f"expected {kind.__name__}, the result of {source}"
    if isinstance(results, kind):
        return {"": results}
    if not isinstance(results, Mapping):
        raise TypeError(
            f"results is of type {type(results).__name__}: {expected}, or a dict of several by name"
        )
    if not results:
        raise ValueError(f"results is empty: {expected}, or a dict of several by name")
    for name, result in results.items():
        if not isinstance(result, kind):
            raise TypeError(f"result {name!r} is of type {type(result).__name__}: {expected}")
    return dict(results)


def refuse_without(thing: Any, name: str, *methods: str) -> None:
    """Refuse what lacks a method that a display calls.

    Parameters
    ----------
    thing : object
        What the user gave.
    name : str
        Of the parameter.
    *methods : str
        One of them is enough.

    Raises
    ------
    TypeError
        When it has none of the methods.
    """
    if isinstance(thing, type) or not any(hasattr(thing, method) for method in methods):
        raise TypeError(
            f"{name}={thing!r:.80}: expected a fitted estimator with {' or '.join(methods)}"
        )
