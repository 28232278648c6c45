"""Read the inputs of displays: a single clip, and parameters of estimators in pipelines."""

from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.parts import walk


def one_waveform(X: Any) -> npt.NDArray[Any]:
    """Return the single clip in X as a 1-D array.

    Parameters
    ----------
    X : array-like of shape (n_times,) or (1, n_times), or list of one 1-D array
        One clip.

    Returns
    -------
    waveform : ndarray of shape (n_times,)

    Raises
    ------
    ValueError
        If X holds more than one clip.
    """
    if len(X) == 1 and np.ndim(X[0]) == 1:
        X = X[0]
    waveform = np.asarray(X)
    if waveform.ndim != 1 or waveform.size == 0 or waveform.dtype == object:
        raise ValueError(
            f"X has shape {waveform.shape}; expected one clip, (n_times,) or (1, n_times)"
        )
    return waveform


def find_parameter(estimator: Any, name: str) -> Any:
    """Return a parameter of an estimator, or of the last pipeline step that has it.

    Parameters
    ----------
    estimator : estimator or Pipeline
        The estimator to search.
    name : str
        Name of the parameter, such as "sample_rate".

    Returns
    -------
    value : object

    Raises
    ------
    ValueError
        If no part of the estimator has this parameter.
    """
    owners = [step for _, step in walk(estimator) if getattr(step, name, None) is not None]
    if not owners:
        raise ValueError(
            f"{type(estimator).__name__} and its steps have no parameter {name!r}; pass {name}="
        )
    return getattr(owners[-1], name)
