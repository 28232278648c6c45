"""What background hides of a word, and where its edges are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ._levels import SOFT_ABOVE, frames_of, levels

#: Levels below the loudest frame of a word at which its edges are learned, in dB.
DEPTHS = np.arange(0.0, 63.0, 3.0)

#: Weight of the longest pause when edges are chosen; that of an edge and of the duration is 1.
#: Chosen on synthetic speakers in white, pink and brown noise.
_PAUSE_WEIGHT = 4.0


@dataclass(frozen=True)
class WordEdges:
    """Usual duration of a word, and how much of it is softer than a level.

    Attributes
    ----------
    duration : float
        In seconds.
    soft : ndarray of shape (n_depths, 3)
        For each of :data:`DEPTHS`, in seconds: from the start of the word to its first frame
        that is louder, from the last such frame to its end, and the longest pause between such
        frames. Weak consonants, such as "f", are hidden by little noise, and a stop, as in
        "eight", has a pause.
    """

    duration: float
    soft: npt.NDArray[np.float64]

    @classmethod
    def unknown(cls, duration: float) -> "WordEdges":
        """Of a word that was not heard: nothing is hidden."""
        return cls(duration, np.zeros((len(DEPTHS), 3)))

    def choose(
        self,
        is_sound: npt.NDArray[np.bool_],
        first: int,
        period: float,
        depth: float,
        center: float,
    ) -> tuple[float, float]:
        """The edges that agree best with what is usual for the word.

        Where sound begins and ends, a word may begin and end too; what the background hides of
        it is added. The pair of edges is chosen whose distances from the usual times, whose
        duration and whose longest pause differ least from what is usual. So an edge within
        the word, or of a neighbour, is not taken for its own.

        Parameters
        ----------
        is_sound : ndarray of shape (n_frames,)
            Which frames are louder than the background.
        first : int
            Number of the first of these frames in the recording.
        period : float
            Seconds from one frame to the next.
        depth : float
            How far below the loudest frame sound is hidden, in dB.
        center : float
            Middle of the word in seconds.

        Returns
        -------
        start, end : float
            In seconds; those of the usual duration where there is no edge near enough.
        """
        start, end = center - self.duration / 2, center + self.duration / 2
        before, after, usual_pause = (np.interp(depth, DEPTHS, column) for column in self.soft.T)
        change = np.diff(is_sound.astype(int), prepend=is_sound[:1].astype(int))
        rises = (first + np.flatnonzero(change == 1)) * period
        falls = (first + np.flatnonzero(change == -1)) * period
        tolerance = max(0.15, self.duration / 2)
        starts = _near(rises[rises < center] - before, start, tolerance)
        ends = _near(falls[falls > center] + after, end, tolerance)
        sound = (first + np.flatnonzero(is_sound)) * period
        away = np.abs(starts - start)[:, np.newaxis] + np.abs(ends - end)
        away += np.abs(ends - starts[:, np.newaxis] - self.duration)
        for i, j in np.ndindex(away.shape):
            pause = _longest_pause(sound, float(starts[i]), float(ends[j]), period)
            away[i, j] += _PAUSE_WEIGHT * abs(pause - usual_pause)
        i, j = np.unravel_index(away.argmin(), away.shape)
        return float(starts[i]), float(ends[j])


def learn_edges(
    clips: Sequence[npt.NDArray[np.float32]],
    extents: Sequence[tuple[int, int]],
    sample_rate: float,
) -> WordEdges:
    """Duration and soft parts of a word, the medians of several clips.

    Parameters
    ----------
    clips : sequence of ndarray of shape (n_samples,)
        At least one.
    extents : sequence of (int, int)
        First sample of the word in each clip, and the first one after it.
    sample_rate : float
        In Hz.

    Returns
    -------
    edges : WordEdges

    Examples
    --------
    A sound of 0.1 s that is 20 dB softer comes before 0.2 s.

    >>> import numpy as np
    >>> clip = np.repeat([0.05, 0.5], [100, 200]).astype(np.float32)
    >>> edges = learn_edges([clip], [(0, 300)], 1000)
    >>> edges.duration
    0.3
    >>> [float(np.interp(depth, DEPTHS, edges.soft[:, 0])) for depth in (9, 30)]
    [0.1, 0.0]
    """
    hop = frames_of(sample_rate)
    rows = []
    for clip, (start, stop) in zip(clips, extents):
        level = levels(clip[start:stop], hop)
        if len(level):
            # the noise of the clip would fill its pauses
            around = np.concatenate([levels(clip[:start], hop), levels(clip[stop:], hop)])
            floor = np.median(around) + SOFT_ABOVE if len(around) >= 3 else -np.inf
            peak = level.max()
            least = [max(peak - depth, min(floor, peak)) for depth in DEPTHS]
            rows.append([_soft_parts(level, bound) for bound in least])
    duration = float(np.median([stop - start for start, stop in extents]) / sample_rate)
    if not rows:
        return WordEdges.unknown(duration)
    return WordEdges(duration, np.median(rows, axis=0) * hop / sample_rate)


def _soft_parts(level: npt.NDArray[Any], least: float) -> tuple[int, int, int]:
    """Frames before the first, after the last, and in the longest gap between the loud ones."""
    loud = np.flatnonzero(level >= least)
    pause = int(np.diff(loud).max(initial=1)) - 1
    return int(loud[0]), int(len(level) - 1 - loud[-1]), pause


def _near(times: npt.NDArray[Any], expected: float, tolerance: float) -> npt.NDArray[Any]:
    """The times that are near to what is expected, or that itself where there are none."""
    times = times[np.abs(times - expected) <= tolerance]
    return times if len(times) else np.array([expected])


def _longest_pause(sound: npt.NDArray[Any], start: float, end: float, period: float) -> float:
    """Seconds of the longest pause between the frames of sound that lie between two times."""
    # frames are multiples of the period: half of one decides which lie within
    within = sound[(sound > start - period / 2) & (sound < end - period / 2)]
    return float(np.diff(within).max(initial=period)) - period
