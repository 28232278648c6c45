"""Windows to train on: words among other words and background, and what is no word."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from ._levels import extent
from ._word_edges import WordEdges, learn_edges

#: Shortest time between neighbouring words, in seconds. The longest is a window, so that many
#: words stand alone.
_SHORTEST_GAP = 0.02

#: What is kept of a clip before and after its word, in seconds, shortest and longest. A word
#: that is always cut out tightly loses weak consonants, and its surroundings give it away.
_MARGIN = (0.03, 0.4)

#: Fade at the ends of what is kept, in seconds.
_FADE = 0.03

#: Level of the background, in dB relative to how it was recorded, lowest and highest.
_GAIN = (-20.0, 0.0)

#: Attempts to place a word beside the middle of a window.
_N_ATTEMPTS = 20


class WindowMaker:
    """Lays clips of words into windows of background.

    Parameters
    ----------
    clips : list of ndarray of shape (n_samples,)
        One word each, in float32.
    speakers : sequence of length n_clips, or None
        Neighbours in a window are of one speaker; None takes any.
    background : list of ndarray of shape (n_samples,)
        Each at least as long as a window.
    blocked : list of list of (int, int)
        Parts of each background, in samples, that must not be used.
    n_window : int
        Samples of a window.
    sample_rate : float
        In Hz.
    tolerance : float
        A word counts as in the middle of a window up to this many seconds beside it.
    rng : numpy.random.RandomState
        Source of positions, gaps and levels.

    Attributes
    ----------
    lengths : ndarray of shape (n_clips,)
        Samples of the sound in each clip.
    """

    def __init__(
        self,
        clips: list[npt.NDArray[np.float32]],
        speakers: Sequence[Any] | None,
        background: list[npt.NDArray[np.float32]],
        blocked: list[list[tuple[int, int]]],
        n_window: int,
        sample_rate: float,
        tolerance: float,
        rng: np.random.RandomState,
    ) -> None:
        self.n_window = n_window
        self.sample_rate = sample_rate
        self.tolerance = round(tolerance * sample_rate)
        self.rng = rng
        self._clips = clips
        self._extents = [extent(clip, sample_rate) for clip in clips]
        self.lengths = np.array([stop - start for start, stop in self._extents])
        names = np.zeros(len(clips), dtype=int)
        if speakers is not None:
            names = np.unique(np.asarray(speakers), return_inverse=True)[1]
        self._neighbours = [np.flatnonzero(names == name) for name in range(names.max() + 1)]
        self._speaker = names
        self._starts = free_ranges(background, blocked, n_window)
        self._background = background

    def edges(self, chosen: npt.NDArray[np.bool_]) -> WordEdges:
        """Usual duration and soft parts of the words in some of the clips."""
        which = np.flatnonzero(chosen)
        clips, extents = [self._clips[i] for i in which], [self._extents[i] for i in which]
        return learn_edges(clips, extents, self.sample_rate)

    def excerpt(self) -> npt.NDArray[np.float32]:
        """A window of background at a random level."""
        which, ranges = self._starts
        total = np.cumsum([stop - start for start, stop in ranges])
        i = int(self.rng.randint(total[-1]))
        k = int(np.searchsorted(total, i, side="right"))
        start = ranges[k][1] - (int(total[k]) - i)
        excerpt = self._background[which[k]][start : start + self.n_window]
        gain = 10 ** (self.rng.uniform(*_GAIN) / 20)
        return (gain * excerpt).astype(np.float32)

    def word(self, i: int) -> npt.NDArray[np.float32]:
        """A window with clip `i` in its middle."""
        jitter = int(self.rng.randint(-self.tolerance, self.tolerance + 1))
        return self._lay(i, jitter)[0]

    def beside(self, i: int) -> npt.NDArray[np.float32]:
        """A window in which neither clip `i` nor another one is in the middle."""
        reach = (self.n_window + int(self.lengths[i])) // 2
        nearest = 2 * self.tolerance
        for _ in range(_N_ATTEMPTS):
            offset = int(self.rng.randint(nearest, max(reach, nearest + 1)))
            window, centers = self._lay(i, offset if self.rng.rand() < 0.5 else -offset)
            if np.abs(centers).min() >= nearest:
                return window
        return self.excerpt()

    def _lay(self, i: int, offset: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.intp]]:
        """A window, and the centres of all words in it relative to its own."""
        window = self.excerpt()
        own = self._neighbours[self._speaker[i]]
        start = self.n_window // 2 + offset - int(self.lengths[i]) // 2
        placed = [(i, start)]
        edge = start
        while edge > 0:
            j = int(own[self.rng.randint(len(own))])
            edge -= self._gap() + int(self.lengths[j])
            placed.append((j, edge))
        edge = start + int(self.lengths[i])
        while edge < self.n_window:
            j = int(own[self.rng.randint(len(own))])
            edge += self._gap()
            placed.append((j, edge))
            edge += int(self.lengths[j])
        for j, at in placed:
            sound, before = self._cut(j)
            at -= before
            low, high = max(0, at), min(self.n_window, at + len(sound))
            if low < high:
                window[low:high] += sound[low - at : high - at]
        np.clip(window, -1, 1, out=window)
        centers = [at + int(self.lengths[j]) // 2 - self.n_window // 2 for j, at in placed]
        return window, np.array(centers)

    def _cut(self, i: int) -> tuple[npt.NDArray[np.float32], int]:
        """Sound of a clip around its word, and the samples of it that lie before the word."""
        start, stop = self._extents[i]
        before, after = (int(self.rng.uniform(*_MARGIN) * self.sample_rate) for _ in range(2))
        first = max(0, start - before)
        sound = self._clips[i][first : stop + after]
        return _faded(sound, round(_FADE * self.sample_rate)), start - first

    def _gap(self) -> int:
        shortest = int(_SHORTEST_GAP * self.sample_rate)
        return int(self.rng.randint(shortest, max(shortest, self.n_window) + 1))


def _faded(word: npt.NDArray[np.float32], n_fade: int) -> npt.NDArray[np.float32]:
    word = word.copy()
    n_fade = min(n_fade, len(word) // 4)
    if n_fade:
        ramp = np.linspace(0, 1, n_fade, dtype=np.float32)
        word[:n_fade] *= ramp
        word[-n_fade:] *= ramp[::-1]
    return word


def free_ranges(
    background: list[npt.NDArray[np.float32]],
    blocked: list[list[tuple[int, int]]],
    n_window: int,
) -> tuple[list[int], list[tuple[int, int]]]:
    """Where windows of background may begin: recordings, and ranges of samples."""
    which, ranges = [], []
    for k, (samples, parts) in enumerate(zip(background, blocked)):
        begin = 0
        for start, stop in [*sorted(parts), (len(samples), len(samples))]:
            if min(start, len(samples)) - n_window >= begin:
                which.append(k)
                ranges.append((begin, min(start, len(samples)) - n_window + 1))
            begin = max(begin, stop)
    return which, ranges
