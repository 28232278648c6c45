"""How many parameters a recipe trains, told before any training."""

from collections.abc import Iterable
from numbers import Integral

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.pipeline import Pipeline

from ..base import nets_of
from ..utils.validation import check_positive_int, make_ragged
from ._catalogue import make_recipe


def count_parameters(recipe, input_shape, n_classes=10):
    """Number of parameters that a recipe would train.

    Counts the weights of the network that ``fit`` would build for clips of this size,
    and of the front end where it is trained. Running statistics of batch norm are not
    trained and do not count, though Keras counts them in its totals.

    Parameters
    ----------
    recipe : str or estimator
        Name of a recipe, or what :func:`make_recipe` made; of a pipeline, the last step
        counts.
    input_shape : int or tuple
        What enters the last step: ``n_times``, the length of waveforms in samples,
        where it reads them or has its front end inside (the trainable recipes in
        settings B to D, and in A with FastAudio's filters or masked bins), else
        ``(n_bands, n_frames)`` of spectrograms.
    n_classes : int, default=10
        Number of classes; of phones, for a recogniser, the blank not counted.

    Returns
    -------
    n_parameters : int

    Raises
    ------
    ValueError
        When `input_shape` is not that of what the last step reads, or `n_classes` is no
        whole number of classes.
    TypeError
        When the last step holds no network.

    Examples
    --------
    >>> from sklearn_speech.recipes import count_parameters
    >>> count_parameters("spectrum-2cnn", (64, 64))
    73146
    >>> count_parameters(make_recipe("kws-linear", setting="B"), 16000, n_classes=12)
    58132
    """
    estimator = make_recipe(recipe) if isinstance(recipe, str) else recipe
    if not hasattr(estimator, "get_params"):
        raise TypeError(f"recipe={recipe!r}: expected the name of a recipe, or an estimator")
    n_classes = check_positive_int("n_classes", n_classes)
    if isinstance(estimator, Pipeline):
        estimator = estimator[-1]
    estimator = clone(estimator)
    idle = {
        name: 0 for name in estimator.get_params(deep=True) if name.split("__")[-1] == "max_epochs"
    }
    if not idle:
        raise TypeError(f"recipe={recipe!r}: its last step, {estimator!r}, holds no network")
    estimator.set_params(**idle)
    shape = _check_shape(input_shape, estimator)
    if is_classifier(estimator):
        # twice, so that folds of an ensemble hold every class
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
    wanted = {1: "n_times", 2: "(n_bands, n_frames)"}
    reads = next((net._reads() for net in nets_of(estimator).values()), "spectrogram")
    n_axes = 1 if reads == "waveform" else 2
    if len(shape) != n_axes or any(not isinstance(n, Integral) or n < 1 for n in shape):
        raise ValueError(
            f"input_shape={input_shape!r}: expected {wanted[n_axes]}, since "
            f"{type(estimator).__name__} reads {reads}s"
        )
    return shape
