"""Callbacks of skorch: those that every net has, and those that are refused."""

from typing import Any, TypeAlias

from skorch.callbacks import (
    Callback,
    EpochScoring,
    EpochTimer,
    InputShapeSetter,
    LRScheduler,
    PassthroughScoring,
)

from ..utils.sklearn_private import InvalidParameterError

#: Callbacks by name.
Named: TypeAlias = list[tuple[str, Callback]]


def default_callbacks() -> Named:
    """Callbacks of every net, by name: they record the duration and losses of each epoch."""
    return [
        ("epoch_timer", EpochTimer()),
        ("train_loss", PassthroughScoring(name="train_loss", on_train=True)),
        ("valid_loss", PassthroughScoring(name="valid_loss")),
    ]


def classifier_callbacks() -> Named:
    """Callbacks of every classifier, by name."""
    accuracy = EpochScoring("accuracy", name="valid_acc", lower_is_better=False)
    return [*default_callbacks(), ("valid_acc", accuracy)]


def regressor_callbacks() -> Named:
    """Callbacks of every regressor, by name."""
    return [
        *default_callbacks(),
        ("valid_r2", EpochScoring("r2", name="valid_r2", lower_is_better=False)),
    ]


def check_callbacks(net: Any) -> None:
    """Refuse callbacks that would have no effect on a net.

    Parameters
    ----------
    net : BaseSpeechNet
        It must have ``callbacks_``.

    Raises
    ------
    InvalidParameterError
        Names the callback and what to use instead.
    """
    for name, callback in net.callbacks_:
        if isinstance(callback, LRScheduler) and net.lr_schedule != "constant":
            raise InvalidParameterError(
                f"the callback {name} of type {type(callback).__name__} sets the learning rate, "
                f"and so does lr_schedule={net.lr_schedule!r}; set lr_schedule='constant' to use "
                "the callback"
            )
        if isinstance(callback, InputShapeSetter):
            raise InvalidParameterError(
                f"the callback {name} of type {type(callback).__name__} sets the sizes of the "
                f"network, which {type(net).__name__} learns from the data; leave it out"
            )
