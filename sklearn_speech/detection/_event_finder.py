"""From scores over time to events, as the scores come in."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

#: Scores are rounded to so many decimals. The rounding of float32 depends on how a recording is
#: cut; in digital silence, where all scores are equal, it would decide what a peak is.
_DECIMALS = 6


class Peak(NamedTuple):
    """An event before its start and end are known; times in windows."""

    center: float
    word: int
    score: float


class EventFinder:
    """Peaks of scores over time, found with a bounded look ahead.

    Scores are averaged over `smoothing` windows. A peak's score is the highest level that
    `patience` windows in a row, its own among them, reach. A peak is the first of the highest
    windows of its word within the least distance. Of peaks of any words that are nearer than
    that, the higher one stays, the highest of all first. So the peaks above a threshold are
    the same whatever lower threshold they were looked for with, and however the scores are
    cut into pieces.

    Parameters
    ----------
    thresholds : ndarray of shape (n_words,)
        Least score of each word's peaks.
    smoothing : int
        Number of windows averaged over, odd.
    patience : int
        Number of windows in a row.
    distance : float
        Least distance between two peaks, in windows.
    reach : int
        Windows on either side of a peak that tell where its centre is.
    """

    def __init__(
        self,
        thresholds: npt.NDArray[np.float64],
        *,
        smoothing: int,
        patience: int,
        distance: float,
        reach: int,
    ) -> None:
        self.thresholds = thresholds
        self.patience = patience
        self.distance = distance
        self.reach = reach
        self._half = smoothing // 2
        self._radius = max(1, int(distance))
        self._context = self._half + patience - 1 + max(self._radius, reach)
        self._scores = np.zeros((0, len(thresholds)))
        self._offset = 0  # index of the first score kept
        self._done = 0  # index of the next window to look at
        self._pending: list[Peak] = []
        self._kept: list[Peak] = []

    def push(self, scores: npt.NDArray[np.float64], *, last: bool = False) -> list[Peak]:
        """Take the scores of the next windows.

        Parameters
        ----------
        scores : ndarray of shape (n_windows, n_words)
            NaN counts as 0.
        last : bool, default=False
            Whether the recording ends with them.

        Returns
        -------
        peaks : list of Peak
            Those that are now certain, in order of time.
        """
        scores = np.nan_to_num(np.asarray(scores, dtype=float), nan=0.0).round(_DECIMALS)
        self._scores = np.concatenate([self._scores, scores])
        n_heard = self._offset + len(self._scores)
        stop = n_heard if last else n_heard - self._context
        if stop > self._done:
            self._pending += self._peaks(stop, n_heard)
            self._done = stop
            dropped = max(0, self._done - self._context - self._offset)
            self._scores = self._scores[dropped:].copy()
            self._offset += dropped
        # the centre of a later peak lies within its reach
        return self._decide(np.inf if last else self._done - self.reach)

    @property
    def look_ahead(self) -> int:
        """Windows that must follow one before it is known whether it is a peak."""
        return self._context

    @property
    def earliest(self) -> float:
        """No peak that is still to come has its centre before this window."""
        return min([self._done - self.reach, *(peak.center for peak in self._pending)])

    def _peaks(self, stop: int, n_heard: int) -> list[Peak]:
        smooth = _moving_average(self._scores, self._half)
        opened = _opened(smooth, self.patience)
        before, after = _neighbours(opened, self._radius)
        is_peak = (opened > before) & (opened >= after) & (opened >= self.thresholds)
        is_peak &= opened > 0
        is_peak[: self._done - self._offset] = False
        is_peak[stop - self._offset :] = False
        peaks = []
        for i, word in zip(*np.nonzero(is_peak)):
            level = opened[i, word]
            low, high = int(i), int(i)
            while low > max(0, i - self.reach) and smooth[low - 1, word] >= level / 2:
                low -= 1
            limit = min(len(smooth) - 1, i + self.reach)
            while high < limit and smooth[high + 1, word] >= level / 2:
                high += 1
            weights = smooth[low : high + 1, word]
            # relative to the peak: rounding must not depend on where the kept scores begin
            shift = (weights * np.arange(low - i, high - i + 1)).sum() / weights.sum()
            center = float(self._offset + i + shift)
            peaks.append(Peak(center, int(word), float(level)))
        return peaks

    def _decide(self, certain: float) -> list[Peak]:
        """Peaks whose neighbours are all known; no later one has a centre before `certain`."""
        found: list[Peak] = []
        waiting: list[Peak] = []
        for peak in sorted(self._pending, key=lambda p: (-p.score, p.center, p.word)):
            if self._near(peak, self._kept):
                continue  # a higher one stays
            if peak.center + self.distance > certain or self._near(peak, waiting):
                waiting.append(peak)
            else:
                found.append(peak)
                self._kept.append(peak)
        self._pending = waiting
        known = certain - self._context - 2 * self.distance
        self._kept = [p for p in self._kept if p.center > known or self._near(p, waiting)]
        return sorted(found)

    def _near(self, peak: Peak, others: list[Peak]) -> bool:
        return any(abs(peak.center - other.center) < self.distance for other in others)


def _moving_average(scores: npt.NDArray[np.float64], half: int) -> npt.NDArray[np.float64]:
    """Centred; at the ends over the windows that there are."""
    if half == 0:
        return scores
    half = min(half, len(scores) - 1)  # no window is further away
    total, count = np.zeros_like(scores), np.zeros((len(scores), 1))
    for shift in range(-half, half + 1):
        low, high = max(0, -shift), len(scores) - max(0, shift)
        if high > low:
            total[low:high] += scores[low + shift : high + shift]
            count[low:high] += 1
    return total / count


def _opened(scores: npt.NDArray[np.float64], patience: int) -> npt.NDArray[np.float64]:
    """Highest level that `patience` windows in a row reach, for each window they contain."""
    if patience == 1 or len(scores) == 0:
        return scores
    opened = np.zeros_like(scores)
    n_runs = len(scores) - patience + 1
    if n_runs < 1:
        return opened
    lowest = scores[:n_runs].copy()
    for i in range(1, patience):
        np.minimum(lowest, scores[i : i + n_runs], out=lowest)
    for i in range(patience):
        np.maximum(opened[i : i + n_runs], lowest, out=opened[i : i + n_runs])
    return opened


def _neighbours(
    scores: npt.NDArray[np.float64], radius: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Highest scores of the `radius` windows before and after each window."""
    before = np.full_like(scores, -np.inf)
    after = np.full_like(scores, -np.inf)
    for shift in range(1, min(radius, len(scores) - 1) + 1):
        np.maximum(before[shift:], scores[:-shift], out=before[shift:])
        np.maximum(after[:-shift], scores[shift:], out=after[:-shift])
    return before, after
