"""Features on disk: written once, shared through memory maps, checked before they are believed."""

import hashlib
import json
import os
import shutil
import tempfile
import time
import uuid
import warnings
from pathlib import Path

import numpy as np

from ..utils.validation import is_ragged, make_ragged

#: Beginning of the names of what is not, or no longer, an entry.
_HIDDEN = ".writing-"

#: Half-written entries older than this (seconds) belong to a process that died.
_ABANDONED = 24 * 3600.0


class FeatureCache:
    """A folder of feature arrays, bounded in size, that several processes may use at once.

    Each entry is a folder of its own, written beside its place and moved there
    in one step, so that no reader ever sees half of one. What is read is
    compared with its checksum first; an entry that does not agree is removed.
    Arrays come back as memory maps, so that processes on one machine share one
    copy in memory.

    Parameters
    ----------
    folder : str or os.PathLike
        Made when the first entry is written.
    max_bytes : int, default=16 * 2**30
        Size of all entries together. The ones that were not used for longest
        go first.

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

    def __init__(self, folder, max_bytes=16 * 2**30):
        self.folder = Path(folder)
        self.max_bytes = max_bytes

    def get(self, key):
        """The features stored under a key.

        Parameters
        ----------
        key : str
            Letters, digits and hyphens.

        Returns
        -------
        features : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,), or None
            Read-only and memory-mapped; None where there is no sound entry.
        """
        entry = self.folder / key
        if not entry.is_dir():
            return None
        try:
            meta = json.loads((entry / "meta.json").read_text())
            if _checksum(entry / "data.npy") != meta["checksum"]:
                raise ValueError("checksum")
            data = np.load(entry / "data.npy", mmap_mode="r", allow_pickle=False)
            features = data if meta["shapes"] is None else _cut(np.asarray(data), meta["shapes"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            warnings.warn(
                f"the cached features in {str(entry)!r} are damaged ({error}); they are computed "
                "again",
                UserWarning,
                stacklevel=2,
            )
            self._remove(entry)
            return None
        try:
            os.utime(entry)  # used just now
        except OSError:
            pass  # a folder that only others may write to still serves
        return features

    def find(self, ending, clips):
        """Features of single clips, wherever among the entries they are.

        Parameters
        ----------
        ending : str
            Of the keys to look into.
        clips : list of str
            Names of the clips that are wanted; see :meth:`put`.

        Returns
        -------
        found : dict of str to ndarray
            Features by name, for those clips that are there.
        """
        found, wanted = {}, set(clips)
        for entry in sorted(self.folder.glob(f"*{ending}")) if wanted else ():
            try:
                names = json.loads((entry / "meta.json").read_text()).get("clips") or []
            except (OSError, ValueError, AttributeError):
                continue  # removed by another process, or damaged, which get would say
            if not wanted.intersection(names):
                continue
            features = self.get(entry.name)
            if features is None or features.dtype == object or len(features) != len(names):
                continue  # clips of differing lengths are not put together anew
            for name, clip in zip(names, features):
                if name in wanted:
                    found[name] = clip
            wanted.difference_update(names)
        return found

    def put(self, key, features, clips=None):
        """Store features, and return them as :meth:`get` would.

        Parameters
        ----------
        key : str
        features : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,)
            Anything else is returned as it is and not stored.
        clips : list of str, default=None
            Names of the clips, for :meth:`find`.

        Returns
        -------
        features : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,)
            As it came, with a warning, where it could not be stored.
        """
        flat, shapes = _flat(features)
        if flat is None or flat.nbytes > self.max_bytes:
            return features
        try:
            self._write(key, flat, shapes, clips)
        except OSError as error:
            warnings.warn(
                f"features could not be cached in {str(self.folder)!r}: {error}",
                UserWarning,
                stacklevel=2,
            )
            return features
        self._evict(keep=key)
        stored = self.get(key)
        return features if stored is None else stored

    def _write(self, key, flat, shapes, clips):
        self.folder.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=_HIDDEN, dir=self.folder))
        try:
            np.save(place / "data.npy", flat)
            checksum = _checksum(place / "data.npy")
            meta = {"checksum": checksum, "shapes": shapes, "clips": clips}
            (place / "meta.json").write_text(json.dumps(meta))
            try:
                os.rename(place, self.folder / key)
            except OSError:
                if not (self.folder / key).is_dir():
                    raise
                # another process was faster; what it wrote is the same
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def _evict(self, keep):
        entries, total = [], 0
        for entry in self.folder.iterdir():
            try:
                used, size = entry.stat().st_mtime, sum(f.stat().st_size for f in entry.iterdir())
            except OSError:
                continue  # removed by another process
            if entry.name.startswith(_HIDDEN):
                if used < time.time() - _ABANDONED:
                    shutil.rmtree(entry, ignore_errors=True)
                continue
            total += size
            if entry.name != keep:
                entries.append((used, size, entry))
        for _, size, entry in sorted(entries, key=lambda e: e[0]):
            if total <= self.max_bytes:
                return
            self._remove(entry)
            total -= size

    def _remove(self, entry):
        """Take an entry out of sight in one step, then delete it."""
        place = self.folder / f"{_HIDDEN}{uuid.uuid4().hex}"
        try:
            os.rename(entry, place)
        except OSError:
            return  # another process was faster
        shutil.rmtree(place, ignore_errors=True)


def _flat(features):
    """(array, shapes of its clips or None), or (None, None) for what is no array of numbers."""
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
    if ends[-1] != len(data):
        raise ValueError("the sizes of the clips do not add up")
    return make_ragged(
        part.reshape(shape) for part, shape in zip(np.split(data, ends[:-1]), shapes)
    )


def _checksum(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
