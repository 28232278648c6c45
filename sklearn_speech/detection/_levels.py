"""Where sound begins and ends, from its level over time."""

from typing import Any

import numpy as np
import numpy.typing as npt

#: Frames of levels in a second.
FRAMES_PER_SECOND = 100

#: A word reaches down to at most this far below its loudest frame, in dB.
_DEPTH = 40.0

#: What is this far above the background is sound around an event, in dB, where the contrast
#: permits. The usual duration of the word tells which of the edges are its own.
_ABOVE = 5.0

#: In a clip, sound is louder than the background by at least this part of the contrast. The
#: noise of a room changes by several dB from frame to frame: a small fixed distance fails.
_PART = 0.35

#: Parts of a word are at most this far apart, in seconds: the stop in "eight" or "right".
_PAUSE = 0.2

#: Without this contrast between loudest frame and background, levels say nothing, in dB.
_CONTRAST = 12.0


class LevelTrack:
    """Levels of a recording that comes in pieces, as far back as they are needed.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    """

    def __init__(self, sample_rate: float) -> None:
        self._hop = max(1, round(sample_rate / FRAMES_PER_SECOND))
        self.period = self._hop / sample_rate
        self._rest = np.zeros(0, dtype=np.float32)
        self._levels = np.zeros(0)
        self._offset = 0

    def push(self, samples: npt.NDArray[np.float32]) -> None:
        """Take the next samples, of shape (n_samples,)."""
        samples = np.concatenate([self._rest, samples])
        n_frames = len(samples) // self._hop
        new = levels(samples[: n_frames * self._hop], self._hop)
        self._rest = samples[n_frames * self._hop :].copy()
        self._levels = np.concatenate([self._levels, new])

    def forget(self, time: float) -> None:
        """Drop the levels before a time in seconds."""
        dropped = int(time / self.period) - 1 - self._offset
        if dropped > 0:
            self._levels = self._levels[dropped:].copy()
            self._offset += dropped

    def bounds(self, center: float, duration: float, reach: float) -> tuple[float, float]:
        """Start and end of the word around a time.

        Of the edges of the level, those two are taken that lie nearest to where a word of the
        usual duration would begin and end, and are nearest to that duration apart: a word
        such as "eight" has a pause, with edges of its own. Where there is no edge near enough,
        the usual duration holds.

        Parameters
        ----------
        center : float
            Middle of the word in seconds.
        duration : float
            Usual duration of the word in seconds.
        reach : float
            Seconds on either side of the centre to look at.

        Returns
        -------
        start, end : float
            In seconds.
        """
        start, end = center - duration / 2, center + duration / 2
        first = max(self._offset, int((center - reach) / self.period))
        stop = min(self._offset + len(self._levels), int((center + reach) / self.period) + 1)
        around = self._levels[first - self._offset : stop - self._offset]
        is_sound = _is_sound(around, round(center / self.period) - first)
        if is_sound is None:
            return max(0.0, start), end
        change = np.diff(is_sound.astype(int), prepend=is_sound[:1].astype(int))
        tolerance = max(0.15, duration / 2)
        rises = (first + np.flatnonzero(change == 1)) * self.period
        falls = (first + np.flatnonzero(change == -1)) * self.period
        starts = _close(rises[rises < center], start, tolerance)[:, np.newaxis]
        ends = _close(falls[falls > center], end, tolerance)
        away = np.abs(starts - start) + np.abs(ends - end) + np.abs(ends - starts - duration)
        i, j = np.unravel_index(away.argmin(), away.shape)
        return max(0.0, float(starts[i, 0])), float(ends[j])


def _close(times: npt.NDArray[Any], expected: float, tolerance: float) -> npt.NDArray[Any]:
    """The times that are near to what is expected, or that itself where there are none."""
    times = times[np.abs(times - expected) <= tolerance]
    return times if len(times) else np.array([expected])


def levels(samples: npt.NDArray[np.float32], hop: int) -> npt.NDArray[Any]:
    """Mean square of consecutive frames of `hop` samples, in dB relative to full scale."""
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / hop
    return 10 * np.log10(power + 1e-12)


def _is_sound(around: npt.NDArray[np.float64], middle: int) -> npt.NDArray[np.bool_] | None:
    """Which frames around a word are louder than the background; None without contrast."""
    near = around[max(0, middle - 15) : middle + 16]
    if len(near) == 0:
        return None
    peak, floor = near.max(), np.percentile(around, 10)
    if peak - floor < _CONTRAST:
        return None
    return around > max(peak - _DEPTH, floor + min(_ABOVE, 0.4 * (peak - floor)))


def _least_level(peak: float, floor: float) -> float:
    """Level above which a frame is sound, from the loudest frame and the background, in dB."""
    return max(peak - _DEPTH, floor + _PART * (peak - floor))


def extent(clip: npt.NDArray[np.float32], sample_rate: float) -> tuple[int, int]:
    """First sample of the word in a clip, and the first one after it.

    Of several sounds with pauses between them, the one with the most energy is the word.

    Parameters
    ----------
    clip : ndarray of shape (n_samples,)
        One word, perhaps with silence before and after it.
    sample_rate : float
        In Hz.

    Returns
    -------
    start, stop : int
        The whole clip where its level hardly changes.

    Examples
    --------
    >>> import numpy as np
    >>> clip = np.zeros(1000, dtype=np.float32)
    >>> clip[300:700] = 0.5
    >>> extent(clip, 1000)
    (300, 700)
    """
    hop = max(1, round(sample_rate / FRAMES_PER_SECOND))
    level = levels(clip, hop)
    if len(level) == 0 or level.max() - level.min() < _CONTRAST:
        return 0, len(clip)
    power = 10 ** (level / 10)
    loud = np.flatnonzero(level > _least_level(level.max(), np.percentile(level, 10)))
    pauses = np.flatnonzero(np.diff(loud) > _PAUSE * FRAMES_PER_SECOND)
    # clicks and breaths before or after the word have little energy
    word = max(np.split(loud, pauses + 1), key=lambda frames: power[frames].sum())
    return int(word[0] * hop), int(min(len(clip), (word[-1] + 1) * hop))
