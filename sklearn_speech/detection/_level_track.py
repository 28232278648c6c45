"""Levels of a recording as its samples come in, and the edges of words in them."""

import numpy as np
import numpy.typing as npt

from ._levels import CONTRAST, frames_of, levels
from ._word_edges import WordEdges

#: What is softer than the loudest frame of a word by more is no sound of it, in dB: it may be
#: the noise of the room in which the word was spoken.
_DEPTH = 40.0

#: Sound is this far above the background around an event, in dB, where the contrast permits.
#: The background is the level that a quarter of the frames around do not reach. Both were
#: chosen on synthetic speakers in white, pink and brown noise.
_ABOVE, _QUARTER = 4.0, 25

#: By how much the background raises the level of a frame at that bound, in dB.
_ADDED = 2.0


class LevelTrack:
    """Levels of a recording that comes in pieces, as far back as they are needed.

    Parameters
    ----------
    sample_rate : float
        In Hz.
    """

    def __init__(self, sample_rate: float) -> None:
        self._hop = frames_of(sample_rate)
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

    def bounds(self, center: float, edges: WordEdges, reach: float) -> tuple[float, float]:
        """Start and end of the word around a time.

        Parameters
        ----------
        center : float
            Middle of the word in seconds.
        edges : WordEdges
            What is usual for the word.
        reach : float
            Seconds on either side of the centre to look at.

        Returns
        -------
        start, end : float
            In seconds; those of the usual duration where the word is hardly louder than the
            background.
        """
        start, end = center - edges.duration / 2, center + edges.duration / 2
        first = max(self._offset, int((center - reach) / self.period))
        stop = min(self._offset + len(self._levels), int((center + reach) / self.period) + 1)
        around = self._levels[first - self._offset : stop - self._offset]
        middle = round(center / self.period) - first
        near = around[max(0, middle - 15) : middle + 16]
        if len(near):
            peak, floor = near.max(), np.percentile(around, _QUARTER)
            if peak - floor >= CONTRAST:
                least = max(peak - _DEPTH, floor + min(_ABOVE, 0.4 * (peak - floor)))
                depth = peak - least + _ADDED
                start, end = edges.choose(around > least, first, self.period, depth, center)
        return max(0.0, start), end
