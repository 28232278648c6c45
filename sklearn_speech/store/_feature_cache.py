"""A cache of features on disk, with checksums and memory maps."""

import errno
import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy.typing as npt

from ..utils.paths import absolute_path
from ..utils.sklearn_private import WholeNumber, validate_parameter_constraints
from ._entry_files import (
    DAMAGE,
    check_usable,
    flattened,
    read_array,
    write_files,
)
from ._own_entries import (
    holds_only_own_files,
    is_entry_name,
    is_temporary_name,
    name_of_key,
    remove_entry,
    remove_if_abandoned,
    remove_temporary,
    size_of_entry,
    temporary,
)
from ._shard import FileShard, read_meta

Array = npt.NDArray[Any]


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
        The folder is created when the first entry is written. A relative path is resolved now,
        so the folder stays the same if the working directory changes. "~" is the home folder.
    max_bytes : int, default=16 * 2**30
        Maximum total size of all entries. The least recently used entries are removed first.
        Other files and folders are neither counted nor removed.

    Raises
    ------
    TypeError
        When `folder` is not a path.
    ValueError
        When `folder` is empty, or `max_bytes` is not a whole number of at least 1.

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
        self.folder = _absolute_folder(folder, "folder")
        validate_parameter_constraints(
            {"max_bytes": [WholeNumber(1)]}, {"max_bytes": max_bytes}, type(self).__name__
        )
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
        return self._valid(key, read_array)

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
        entry = self._path(key)
        if not os.path.lexists(entry):
            return None
        # another process may replace the entry between these reads, so try twice
        for attempt in range(2):
            try:
                found = read(entry)
                break
            except DAMAGE as error:
                if not os.path.lexists(entry):
                    return None  # another process removed it to make room
                if isinstance(error, PermissionError):
                    self._warn(f"cannot be read: {error}; features are computed again")
                    return None
                if attempt:
                    self._discard(entry, key, error)
                    return None
        try:
            os.utime(entry)  # marks the entry as just used
        except OSError:
            pass  # features can be used even if the folder is read-only for this user
        return found

    def _discard(self, entry, key, error):
        """Remove a damaged entry; warn that it is damaged, or that others wrote to its place."""
        if holds_only_own_files(entry):
            self._warn(
                f"holds the damaged entry {key!r} ({error}), which is removed; its features are "
                "computed again"
            )
            remove_entry(entry)
        else:
            self._warn(
                f"holds {entry.name!r}, where an entry belongs, with content that this library "
                f"did not write ({error}); it is left alone, and features are computed again"
            )

    def _path(self, key):
        return self.folder / name_of_key(key)

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
            except DAMAGE:
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
            except DAMAGE:
                continue  # removed by another process, or damaged and of no use
            if isinstance(meta["clips"], list):
                yield entry.name, meta["clips"], meta["shapes"] is not None

    def _entries(self, ending):
        """Return the sorted entry folders; none if there is no cache or it cannot be read."""
        ending = f"-{name_of_key(ending).rpartition('-')[2]}"
        try:
            names = os.listdir(self.folder)
        except FileNotFoundError:
            return []
        except OSError as error:
            self._warn(f"cannot be read: {error}; features are computed again")
            return []
        own = (name for name in sorted(names) if name.endswith(ending) and is_entry_name(name))
        return [self.folder / name for name in own]

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
        flat, shapes = flattened(features)
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

    def put_shard(
        self, key: str, features: Array, clips: list[str], bad: dict[int, str] | None = None
    ) -> None:
        """Store features of some clips of a larger set.

        Parameters
        ----------
        key, features, clips
            As in :meth:`put`.
        bad : dict of int to str, default=None
            What is said of clips whose files are bad, by position, for later warnings.

        Raises
        ------
        OSError
            When the entry cannot be written.
        """
        flat, shapes = flattened(features)
        if flat is None:
            raise TypeError(f"features of type {type(features).__name__} cannot be stored")
        if not self._write(key, flat, shapes, clips, bad):
            check_usable(self._path(key))
        self._evict(keep=key)

    def _write(self, key, flat, shapes, clips, bad=None):
        """Write an entry; return False if there is one already."""
        self.folder.mkdir(parents=True, exist_ok=True)
        place, entry = temporary(self.folder), self._path(key)
        place.mkdir()  # not by tempfile, whose folders are closed to all other users
        try:
            write_files(place, flat, shapes, clips, bad)
            try:
                os.rename(place, entry)
            except OSError as error:
                # another process stored the same entry first, and may have removed it again
                was_there = error.errno in (errno.EEXIST, errno.ENOTEMPTY)
                if not was_there and not os.path.lexists(entry):
                    raise
                return False
            return True
        finally:
            remove_temporary(place)

    def _evict(self, keep):
        """Remove the entries that were not used for longest, if there are too many."""
        try:
            names = os.listdir(self.folder)
        except OSError:
            return
        for name in filter(is_temporary_name, names):
            remove_if_abandoned(self.folder / name)
        # an entry never changes, so each is measured once, however often the folder is listed
        known = self._sizes
        self._sizes = {
            name: known.get(name) or size_of_entry(self.folder / name)
            for name in filter(is_entry_name, names)
        }
        total = sum(self._sizes.values())
        if total <= self.max_bytes:
            return
        for entry in sorted((self.folder / name for name in self._sizes), key=_last_use):
            if total <= self.max_bytes:
                return
            n_bytes = self._sizes[entry.name]
            if n_bytes and entry.name != name_of_key(keep) and remove_entry(entry):
                total -= self._sizes.pop(entry.name)


def _last_use(entry):
    try:
        return entry.stat().st_mtime
    except OSError:
        return math.inf


def _absolute_folder(folder, name):
    path = absolute_path(folder, name)
    if not os.fspath(folder):
        raise ValueError(
            f"{name}='': expected the path of a folder; the working directory is {name}='.'"
        )
    return path


def as_feature_cache(memory: Any) -> FeatureCache | None:
    """Return a cache on disk, or None.

    Parameters
    ----------
    memory : FeatureCache, str, os.PathLike, joblib.Memory or None
        A folder, or an object that has one.

    Returns
    -------
    cache : FeatureCache or None

    Raises
    ------
    ValueError
        When the path is empty.
    """
    if memory is None or isinstance(memory, FeatureCache):
        return memory
    if isinstance(memory, (str, os.PathLike)):
        return FeatureCache(_absolute_folder(memory, "memory"))
    location = getattr(memory, "location", None)
    return None if location is None else FeatureCache(os.path.join(location, "features"))
