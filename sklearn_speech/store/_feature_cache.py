"""A cache of features on disk, with checksums and memory maps."""

import errno
import json
import math
import os
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.paths import check_path
from ..utils.validation import is_ragged, make_ragged
from ._shard import DATA, META, FileShard, checksum, read_meta

Array = npt.NDArray[Any]

#: Prefix of folders that are being written or deleted.
_HIDDEN = ".writing-"

#: What reading an entry raises if its files are damaged, removed or not readable.
_DAMAGE = (ArithmeticError, LookupError, OSError, RecursionError, TypeError, ValueError)

#: Age in seconds from which an incomplete entry belongs to a process that died.
_ABANDONED = 24 * 3600.0


class FeatureCache:
    """A folder of feature arrays with a maximum size, which several processes may share.

    Each entry is a folder, which is written under a temporary name and then moved into place in
    one step, so no reader sees an incomplete entry. Each entry is compared with its checksum
    when it is read; a damaged entry is removed, with a warning. Arrays are returned as memory
    maps, so processes on one machine share one copy in memory.

    An entry that another process removed because the folder was full is an ordinary cache miss.
    If the folder cannot be read, every look-up is a miss; if it cannot be written, nothing is
    stored. Both give a warning, and the features are computed.

    Parameters
    ----------
    folder : str or os.PathLike
        The folder is created when the first entry is written.
    max_bytes : int, default=16 * 2**30
        Maximum total size of all entries. The least recently used entries are removed first.

    See Also
    --------
    ClipStore : Keeps the features of more clips than fit into memory in such a folder.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache = FeatureCache(folder)
    ...     stored = cache.put("mel", np.arange(3.0))
    ...     print(cache.get("mel"), cache.get("other"))
    [0. 1. 2.] None
    """

    def __init__(self, folder: str | os.PathLike[str], max_bytes: int = 16 * 2**30) -> None:
        self.folder = check_path(folder, "folder")
        self.max_bytes = max_bytes
        self._sizes: dict[str, int] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_sizes": {}}  # equal folders stay equal, and have one hash

    def get(self, key: str) -> Array | None:
        """Return the features stored under a key.

        Parameters
        ----------
        key : str
            Letters, digits and hyphens.

        Returns
        -------
        features : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,), or None
            Read-only and memory-mapped; None if there is no valid entry.
        """
        return self._valid(key, _read)

    def open_shard(self, key: str) -> FileShard | None:
        """Return an entry from which single clips can be read; None if there is no valid entry.

        Parameters
        ----------
        key : str
            As in :meth:`get`, which has the same warnings.

        Returns
        -------
        shard : FileShard or None
            Compared with its checksum, once in each process.
        """
        return self._valid(key, FileShard)

    def _valid(self, key: str, read: Callable[[Path], Any]) -> Any:
        """Return what `read` makes of an entry; remove a damaged entry, and return None."""
        entry = self.folder / key
        if not os.path.isdir(entry):
            return None
        # another process may replace the entry between these reads, so try twice
        for attempt in range(2):
            try:
                found = read(entry)
                break
            except _DAMAGE as error:
                if not os.path.isdir(entry):
                    return None  # another process removed it to make room
                if isinstance(error, PermissionError):
                    self._warn(f"cannot be read: {error}; features are computed again")
                    return None
                if attempt:
                    self._warn(
                        f"holds the damaged entry {key!r} ({error}), which is removed; its "
                        "features are computed again"
                    )
                    self._remove(entry)
                    return None
        try:
            os.utime(entry)  # marks the entry as just used
        except OSError:
            pass  # features can be used even if the folder is read-only for this user
        return found

    def _warn(self, message):
        warnings.warn(
            f"the feature cache {str(self.folder)!r} {message}", UserWarning, stacklevel=4
        )

    def find(self, ending: str, clips: Iterable[str]) -> dict[str, Array]:
        """Return features of single clips from all entries.

        Parameters
        ----------
        ending : str
            Only entries whose keys have this ending are searched.
        clips : list of str
            Names of the requested clips; see :meth:`put`.

        Returns
        -------
        found : dict of str to ndarray
            Features by name, for the clips that were found.
        """
        found, wanted = {}, set(clips)
        for entry in self._entries(ending) if wanted else ():
            try:
                names = read_meta(entry)["clips"] or []
                some_wanted = not wanted.isdisjoint(names)
            except (OSError, TypeError, ValueError):
                continue  # removed by another process, or damaged, in which case `get` warns
            if not some_wanted:
                continue
            features = self.get(entry.name)
            if features is None or features.dtype == object or len(features) != len(names):
                continue  # clips of different lengths are not combined again
            for name, clip in zip(names, features):
                if name in wanted:
                    found[name] = clip
            wanted.difference_update(names)
        return found

    def catalogue(self, ending: str) -> Iterator[tuple[str, list[str], bool]]:
        """Yield the entries whose clips have names, without reading their features.

        Parameters
        ----------
        ending : str
            Only entries whose keys have this ending are listed.

        Yields
        ------
        entry : (str, list of str, bool)
            Key, names of the clips, and whether the clips may differ in length.
        """
        for entry in self._entries(ending):
            try:
                meta = read_meta(entry)
            except (OSError, TypeError, ValueError):
                continue  # removed by another process, or damaged and of no use
            if isinstance(meta["clips"], list):
                yield entry.name, meta["clips"], meta["shapes"] is not None

    def _entries(self, ending=""):
        """Return the sorted entry folders; none if there is no cache or it cannot be read."""
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            self._warn(f"cannot be read: {error}; features are computed again")
            return []
        return [self.folder / name for name in sorted(names) if name.endswith(ending)]

    def put(self, key: str, features: Any, clips: list[str] | None = None) -> Any:
        """Store features, and return them in the form that :meth:`get` returns.

        Parameters
        ----------
        key : str
        features : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,)
            Anything else is returned unchanged and not stored.
        clips : list of str, default=None
            Names of the clips, for :meth:`find`.

        Returns
        -------
        features : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,)
            Unchanged, with a warning, if they could not be stored.
        """
        flat, shapes = _flat(features)
        if flat is None or flat.nbytes > self.max_bytes:
            return features
        try:
            self._write(key, flat, shapes, clips)
        except OSError as error:
            self._warn(f"cannot be written: {error}; features are not stored")
            return features
        self._evict(keep=key)
        stored = self.get(key)
        return features if stored is None else stored

    def put_shard(self, key: str, features: Array, clips: list[str]) -> None:
        """Store features of some clips of a larger set.

        Parameters
        ----------
        key, features, clips
            As in :meth:`put`.

        Raises
        ------
        OSError
            When the entry cannot be written.
        """
        flat, shapes = _flat(features)
        if flat is None:
            raise TypeError(f"features of type {type(features).__name__} cannot be stored")
        self._write(key, flat, shapes, clips)
        self._evict(keep=key)

    def _write(self, key, flat, shapes, clips):
        self.folder.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=_HIDDEN, dir=self.folder))
        try:
            with open(place / DATA, "wb") as file:
                np.save(file, np.ascontiguousarray(flat))
                _flush(file)
            digest = checksum(place / DATA, shapes, clips)
            meta = {"checksum": digest, "shapes": shapes, "clips": clips}
            with open(place / META, "w", encoding="utf-8") as file:
                json.dump(meta, file)
                _flush(file)
            try:
                os.rename(place, self.folder / key)
            except OSError as error:
                # another process stored the same entry first, and may have removed it again
                was_there = error.errno in (errno.EEXIST, errno.ENOTEMPTY)
                if not was_there and not os.path.isdir(self.folder / key):
                    raise
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _evict(self, keep):
        """Remove the entries that were not used for longest, if there are too many."""
        entries = self._entries()
        for entry in entries:
            if entry.name.startswith(_HIDDEN):
                _remove_if_abandoned(entry)
        # an entry never changes, so each is measured once, however often the folder is listed
        known = self._sizes
        self._sizes = {
            entry.name: known.get(entry.name) or _size(entry)
            for entry in entries
            if not entry.name.startswith(_HIDDEN)
        }
        total = sum(self._sizes.values())
        if total <= self.max_bytes:
            return
        for entry in sorted((e for e in entries if e.name in self._sizes), key=_last_use):
            if total <= self.max_bytes:
                return
            if entry.name != keep:
                self._remove(entry)
                total -= self._sizes.pop(entry.name)

    def _remove(self, entry):
        """Rename an entry, so that it disappears in one step, and then delete it."""
        place = self.folder / f"{_HIDDEN}{uuid.uuid4().hex}"
        try:
            os.rename(entry, place)
        except OSError:
            return  # another process removed it first, or this one has no permission
        shutil.rmtree(place, ignore_errors=True)


def _size(entry):
    """Size of an entry in bytes; 0 if it was removed by another process or is not readable."""
    try:
        return sum(file.stat().st_size for file in entry.iterdir())
    except OSError:
        return 0


def _last_use(entry):
    try:
        return entry.stat().st_mtime
    except OSError:
        return math.inf


def _remove_if_abandoned(entry):
    if _last_use(entry) < time.time() - _ABANDONED:
        shutil.rmtree(entry, ignore_errors=True)


def _read(entry):
    """Return the features of an entry; raise an error if its files are inconsistent."""
    meta = read_meta(entry)
    if checksum(entry / DATA, meta["shapes"], meta["clips"]) != meta["checksum"]:
        raise ValueError("its checksum differs")
    data = np.load(entry / DATA, mmap_mode="r", allow_pickle=False)
    if meta["shapes"] is None:
        return data
    return _cut(np.asarray(data), meta["shapes"])


def _flush(file):
    file.flush()
    os.fsync(file.fileno())


def _flat(features):
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


def _cut(data, shapes):
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])
    return make_ragged(
        part.reshape(shape) for part, shape in zip(np.split(data, ends[:-1]), shapes)
    )


def as_feature_cache(memory: Any) -> FeatureCache | None:
    """Return a cache on disk, or None.

    Parameters
    ----------
    memory : FeatureCache, str, os.PathLike, joblib.Memory or None
        A folder, or an object that has one.

    Returns
    -------
    cache : FeatureCache or None
    """
    if memory is None or isinstance(memory, FeatureCache):
        return memory
    if isinstance(memory, (str, os.PathLike)):
        return FeatureCache(memory)
    location = getattr(memory, "location", None)
    return None if location is None else FeatureCache(os.path.join(location, "features"))
