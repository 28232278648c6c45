"""Clips that are computed, or read from files, when they are needed, and not all at once."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Self

import numpy as np
import numpy.typing as npt

#: Number of clips that stand for all in a step that treats clips alone; front ends estimate
#: the range of a typical clip from as many.
_N_SAMPLE = 256


class LazyClips(ABC):
    """An array-like of clips of which only a block is in memory at a time.

    The transformers of this library take one and return one, and networks are trained on one
    batch by batch. Anything else gets an array from ``numpy.asarray``, if that is small enough.
    """

    #: Sample rate in Hz, or None; see :mod:`sklearn_speech.utils.rates`.
    sample_rate: float | None

    @abstractmethod
    def __len__(self) -> int: ...

    @property
    @abstractmethod
    def ragged(self) -> bool:
        """Whether clips may differ in length."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of the array; only the number of clips if they are ragged."""

    @property
    @abstractmethod
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the array; object if clips are ragged."""

    @property
    def ndim(self) -> int:
        """Number of dimensions of the array."""
        return len(self.shape)

    @abstractmethod
    def __getitem__(self, index: Any) -> Any:
        """One clip as an array for an int, else these clips, which are lazy too."""

    @abstractmethod
    def load(self, index: Any) -> npt.NDArray[Any]:
        """Clips at a slice or an array of int, in memory."""

    @abstractmethod
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of samples or frames of each clip."""

    @abstractmethod
    def then(self, step: Any) -> Any:
        """The output of a fitted transformer for these clips, which is lazy too."""

    @abstractmethod
    def fill(self) -> Self:
        """Compute all clips that are not stored, and store them."""

    @property
    @abstractmethod
    def fits(self) -> bool:
        """Whether all clips together are small enough to be in memory."""

    @abstractmethod
    def in_memory(self, reader: str) -> npt.NDArray[Any]:
        """All clips as an array; an error names `reader` if they are too large."""

    def blocks(self, n_clips: int) -> Iterator[npt.NDArray[Any]]:
        """Yield consecutive clips in memory, `n_clips` at a time."""
        for start in range(0, len(self), n_clips):
            yield self.load(slice(start, start + n_clips))

    def sample(self) -> npt.NDArray[Any]:
        """Up to 256 clips, evenly spaced, in memory."""
        return self.load(np.unique(np.linspace(0, len(self) - 1, _N_SAMPLE).astype(int)))


def sample_of(X: Any) -> Any:
    """A few of the clips if they are lazy, otherwise all clips."""
    return X.sample() if isinstance(X, LazyClips) else X
