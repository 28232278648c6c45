"""Count the trainable parameters of a recipe."""

from collections.abc import Iterable
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone, is_classifier
from sklearn.pipeline import Pipeline

from ..base import nets_of
from ..utils.validation import check_positive_int, make_ragged
from ._catalogue import make_recipe


def count_parameters(
    recipe: str | BaseEstimator, input_shape: int | tuple[int, ...], n_classes: int = 10
) -> int:
    """Count the trainable parameters of a recipe.

    The number includes the weights of the network that ``fit`` would build for clips of this
    size, and of the front end if it is trained. The running statistics of batch norm are not
    trainable, so they are not counted; the totals of Keras include them.

    Parameters
    ----------
    recipe : str or estimator
        Name of a recipe, or an estimator. For a pipeline, the last step is used.
    input_shape : int or tuple
        Shape of one clip at the input of the last step. This is ``n_times``, the length
        in samples, if the last step reads waveforms or contains the front end (the
        trainable recipes in settings B to D, and in A with FastAudio's filters or masked
        bins); otherwise ``(n_bands, n_frames)``.
    n_classes : int, default=10
        Number of classes; for a recogniser, number of phones without the blank.

    Returns
    -------
    n_parameters : int

    Raises
    ------
    ValueError
        If `input_shape` does not match the input of the last step, or `n_classes` is not a
        positive whole number.
    TypeError
        If the last step does not contain a network.

    Examples
    --------
    >>> from sklearn_speech.recipes import count_parameters
    >>> count_parameters("spectrum-2cnn", (64, 64))
    73146
    >>> count_parameters(make_recipe("kws-linear", setting="B"), 16000, n_classes=12)
    58132
    """
    estimator: Any = make_recipe(recipe) if isinstance(recipe, str) else recipe
    if not hasattr(estimator, "get_params"):
        raise TypeError(f"recipe={recipe!r}: expected the name of a recipe, or an estimator")
    n_classes = check_positive_int("n_classes", n_classes)
    if isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    estimator = clone(estimator)
    no_training = {
        name: 0 for name in estimator.get_params(deep=True) if name.split("__")[-1] == "max_epochs"
    }
    if not no_training:
        raise TypeError(
            f"recipe={recipe!r}: expected an estimator with a network, got {estimator!r}"
        )
    estimator.set_params(**no_training)
    shape = _check_shape(input_shape, estimator)
    if is_classifier(estimator):
        # each class twice, so that each fold of an ensemble has every class
        y = np.tile(np.arange(n_classes), 2)
        estimator.fit(np.zeros((len(y), *shape), dtype=np.float32), y)
    elif hasattr(estimator, "align"):
        phones = [[f"{i:04}"] for i in range(n_classes)]
        estimator.fit(np.zeros((n_classes, *shape), dtype=np.float32), make_ragged(phones))
    else:
        estimator.fit(np.zeros((2, *shape), dtype=np.float32))
    weights = [p for net in nets_of(estimator).values() for p in net.module_.parameters()]
    return sum(p.numel() for p in weights if p.requires_grad)


def _check_shape(input_shape, estimator):
    shape = tuple(input_shape) if isinstance(input_shape, Iterable) else (input_shape,)
    expected = {1: "n_times", 2: "(n_bands, n_frames)"}
    reads = next((net._reads() for net in nets_of(estimator).values()), "spectrogram")
    n_axes = 1 if reads == "waveform" else 2
    if len(shape) != n_axes or any(not isinstance(n, Integral) or n < 1 for n in shape):
        raise ValueError(
            f"input_shape={input_shape!r}: expected {expected[n_axes]}, because "
            f"{type(estimator).__name__} reads {reads}s"
        )
    return shape
