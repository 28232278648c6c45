"""Clips of which the features are computed block by block, and read from the store."""

import copy
from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from ..audio._bad_files import bad_files, warn_of_new_bad_files
from ..utils.lazy_clips import LazyClips
from ..utils.rates import rate_of, with_rate
from ..utils.sklearn_private import safe_indexing, without_tables
from ..utils.validation import make_ragged
from ._filling import (
    Names,
    Places,
    Settings,
    compute,
    entries_of,
    fill,
    grouped,
    in_words,
    key_of,
    locate,
    names_of,
)
from ._packing import packed, unpacked
from ._split_clipwise import is_clipwise

Array = npt.NDArray[Any]

#: Number of clips that are read together by a loop over clips.
_BLOCK = 256


class StoredClips(LazyClips):
    """Clips, and the fitted steps that are applied to them when they are needed.

    Parameters
    ----------
    source : array-like of shape (n_clips, ...)
        The clips as the user gave them, such as paths.
    settings : Settings
    steps : sequence of transformers, default=()
        Fitted steps that treat clips alone; their output is stored.
    later : sequence of transformers, default=()
        Fitted steps that are applied to what is read, such as a scaler.
    """

    def __init__(
        self,
        source: Any,
        settings: Settings,
        steps: Sequence[Any] = (),
        later: Sequence[Any] = (),
    ) -> None:
        self._source = source
        self._n_clips = len(source)
        self._settings = settings
        self._steps = tuple(steps)
        self._later = tuple(later)
        self._names: Names | None = None
        self._places: Places | None = None
        self._form: Array | None = None
        self._before: StoredClips | None = None
        self._sample: Any = None
        # shared with the clips after further steps: what is said of bad files, and was said
        self._bad: dict[str, None] = {}
        self._told: set[str] = set()

    # An array

    def __len__(self) -> int:
        return self._n_clips

    def __repr__(self) -> str:
        steps = [type(step).__name__ for step in (*self._steps, *self._later)]
        return f"<{len(self)} clips after {', '.join(steps) or 'no step'}>"

    @property
    def sample_rate(self) -> float | None:  # type: ignore[override]
        return rate_of(self._one())

    @property
    def ragged(self) -> bool:
        return self._one().dtype == object

    @property
    def shape(self) -> tuple[int, ...]:
        return (len(self), *self._one().shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self._one().dtype

    def _one(self) -> Array:
        """One clip, in an array that has the form of all clips."""
        if self._later and not self._steps:
            return self.load(slice(0, 1))
        clips = self._stored_form()
        for step in self._later:
            clips = step.transform(clips)
        return clips

    def _stored_form(self) -> Array:
        """Likewise, before the steps that are applied to what is read."""
        if self._form is None:
            first = safe_indexing(self._source, slice(0, 1))
            self._form = self._computed(first, np.arange(1)) if self._steps else _untouched(first)
        return self._form

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, tuple):  # scikit-learn's X[index, ...]
            index, *rest = index
            if any(part is not Ellipsis and part != slice(None) for part in rest):
                raise IndexError("stored clips are indexed by clip only: X[clips]")
        if isinstance(index, Integral):
            i = range(len(self))[index]
            return self.load(slice(i, i + 1))[0]
        positions = np.arange(len(self))[np.asarray(index) if hasattr(index, "shape") else index]
        if not len(positions) and len(self) and self._steps:
            self._stored_form()  # no clips have the form of all
        part = copy.copy(self)
        part._n_clips = len(positions)
        part._before = part._sample = None
        part._source = None if self._source is None else safe_indexing(self._source, positions)
        part._names = None if self._names is None else self._names[positions]
        part._places = None if self._places is None else self._places.subset(positions)
        return part

    def __iter__(self) -> Iterator[Array]:
        for block in self.blocks(_BLOCK):
            yield from block

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if copy is False:
            raise ValueError("stored clips are read from files: an array needs a copy")
        return np.asarray(self.in_memory("an array"), dtype)

    def __copy__(self) -> Self:
        copied = object.__new__(type(self))
        vars(copied).update(vars(self))  # all of it, unlike a pickle
        return copied

    def __getstate__(self) -> dict[str, Any]:
        state = {**vars(self), "_before": None, "_sample": None}
        if not self._is_filled:
            return state
        # other processes read what is stored, and compute nothing
        return {**state, "_form": self._stored_form(), "_source": None, "_names": None}

    # Steps

    def then(self, step: Any) -> "StoredClips":
        """The output of a fitted transformer for these clips, which is lazy too."""
        # a table that the user asked for is made of all clips, not of each block
        step = without_tables(step)
        alone = step if is_clipwise(step) else getattr(step, "_fixed", lambda: None)()
        after = copy.copy(self)
        after._before, after._sample = self, None
        if alone is None or self._later or self._source is None:
            after._later = (*self._later, step)
        else:
            after._steps = (*self._steps, alone)
            after._form = after._places = None
        return after

    # Values

    def load(self, index: Any) -> Array:
        """Clips at a slice or an array of int, in memory."""
        clips = self._stored(np.arange(len(self))[index])
        for step in self._later:
            clips = step.transform(clips)
        return clips

    def sample(self) -> Array:
        """Up to 256 clips, evenly spaced, in memory; each step is applied to them once."""
        if self._sample is None:
            if self._before is None:
                self._sample = super().sample()
            else:
                step = (self._later or self._steps)[-1]
                with bad_files() as bad:
                    self._sample = step.transform(self._before.sample())
                self._bad.update(dict.fromkeys(bad.values()))
        return self._sample

    def _stored(self, positions: npt.NDArray[np.intp]) -> Array:
        """Output of the steps before the store."""
        if not self._steps:
            return safe_indexing(self._source, positions)
        form = self._stored_form()
        places = self._located()
        shard_of = places.shard_of[positions]
        parts: list[tuple[npt.NDArray[np.intp], Any]] = []
        missing = np.flatnonzero(shard_of < 0)
        if len(missing):
            some = positions[missing]
            part = self._computed(safe_indexing(self._source, some), some)
            if len(missing) == len(positions):
                return part
            parts.append((missing, part))
        for number, at in grouped(shard_of):
            if number >= 0:
                self._note(number, places.row_of[positions[at]])
                parts.append((at, places.shards[number].read(places.row_of[positions[at]])))
        out = np.empty((len(positions), *form.shape[1:]), form.dtype)
        for at, found in parts:
            if form.dtype == object:
                for i, clip in zip(at, found):
                    out[i] = unpacked(clip)
            else:
                out[at] = unpacked(found)
        return with_rate(out, rate_of(form))

    def _computed(self, source: Any, positions: npt.NDArray[np.intp]) -> Array:
        """Output of the steps before the store for some clips, rounded as it would be stored."""
        bad: dict[int, str] = {}
        made = compute(source, self._steps, positions, bad)
        self._bad.update(dict.fromkeys(bad.values()))
        if self._settings.dtype is None:
            return made
        clips = packed(np.asarray(made), self._settings.dtype)
        if clips.dtype == object:
            return with_rate(make_ragged(map(unpacked, clips)), rate_of(made))
        return with_rate(unpacked(clips), rate_of(made))

    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of samples or frames of each clip."""
        lengths = np.empty(len(self), np.int64)
        places = self._located()
        if self._later:
            missing = np.arange(len(self))
        else:
            missing = places.missing
            for number, at in grouped(places.shard_of):
                if number >= 0:
                    lengths[at] = places.shards[number].lengths[places.row_of[at]]
        for start in range(0, len(missing), _BLOCK):
            at = missing[start : start + _BLOCK]
            lengths[at] = [clip.shape[-1] for clip in self.load(at)]
        return lengths

    @property
    def fits(self) -> bool:
        """Whether all clips together are at most as large as `max_ram`."""
        if not self._steps and not self._later:
            return True  # the clips are in memory as they came
        return self._n_bytes() <= self._settings.max_ram

    def _n_bytes(self) -> int:
        one = self._one()
        if not self.ragged:
            return len(self) * one.nbytes
        return int(self.lengths().sum()) * one[0].nbytes // max(1, one[0].shape[-1])

    def in_memory(self, reader: str) -> Array:
        """All clips as an array; an error names `reader` if they are too large."""
        if not self._steps and not self._later:
            return self._source
        if not self.fill().fits:
            raise ValueError(
                f"{reader} needs all clips in memory: {in_words(self._n_bytes())}, more than "
                f"max_ram={self._settings.max_ram} of ClipStore; reduce them before, for instance "
                "with TemporalPooling, or set a larger max_ram"
            )
        return self.load(slice(None))

    # Bad files

    def blocks(self, n_clips: int) -> Iterator[Array]:
        """Yield consecutive clips in memory, and warn about bad files at the end."""
        yield from super().blocks(n_clips)
        self._warn()

    def _note(self, number: int, rows: Array) -> None:
        """Note what is said of clips of a shard."""
        bad = self._located().shards[number].bad
        if bad:
            self._bad.update((bad[row], None) for row in rows.tolist() if row in bad)

    def _warn(self) -> None:
        """Warn about the bad files that were read and not yet told, in one list."""
        warn_of_new_bad_files(self._bad, self._told, len(self), stacklevel=5)

    # The store

    def _located(self) -> Places:
        """Places of the clips that are stored."""
        if self._places is None:
            self._places = Places.unknown(len(self))
            if self._settings.cache is not None and self._steps and len(self):
                key = key_of(self._steps, self._settings.dtype)
                is_ragged = self._stored_form().dtype == object
                entries = entries_of(self._settings.cache, key, is_ragged)
                if entries:
                    self._places = locate(self._named(), entries, self._settings.cache)
        return self._places

    def _named(self) -> Names:
        """Names of the clips in the store."""
        if self._names is None:
            self._names = names_of(self._source)
        return self._names

    @property
    def _is_filled(self) -> bool:
        return self._places is not None and not len(self._places.missing)

    def fill(self) -> Self:
        """Compute all clips that are not stored, and store them.

        Raises
        ------
        ValueError, OSError
            When there is no room for them.
        """
        if not self._steps:
            return self
        places = self._located()
        if not len(places.missing):
            self._tell(places)
            return self
        if self._settings.cache is None and not self.fits:
            raise ValueError(
                f"the features of {len(self)} clips need {in_words(self._n_bytes())}, more than "
                f"max_ram={self._settings.max_ram} of ClipStore, and there is no store: set "
                "memory= to a folder"
            )
        names = None if self._settings.cache is None else self._named()
        fill(self._source, self._steps, self._settings, names, places)
        self._before = self._sample = None  # waveforms that are no longer needed
        self._tell(places)
        return self

    def _tell(self, places: Places) -> None:
        """Warn about the bad files among all clips."""
        for number, at in grouped(places.shard_of):
            if number >= 0:
                self._note(number, places.row_of[at])
        self._warn()


def _untouched(clips: Any) -> Array:
    """An array that stands for clips on which no step was applied."""
    return clips if isinstance(clips, np.ndarray) else np.empty(len(clips), object)
