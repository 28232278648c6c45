"""What a model card takes from the estimator itself."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from numbers import Real
from typing import Any

import numpy as np

from ._model_card import ModelCard

#: Most characters of a parameter in a card.
_LENGTH = 200

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


def describe(estimator: Any, card: ModelCard | None) -> ModelCard:
    """Fill in the fields that a card lacks from the estimator.

    Parameters
    ----------
    estimator : estimator
        Fitted or not.
    card : ModelCard or None

    Returns
    -------
    card : ModelCard
    """
    card = ModelCard() if card is None else card
    if not isinstance(card, ModelCard):
        raise TypeError(f"card={card!r:.200}: expected a ModelCard")
    parameters = estimator.get_params(deep=True)
    found = {
        "classes": _classes(estimator),
        "sample_rate": _only_number(parameters, "sample_rate"),
    }
    n_times, rate = _only_number(parameters, "n_times"), card.sample_rate or found["sample_rate"]
    if n_times and rate:
        found["duration"] = n_times / rate
    missing = {name: value for name, value in found.items() if getattr(card, name) is None}
    return replace(
        card,
        **missing,
        estimator=_printed(estimator),
        parameters={
            name: _printed(value)[:_LENGTH]
            for name, value in parameters.items()
            if not hasattr(value, "get_params")
        },
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _classes(estimator: Any) -> list[str] | None:
    """Labels, or phones, of the estimator or the last step of a pipeline."""
    last = estimator.steps[-1][1] if getattr(estimator, "steps", None) else estimator
    for name in ("classes_", "phones_"):
        classes = getattr(last, name, None)
        if isinstance(classes, np.ndarray) and classes.ndim == 1:
            return [str(label) for label in classes.tolist()]
    return None


def _only_number(parameters: dict[str, Any], name: str) -> Any:
    """The value that all parameters of this name share; None where they differ."""
    values = {
        value
        for key, value in parameters.items()
        if key.rpartition("__")[2] == name and isinstance(value, Real)
    }
    return values.pop() if len(values) == 1 else None


def _printed(value: Any) -> str:
    try:
        return _ADDRESS.sub("", repr(value))
    except ValueError:  # an int with thousands of digits
        return f"<{type(value).__name__}>"
