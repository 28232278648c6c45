"""Features of some clips, of which single clips are read."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

#: Names of the files of an entry.
DATA, META = "data.npy", "meta.json"

#: Entries that this process has compared with their checksums: path, file, time and size.
_CHECKED: set[tuple[Any, ...]] = set()


class Shard(Protocol):
    """Features of some clips."""

    #: Dtype of the features as they are stored.
    dtype: np.dtype[Any]
    #: Size of the features in bytes.
    n_bytes: int
    #: What is said of clips whose files are bad, by position.
    bad: dict[int, str]

    def __len__(self) -> int: ...

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Size of the last axis of each clip."""

    def read(self, rows: npt.NDArray[np.integer]) -> list[Array] | Array:
        """Clips at some positions: a list if they differ in length, else one array."""


class HeldShard:
    """Features that could not be stored, and are held in memory.

    Parameters
    ----------
    features : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,)
    bad : dict of int to str
        What is said of clips whose files are bad, by position.
    """

    def __init__(self, features: Array, bad: dict[int, str]) -> None:
        self.features = features
        self.bad = bad
        self.dtype = features[0].dtype
        self.n_bytes = sum(clip.nbytes for clip in features)

    def __len__(self) -> int:
        return len(self.features)

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        return np.array([clip.shape[-1] for clip in self.features])

    def read(self, rows: npt.NDArray[np.integer]) -> list[Array] | Array:
        found = self.features[rows]
        return list(found) if found.dtype == object else found


class FileShard:
    """Features in an entry of the store.

    The file is opened for each read: no file stays open, no memory is mapped, and pages that
    the system keeps are not part of the memory of the process.

    Parameters
    ----------
    entry : Path
        Folder of the entry. It is compared with its checksum, once in each process.

    Raises
    ------
    OSError, ValueError, TypeError, KeyError
        When the files of the entry cannot be read, or do not fit together.
    """

    def __init__(self, entry: Path) -> None:
        self.entry = entry
        meta = self._checked()
        self.bad = {int(i): str(line) for i, line in meta.get("bad", {}).items()}
        with open(entry / DATA, "rb") as file:
            version = np.lib.format.read_magic(file)
            if version != (1, 0):
                raise ValueError(f"{DATA} has version {version} of its format, expected (1, 0)")
            shape, is_fortran, self.dtype = np.lib.format.read_array_header_1_0(file)
            self._offset = file.tell()
        if is_fortran or self.dtype.kind not in "fiu" or not shape:
            raise ValueError(f"{DATA} holds an array of dtype {self.dtype} and shape {shape}")
        self.n_bytes = int(np.prod(shape)) * self.dtype.itemsize
        #: Size of the files, the names of the clips included.
        self.n_bytes_on_disk = sum(os.stat(entry / name).st_size for name in (DATA, META))
        self._shapes: Array | None = None
        if meta["shapes"] is None:
            self._n_clips, *clip_shape = shape
            self._clip_shape = tuple(clip_shape)
            self._size = int(np.prod(clip_shape))
            return
        self._shapes = np.array(meta["shapes"], dtype=np.int64)
        sizes = self._shapes.prod(axis=1)
        if sizes.sum() != np.prod(shape) or sizes.min(initial=0) < 0:
            raise ValueError("the shapes of its clips do not fit its data")
        self._n_clips = len(sizes)
        self._starts = np.concatenate([[0], np.cumsum(sizes)])

    def _checked(self) -> dict[str, Any]:
        """Return the description of the entry, which is compared with its checksum."""
        meta, state = read_meta(self.entry), self._state()
        if state in _CHECKED:
            return meta
        if checksum(self.entry / DATA, meta) != meta["checksum"]:
            raise ValueError("its checksum differs")
        _CHECKED.add(state)
        return meta

    def _state(self) -> tuple[Any, ...]:
        files = [os.stat(self.entry / name) for name in (DATA, META)]
        return os.fspath(self.entry), *((f.st_ino, f.st_mtime_ns, f.st_size) for f in files)

    def __len__(self) -> int:
        return self._n_clips

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        if self._shapes is None:
            return np.full(len(self), self._clip_shape[-1])
        return self._shapes[:, -1]

    def read(self, rows: npt.NDArray[np.integer]) -> list[Array] | Array:
        """Clips at some positions: a list if they differ in length, else one array.

        Raises
        ------
        OSError
            When the file is gone or cannot be read.
        ValueError
            When the file is damaged.
        """
        try:
            if self._state() not in _CHECKED:  # in another process, or written again
                self._checked()
            with open(self.entry / DATA, "rb", buffering=0) as file:
                if self._shapes is not None:
                    return [self._read_clip(file, self._shapes[row], row) for row in rows]
                out = np.empty((len(rows), *self._clip_shape), self.dtype)
                for first, stop in _runs(rows):
                    self._into(file, int(rows[first]) * self._size, out[first:stop])
                return out
        except FileNotFoundError as error:
            raise FileNotFoundError(
                error.errno,
                "features are gone that were stored before; another program may have removed them "
                "to keep the folder within its max_bytes: start again, and what is missing will be "
                "computed",
                os.fspath(self.entry),
            ) from error
        except ValueError as error:
            raise ValueError(
                f"the stored features {os.fspath(self.entry)!r} are damaged: {error}; start again, "
                "and they will be computed again"
            ) from error

    def _read_clip(self, file: Any, shape: Array, row: int) -> Array:
        clip = np.empty(shape, self.dtype)
        self._into(file, int(self._starts[row]), clip)
        return clip

    def _into(self, file: Any, start: int, out: Array) -> None:
        """Fill an array from the file, beginning with the number at `start`."""
        file.seek(self._offset + start * self.dtype.itemsize)
        view = out.reshape(-1).view(np.uint8).data
        while len(view):
            n_read = file.readinto(view)
            if not n_read:
                raise ValueError("the file is shorter than expected")
            view = view[n_read:]


def _runs(rows: npt.NDArray[np.integer]) -> Iterator[tuple[int, int]]:
    """Bounds of the parts of `rows` whose values rise by 1."""
    bounds = np.flatnonzero(np.diff(rows) != 1) + 1
    yield from zip([0, *bounds.tolist()], [*bounds.tolist(), len(rows)])


def checksum(path: str | os.PathLike[str], meta: dict[str, Any]) -> str:
    """Return a digest of the data of an entry, and of their description in meta.json."""
    with open(path, "rb") as file:
        state = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
    parts = [meta["shapes"], meta["clips"], *([meta["bad"]] if "bad" in meta else [])]
    state.update(json.dumps(parts).encode())
    return state.hexdigest()


def read_meta(entry: Path) -> dict[str, Any]:
    """Return the description of an entry; raise an error if it is no valid one."""
    meta = json.loads((entry / META).read_text(encoding="utf-8"))
    if not isinstance(meta, dict) or not {"checksum", "shapes", "clips"} <= set(meta):
        raise ValueError(f"{META} lacks an entry")
    return meta
