"""Sound that is in memory, given in place of the path of a file."""

import math
import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

#: What an entry of X may be, for errors.
EXPECTED = (
    "the path of a sound file (str or os.PathLike), an AudioSegment, the bytes of a sound file, "
    'a file opened as "rb", (samples, sample_rate), or {"array": samples, "sampling_rate": rate}'
)

#: More channels than this are samples: the array is (n_channels, n_times).
_MAX_CHANNELS = 64

#: Zero and full scale of samples that are whole numbers, as sound files hold them.
_WHOLE = {"int8": (0, 2**7), "int16": (0, 2**15), "int32": (0, 2**31), "uint8": (2**7, 2**7)}


@dataclass(frozen=True, eq=False)
class Recording:
    """Samples with their rate, or the content of a sound file.

    Parameters
    ----------
    name : str
        What errors and reports call it.
    content : bytes, default=None
        The bytes of a sound file.
    samples : ndarray of float32 of shape (n_times, n_channels), default=None
        Amplitudes; given where `content` is not.
    sample_rate : int, default=0
        Rate of `samples`, in Hz.
    """

    name: str
    content: bytes | None = None
    samples: npt.NDArray[np.float32] | None = None
    sample_rate: int = 0

    def __str__(self) -> str:
        return self.name


def is_recording(entry: object) -> bool:
    """Whether an entry holds one recording: bytes, a file, samples with their rate, or a dict.

    Examples
    --------
    >>> import numpy as np
    >>> is_recording((np.zeros(8), 8000)), is_recording(np.zeros(8)), is_recording("a.wav")
    (True, False, False)
    """
    if isinstance(entry, (bytes, bytearray, memoryview, Mapping)) or hasattr(entry, "read"):
        return True
    return isinstance(entry, (tuple, list)) and len(entry) == 2 and _is_pair(*entry)


def _is_pair(first: object, second: object) -> bool:
    """Whether these are samples and a rate, in any order."""
    return sum(isinstance(value, Real) for value in (first, second)) == 1 and any(
        isinstance(value, (list, tuple)) or (hasattr(value, "__array__") and np.ndim(value) > 0)
        for value in (first, second)
    )


def as_recording(entry: Any, name: str) -> Any:
    """A Recording of what `is_recording` accepts; a path where a dict holds nothing but that.

    Parameters
    ----------
    entry : bytes, file, tuple or dict
    name : str
        Its place, such as "X[0]".

    Returns
    -------
    recording : Recording, str or os.PathLike

    Raises
    ------
    TypeError, ValueError
        When samples, rate or keys are not such as can be read; the message names the place.
    """
    if isinstance(entry, Mapping):
        return _of_mapping(entry, name)
    if isinstance(entry, (bytes, bytearray, memoryview)):
        return Recording(f"{name} (bytes)", content=bytes(entry))
    if hasattr(entry, "read"):
        return Recording(f"{name} ({_file_name(entry)})", content=_whole_content(entry, name))
    samples, rate = entry
    if isinstance(samples, Real):
        raise TypeError(
            f"{name} is (sample_rate, samples), as scipy.io.wavfile.read returns: expected "
            "(samples, sample_rate)"
        )
    return _of_samples(samples, rate, name, "sample_rate")


def _of_mapping(entry: Mapping[str, Any], name: str) -> Any:
    """A recording as the data sets of Hugging Face give it, decoded or not."""
    if entry.get("array") is not None:
        rate = entry.get("sampling_rate", entry.get("sample_rate"))
        return _of_samples(entry["array"], rate, name, "sampling_rate")
    if isinstance(entry.get("bytes"), bytes):
        return Recording(f"{name} (bytes)", content=entry["bytes"])
    if isinstance(entry.get("path"), (str, os.PathLike)):
        return entry["path"]
    raise TypeError(
        f'{name} is a dict with the keys {sorted(map(str, entry))}: expected "array" and '
        '"sampling_rate", or "bytes", or "path"'
    )


def _of_samples(samples: Any, rate: Any, name: str, rate_name: str) -> Recording:
    if not isinstance(rate, Real) or isinstance(rate, bool) or not 0 < float(rate) < math.inf:
        raise ValueError(f"{name} has {rate_name}={rate!r}: expected the rate of its samples in Hz")
    hertz = int(float(rate))
    if rate != hertz:
        raise ValueError(f"{name} has {rate_name}={rate!r}: expected a whole number of Hz")
    try:
        array = np.asarray(samples)
    except ValueError as error:
        raise TypeError(f"{name} holds samples that are no array of numbers: {error}") from error
    amplitudes = _amplitudes(array, name)
    if amplitudes.ndim == 1:
        amplitudes = amplitudes[:, np.newaxis]
    if amplitudes.ndim != 2 or amplitudes.shape[1] == 0:
        raise ValueError(
            f"{name} has samples of shape {array.shape}: expected (n_times,) or "
            "(n_times, n_channels)"
        )
    n_times, n_channels = amplitudes.shape
    if n_channels > _MAX_CHANNELS or 0 < n_times < n_channels:
        raise ValueError(
            f"{name} has samples of shape {array.shape}, that is {n_channels} channels: expected "
            "(n_times, n_channels); transpose samples of shape (n_channels, n_times)"
        )
    return Recording(f"{name} ({hertz} Hz)", samples=amplitudes, sample_rate=hertz)


def _amplitudes(array: npt.NDArray[Any], name: str) -> npt.NDArray[np.float32]:
    """Samples as float32, whole numbers divided by their full scale."""
    if array.dtype.kind == "f":
        return array.astype(np.float32)
    if array.dtype.name not in _WHOLE:
        advice = ""
        if array.dtype.kind in "iu":
            advice = "; convert whole numbers to the dtype of their scale, such as int16"
        raise TypeError(
            f"{name} holds samples of dtype {array.dtype}: expected amplitudes in [-1, 1] of a "
            f"float dtype, or samples of dtype {', '.join(_WHOLE)}{advice}"
        )
    zero, full_scale = _WHOLE[array.dtype.name]
    return ((array.astype(np.float64) - zero) / full_scale).astype(np.float32)


def _whole_content(file: Any, name: str) -> bytes:
    """All bytes of a file, which is left at the position where it was."""
    position = None
    try:
        if hasattr(file, "seek") and getattr(file, "seekable", lambda: True)():
            position = file.tell()
            file.seek(0)
        content = file.read()
        if position is not None:
            file.seek(position)
    # closed, opened for writing, or compressed and damaged
    except (OSError, ValueError, EOFError, zlib.error) as error:
        raise ValueError(f"{name} is a file that cannot be read: {error}") from error
    if isinstance(content, str):
        raise TypeError(f'{name} is a file opened as text: open it with mode "rb"')
    if not isinstance(content, (bytes, bytearray)):
        raise TypeError(
            f"{name} of type {type(file).__name__} returns {type(content).__name__} when it is "
            'read: expected a file opened as "rb"'
        )
    return bytes(content)


def _file_name(file: Any) -> str:
    name = getattr(file, "name", None)
    return name if isinstance(name, str) else type(file).__name__
