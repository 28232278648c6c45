"""The files of an entry of the store: an array, cut into clips or not, and its description."""

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.validation import is_ragged, make_ragged
from ._shard import DATA, META, FileShard, checksum, read_meta

Array = npt.NDArray[Any]

#: What reading an entry raises if its files are damaged, removed or not readable.
DAMAGE = (ArithmeticError, LookupError, OSError, RecursionError, TypeError, ValueError)


def flattened(features: Any) -> tuple[Array | None, list[list[int]] | None]:
    """Return (array, shapes of its clips or None), or (None, None) if not an array of numbers."""
    if not isinstance(features, np.ndarray):
        return None, None
    if features.dtype != object:
        return features, None
    if not is_ragged(features) or any(not isinstance(clip, np.ndarray) for clip in features):
        return None, None
    dtypes = {clip.dtype for clip in features}
    if len(dtypes) > 1 or dtypes == {np.dtype(object)}:
        return None, None
    return np.concatenate([clip.ravel() for clip in features]), [list(c.shape) for c in features]


def write_files(
    place: Path,
    flat: Array,
    shapes: list[list[int]] | None,
    clips: list[str] | None,
    bad: dict[int, str] | None = None,
) -> None:
    """Write an entry to a folder.

    Parameters
    ----------
    place : Path
    flat, shapes : ndarray, and list of list of int or None
        As :func:`flattened` returns them.
    clips : list of str or None
        Names of the clips.
    bad : dict of int to str, default=None
        What is said of bad files, by position.

    Raises
    ------
    OSError
        When the files cannot be written.
    """
    with open(place / DATA, "wb") as file:
        np.save(file, np.ascontiguousarray(flat))
        _flush(file)
    meta: dict[str, Any] = {"shapes": shapes, "clips": clips}
    if bad:
        meta["bad"] = {str(i): line for i, line in bad.items()}
    meta = {"checksum": checksum(place / DATA, meta), **meta}
    with open(place / META, "w", encoding="utf-8") as file:
        json.dump(meta, file)
        _flush(file)


def read_array(entry: Path) -> Array:
    """Return the features of an entry; raise an error if its files are inconsistent."""
    meta = read_meta(entry)
    if checksum(entry / DATA, meta) != meta["checksum"]:
        raise ValueError("its checksum differs")
    data = np.load(entry / DATA, mmap_mode="r", allow_pickle=False)
    if meta["shapes"] is None:
        return data
    return _cut(np.asarray(data), meta["shapes"])


def check_usable(entry: Path) -> None:
    """Raise an error if others have written something else to the place of an entry."""
    try:
        FileShard(entry)
    except DAMAGE as error:
        if os.path.lexists(entry):
            raise FileExistsError(
                errno.EEXIST,
                "what lies at the place of an entry cannot be read, and is not overwritten",
                os.fspath(entry),
            ) from error


def _flush(file):
    file.flush()
    os.fsync(file.fileno())


def _cut(data, shapes):
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return make_ragged(
        part.reshape(shape) for part, shape in zip(np.split(data, ends[:-1]), shapes)
    )
