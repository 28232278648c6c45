"""Check phone sequences."""

from typing import Any

import numpy as np
import numpy.typing as npt

from .text import normalize_name
from .validation import make_ragged


def check_phone_sequences(y: Any, name: str = "y") -> npt.NDArray[Any]:
    """Convert phone sequences to lists, or raise an error that names a wrong one.

    Parameters
    ----------
    y : list, tuple, 1-D array or Series of sequences of str, or 2-D array of str
        The phones of each clip; a clip may have no phones.
    name : str, default="y"
        Name of the parameter in error messages.

    Returns
    -------
    sequences : ndarray of shape (n_clips,), dtype object
        Each a list of str in Unicode form NFC.

    Raises
    ------
    TypeError
        If `y` is not a collection of sequences of strings.
    ValueError
        If a phone is the empty string, which is reserved for the blank of CTC.

    Examples
    --------
    >>> check_phone_sequences([("sh", "iy"), []])
    array([list(['sh', 'iy']), list([])], dtype=object)
    """
    if hasattr(y, "to_numpy"):
        y = y.to_numpy()
    if not isinstance(y, (list, tuple, np.ndarray)) or getattr(y, "ndim", 1) == 0:
        raise TypeError(
            f"{name}={y!r:.100} of type {type(y).__name__}: expected a list or 1-D array with one "
            "list of phones per clip, such as [['sh', 'iy'], ['w', 'ah', 'n']]"
        )
    return make_ragged(_check_phones(phones, f"{name}[{i}]") for i, phones in enumerate(y))


def _check_phones(phones: Any, name: str) -> list[str]:
    if isinstance(phones, np.ndarray) and phones.ndim == 1:
        phones = phones.tolist()
    if not isinstance(phones, (list, tuple)):
        raise TypeError(
            f"{name} is {phones!r:.100} of type {type(phones).__name__}: expected a list of "
            "phones, such as ['sh', 'iy']"
        )
    for j, phone in enumerate(phones):
        if not isinstance(phone, str):
            raise TypeError(
                f"{name}[{j}] is {phone!r:.100} of type {type(phone).__name__}: expected a phone, "
                "such as 'sh'"
            )
        if not phone:
            raise ValueError(
                f"{name}[{j}] is the empty string, which is reserved for the blank of CTC: "
                "expected a phone, such as 'sh'"
            )
    return [normalize_name(str(phone)) for phone in phones]
