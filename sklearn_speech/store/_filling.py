"""Find clips in the store, and compute and store those that are missing."""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.parallel import Parallel, delayed
from tqdm.auto import tqdm

from ..audio._bad_files import bad_files
from ..utils.parallel import in_this_folder
from ..utils.rates import rate_of, with_rate
from ..utils.sklearn_private import safe_indexing
from ..utils.validation import make_ragged
from ._cache_key import clip_names, digest, key_of_clips, key_of_steps
from ._feature_cache import FeatureCache
from ._packing import packed
from ._shard import FileShard, HeldShard, Shard

Array = npt.NDArray[Any]
Names = npt.NDArray[np.bytes_]

#: Number of clips that are computed together: their waveforms are in memory at the same time.
_BLOCK = 128


@dataclass(frozen=True)
class Settings:
    """Parameters of the store, for all clips; see :class:`ClipStore`."""

    cache: FeatureCache | None
    max_ram: int
    shard_size: int
    dtype: str | None
    n_jobs: int | None
    verbose: bool


@dataclass
class Places:
    """Where the features of each clip are.

    Parameters
    ----------
    shards : list of Shard
    shard_of : ndarray of int32 of shape (n_clips,)
        Index of the shard of each clip; -1 if the features are not computed.
    row_of : ndarray of int32 of shape (n_clips,)
        Position within the shard.
    """

    shards: list[Shard]
    shard_of: npt.NDArray[np.int32]
    row_of: npt.NDArray[np.int32]

    def subset(self, index: npt.NDArray[np.intp]) -> "Places":
        """Places of some of the clips."""
        return Places(self.shards, self.shard_of[index], self.row_of[index])

    @property
    def missing(self) -> npt.NDArray[np.intp]:
        """Clips whose features are not computed."""
        return np.flatnonzero(self.shard_of < 0)

    def add(self, shard: Shard, clips: npt.NDArray[np.intp], rows: npt.NDArray[np.intp]) -> None:
        """Add a shard that has the features of `clips` at `rows`."""
        self.shard_of[clips] = len(self.shards)
        self.row_of[clips] = rows
        self.shards.append(shard)

    @classmethod
    def unknown(cls, n_clips: int) -> "Places":
        """Places of clips none of which is computed."""
        return cls([], np.full(n_clips, -1, np.int32), np.zeros(n_clips, np.int32))


def compute(
    source: Any,
    steps: Sequence[Any],
    positions: npt.NDArray[np.intp],
    bad: dict[int, str] | None = None,
) -> Array:
    """Compute the features of clips, a block at a time.

    Parameters
    ----------
    source : array-like of shape (n_clips, ...)
    steps : sequence of transformers
        Fitted; each treats clips alone.
    positions : ndarray of int of shape (n_clips,)
        Positions of the clips in the user's X, for errors.
    bad : dict of int to str, default=None
        Gets what is said of bad files, by their position in `source`.

    Returns
    -------
    features : ndarray of shape (n_clips, ...), or object ndarray of shape (n_clips,)
    """
    whole, clips, rate = None, [], None
    n_blocks = -(-len(source) // _BLOCK)
    # blocks of equal size: the last rows of a matrix may be rounded differently
    bounds = [i * len(source) // n_blocks for i in range(n_blocks + 1)]
    for start, stop in pairwise(bounds):
        block = safe_indexing(source, slice(start, stop))
        try:
            with bad_files() as found:
                for step in steps:
                    block = step.transform(block)
        except ValueError as error:
            first, last = positions[start], positions[stop - 1]
            raise ValueError(
                f"in a block of {stop - start}, from clip {first} to clip {last} of X: {error}"
            ) from error
        if bad is not None:
            bad.update((start + i, line) for i, line in found.items())
        if len(block) == len(source):
            return block
        rate = rate_of(block)
        if block.dtype == object:
            clips += list(block)
            continue
        if whole is None:
            whole = np.empty((len(source), *block.shape[1:]), block.dtype)
        whole[start:stop] = block
    return with_rate(make_ragged(clips) if whole is None else whole, rate)


def key_of(steps: Sequence[Any], dtype: str | None) -> str:
    """Return the part of a key that depends on the transformers and the stored dtype."""
    key = key_of_steps([("", step) for step in steps])
    return key if dtype is None else digest(key, dtype)


def names_of(source: Any) -> Names:
    """Return the names of clips as an array, which needs less memory than a list."""
    parts = []
    for start in range(0, len(source), 10_000):
        part = safe_indexing(source, slice(start, start + 10_000))
        parts.append(np.array(clip_names(part), dtype="S32"))
    return np.concatenate(parts)


def entries_of(cache: FeatureCache, key: str, ragged: bool) -> list[tuple[str, Names]]:
    """List what is stored for some steps, whatever the clips.

    Parameters
    ----------
    cache : FeatureCache
    key : str
        As :func:`key_of` returns it.
    ragged : bool
        Whether clips may differ in length.

    Returns
    -------
    entries : list of (str, ndarray of bytes of shape (n_stored,))
        Key of each entry, and the names of its clips.
    """
    entries = []
    for entry, found, is_ragged in cache.catalogue(f"-{key}"):
        if is_ragged != ragged or not found:
            continue
        try:
            # converted one by one: a string of Python needs thrice the memory
            names = np.array(found, dtype="S32")
        except (TypeError, ValueError):
            continue  # damaged, which is noticed when its clips are computed
        if names.ndim == 1:
            entries.append((entry, names))
    return entries


def locate(names: Names, entries: list[tuple[str, Names]], cache: FeatureCache) -> Places:
    """Find the features of clips in the store.

    Parameters
    ----------
    names : ndarray of bytes of shape (n_clips,)
    entries : list of (str, ndarray of bytes)
        As :func:`entries_of` returns them; at least one.
    cache : FeatureCache

    Returns
    -------
    places : Places
        Damaged entries are removed, with a warning.
    """
    places = Places.unknown(len(names))
    known = np.concatenate([found for _, found in entries])
    sizes = [len(found) for _, found in entries]
    entry_of = np.repeat(np.arange(len(entries)), sizes)
    row_of = np.arange(len(known)) - np.repeat(np.cumsum([0, *sizes[:-1]]), sizes)
    order = np.argsort(known, kind="stable")
    at = order[np.searchsorted(known, names, sorter=order).clip(max=len(known) - 1)]
    hits = np.flatnonzero(known[at] == names)
    for number, group in grouped(entry_of[at[hits]]):
        shard = cache.open_shard(entries[number][0])
        if shard is not None and len(shard) == sizes[number]:
            places.add(shard, hits[group], row_of[at[hits[group]]])
    return places


def grouped(numbers: npt.NDArray[Any]) -> Iterator[tuple[int, npt.NDArray[np.intp]]]:
    """Yield each distinct number with the positions at which it is."""
    order = np.argsort(numbers, kind="stable")
    bounds = np.flatnonzero(np.diff(numbers[order])) + 1
    for group in np.split(order, bounds) if len(order) else []:
        yield int(numbers[group[0]]), group


def fill(
    source: Any,
    steps: Sequence[Any],
    settings: Settings,
    names: Names | None,
    places: Places,
) -> None:
    """Compute the missing clips, and store them shard by shard.

    Features that cannot be stored are held in memory, as far as `max_ram` allows.

    Parameters
    ----------
    source : array-like of shape (n_clips, ...)
    steps : sequence of transformers
        Fitted; each treats clips alone.
    settings : Settings
    names : ndarray of bytes of shape (n_clips,) or None
        None without a store.
    places : Places
        It is changed: afterwards, no clip is missing.

    Raises
    ------
    ValueError
        When the features are too large for the store, or for the memory if there is no store.
    OSError
        When features can neither be stored nor held in memory.
    """
    missing = places.missing
    if not len(missing):
        return
    # a clip that is there several times is computed once
    first, which = np.arange(len(missing)), np.arange(len(missing))
    if names is not None:
        _, first, which = np.unique(names[missing], return_index=True, return_inverse=True)
    alone = missing[np.sort(first)]
    size = len(alone) if settings.cache is None else settings.shard_size
    parts = [alone[start : start + size] for start in range(0, len(alone), size)]
    key = key_of(steps, settings.dtype)
    jobs = (
        delayed(in_this_folder(make_shard))(
            settings.cache,
            key,
            [] if names is None else [name.decode() for name in names[part]],
            safe_indexing(source, part),
            part,
            steps,
            settings.dtype,
        )
        for part in parts
    )
    progress = tqdm(
        total=len(alone), unit="clip", desc="features", disable=not settings.verbose, leave=False
    )
    account = _Account(settings, places, len(alone))
    with progress:
        made = Parallel(n_jobs=settings.n_jobs, return_as="generator")(jobs)
        for part, (entry, features, bad, error) in zip(parts, made):
            held = entry is None
            shard = HeldShard(features, bad) if held else _just_stored(settings.cache, entry)
            places.add(shard, part, np.arange(len(part)))
            account.add(shard, error)
            progress.update(len(part))
    places.shard_of[missing] = places.shard_of[missing[first[which]]]
    places.row_of[missing] = places.row_of[missing[first[which]]]


def _just_stored(cache, entry):
    shard = cache.open_shard(entry)
    if shard is None:
        raise OSError(
            f"features that were just stored in {str(cache.folder)!r} are gone or cannot be read: "
            "another program removes them, or the folder is too small with "
            f"max_bytes={cache.max_bytes}"
        )
    return shard


class _Account:
    """Adds up what is stored and what is held in memory, and refuses what is too much."""

    def __init__(self, settings: Settings, places: Places, n_clips: int) -> None:
        self.settings = settings
        self.n_clips = n_clips
        self.found = sum(shard.n_bytes for shard in places.shards)
        self.on_disk = sum(_size_on_disk(shard) for shard in places.shards)
        self.held = 0
        self.is_first = True
        self.error: OSError | None = None

    def add(self, shard: Shard, error: OSError | None) -> None:
        """Count a shard; `error` tells why it could not be stored."""
        cache, max_ram = self.settings.cache, self.settings.max_ram
        expected = self.found + shard.n_bytes / len(shard) * self.n_clips
        if cache is not None and error is None:
            # the store removes its oldest files, which would be some of these
            size = _size_on_disk(shard)
            whole = self.on_disk + size / len(shard) * self.n_clips if self.is_first else 0
            self.on_disk += size
            if max(whole, self.on_disk) > cache.max_bytes:
                raise ValueError(
                    f"the features of {self.n_clips} clips need about "
                    f"{in_words(max(expected, whole, self.on_disk))}, but the store "
                    f"{str(cache.folder)!r} has max_bytes={cache.max_bytes}; use "
                    "FeatureCache(folder, max_bytes=...), dtype='float16', or fewer clips"
                )
            self.is_first = False
            return
        self.held += shard.n_bytes
        if error is not None and self.error is None:
            self.error = error
            warnings.warn(
                f"features cannot be stored: {error}; they are held in memory, as far as "
                f"max_ram={max_ram} allows",
                UserWarning,
                stacklevel=4,
            )
        if self.held <= max_ram:
            return
        what = (
            f"the features of {self.n_clips} clips need about {in_words(expected)}, more than "
            f"max_ram={max_ram}"
        )
        if error is None:
            raise ValueError(f"{what}, and there is no store: set memory= to a folder")
        raise OSError(
            error.errno,
            f"{what}, and they cannot be stored: {error.strerror or error}; what was stored "
            "before is kept, and used when you start again",
            error.filename,
        ) from error


def _size_on_disk(shard):
    return shard.n_bytes_on_disk if isinstance(shard, FileShard) else 0


def in_words(n_bytes: float) -> str:
    """A size in the largest unit of which there is one.

    Examples
    --------
    >>> in_words(3 * 2**29), in_words(2**20), in_words(50_000), in_words(80)
    ('1.5 GiB', '1.0 MiB', '48.8 KiB', '80 bytes')
    """
    for unit, size in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if n_bytes >= size:
            return f"{n_bytes / size:.1f} {unit}"
    return f"{n_bytes:.0f} {'byte' if round(n_bytes) == 1 else 'bytes'}"


def make_shard(
    cache: FeatureCache | None,
    key: str,
    names: list[str],
    source: Any,
    positions: npt.NDArray[np.intp],
    steps: Sequence[Any],
    dtype: str | None,
) -> tuple[str | None, Array | None, dict[int, str], OSError | None]:
    """Compute and store the features of some clips.

    Returns
    -------
    entry : str or None
        Key of the entry of the store.
    features : ndarray or None
        The features, if they are not stored.
    bad : dict of int to str
        What is said of bad files, if the features are not stored.
    error : OSError or None
        Why they are not.
    """
    entry = f"{key_of_clips(names)}-{key}"
    if cache is not None and cache.open_shard(entry) is not None:
        return entry, None, {}, None  # another process was faster
    bad: dict[int, str] = {}
    features = packed(np.asarray(compute(source, steps, positions, bad)), dtype)
    if cache is None:
        return None, features, bad, None
    try:
        cache.put_shard(entry, features, names, bad)
    except OSError as error:
        return None, features, bad, error
    return entry, None, {}, None
