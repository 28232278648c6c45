"""Detection in sound that is still coming in."""

import time
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from ..metrics import EventTable
from ._event_finder import EventFinder, Peak
from ._level_track import LevelTrack
from ._reading import describe_invalid
from ._recordings import check_samples
from ._settings import Plan, Rule
from ._window_scorer import WindowScorer


class DetectionStream:
    """Words in sound that comes in chunks; made by ``SlidingWindow.stream``.

    Scores and events are those of the whole recording, however it is cut into chunks. Memory
    does not grow with the length of the recording: samples are kept for one window, scores
    and levels for as long as an event may still depend on them.

    Parameters
    ----------
    plan : Plan
        How windows are scored.
    rule : Rule
        How scores become events.
    recording : str or int, default=0
        What the events call the recording.

    Attributes
    ----------
    scores : ndarray of shape (n_windows, n_classes)
        Scores of the windows that the last chunk, or ``finish``, completed.
    times : ndarray of shape (n_windows,)
        Middles of these windows in seconds.
    n_windows : int
        Windows scored so far.
    seconds : float
        Sound heard so far, in seconds.
    latency : float
        Seconds after the middle of a word at which its event is certain, unless other events
        are nearer than the least distance.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_speech import MelSpectrogram, PadOrTrim, SlidingWindow, TemporalPooling
    >>> tone = np.sin(0.5 * np.arange(800)).astype(np.float32)
    >>> hiss = 0.01 * np.random.default_rng(0).normal(size=(2, 800)).astype(np.float32)
    >>> pipeline = make_pipeline(
    ...     PadOrTrim(n_times=800),
    ...     MelSpectrogram(8000),
    ...     TemporalPooling(),
    ...     StandardScaler(),
    ...     LogisticRegression(),
    ... )
    >>> pipeline = pipeline.fit([tone, tone, *hiss], ["tone", "tone", "other", "other"])
    >>> detector = SlidingWindow(pipeline, step=0.05, smoothing=0.0)
    >>> stream = detector.stream()
    >>> recording = np.concatenate([hiss[0], hiss[1], tone, hiss[0], hiss[1]])
    >>> for chunk in np.split(recording, 8):
    ...     for recording, word, start, end, score in stream.push(chunk):
    ...         print(word, round(start, 1), round(end, 1))
    >>> stream.finish().word.tolist()
    ['tone']
    """

    def __init__(self, plan: Plan, rule: Rule, recording: Any = 0) -> None:
        self.plan = plan
        self.rule = rule
        self.recording = recording
        self._scorer = WindowScorer(plan.steps, plan.n_window, plan.n_step)
        self._finder = EventFinder(
            rule.thresholds,
            smoothing=rule.smoothing,
            patience=rule.patience,
            distance=rule.distance,
            reach=rule.reach,
        )
        self._levels = LevelTrack(plan.sample_rate)
        self._n_samples = 0
        self._busy = 0.0
        self._ended = False
        self._invalid = np.zeros(0, dtype=np.intp)
        self.scores: npt.NDArray[Any] = np.zeros((0, len(plan.classes)))
        self.times: npt.NDArray[Any] = np.zeros(0)

    @property
    def n_windows(self) -> int:
        """Windows scored so far."""
        return self._scorer.n_windows

    @property
    def seconds(self) -> float:
        """Sound heard so far, in seconds."""
        return self._n_samples / self.plan.sample_rate

    @property
    def latency(self) -> float:
        """Seconds after the middle of a word at which its event is certain."""
        n_windows = self._finder.look_ahead + max(self.rule.distance + self.rule.reach, 0)
        return (n_windows * self.plan.n_step + self.plan.n_window / 2) / self.plan.sample_rate

    @property
    def real_time_factor(self) -> float:
        """Seconds of computing for one second of sound; NaN before the first chunk."""
        return self._busy / self.seconds if self._n_samples else float("nan")

    def push(self, chunk: npt.ArrayLike) -> EventTable:
        """Take the next samples.

        Parameters
        ----------
        chunk : array-like of shape (n_samples,)
            Amplitudes in [-1, 1], at least one; they follow the last ones without a gap.

        Returns
        -------
        events : EventTable
            Those that this chunk made certain.

        Raises
        ------
        TypeError, ValueError
            When the chunk is empty, is no 1-D array of amplitudes, or holds NaN while
            ``on_invalid="raise"``. The stream stays as it was, and may go on.
        RuntimeError
            After :meth:`finish`.

        Warns
        -----
        UserWarning
            When the chunk holds NaN or infinity and ``on_invalid="nan"``: the windows that see
            it get NaN as scores.
        """
        self._refuse_after_the_end()
        samples = check_samples(chunk, "chunk")
        plan = self.plan
        bad = np.flatnonzero(~np.isfinite(samples)) + self._n_samples
        message = describe_invalid(bad, "chunk", plan.n_window, plan.n_step, plan.sample_rate)
        if message:
            if plan.on_invalid == "raise":
                raise ValueError(f"{message}; on_invalid='nan' scores these windows as NaN")
            warnings.warn(f"{message} and get NaN as scores", UserWarning, stacklevel=2)
        return self.take(samples, bad)

    def take(self, samples: npt.NDArray[Any], invalid: npt.NDArray[np.intp]) -> EventTable:
        """As :meth:`push`, of samples that were checked.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,)
        invalid : ndarray of shape (n_invalid,)
            Positions in the recording of those that are NaN or infinite.

        Returns
        -------
        events : EventTable
        """
        plan = self.plan
        began = time.perf_counter()
        samples = np.asarray(samples, dtype=np.float32)
        if len(invalid):
            samples = np.where(np.isfinite(samples), samples, np.float32(0))
        self._n_samples += len(samples)
        self._invalid = np.concatenate([self._invalid, invalid])
        self._keep(self._scorer.push(samples))
        self._levels.push(samples)
        events = self._events(self._finder.push(self.scores[:, plan.columns]))
        reach = plan.n_window / 2 / plan.sample_rate
        self._levels.forget(plan.seconds(self._finder.earliest) - reach)
        self._busy += time.perf_counter() - began
        return events

    def finish(self) -> EventTable:
        """End the recording.

        The windows that reach beyond its end are scored with its mirror image there.

        Returns
        -------
        events : EventTable
            Those that waited for what might follow.

        Raises
        ------
        RuntimeError
            When the stream has ended before.
        """
        self._refuse_after_the_end()
        self._ended = True
        none = np.zeros((0, len(self.plan.classes)))
        self._keep(self._scorer.finish() if self._n_samples else none)
        peaks = self._finder.push(self.scores[:, self.plan.columns], last=True)
        return EventTable(
            (*event[:3], min(event[3], self.seconds), event[4]) for event in self._events(peaks)
        )

    def _keep(self, scores: npt.NDArray[Any]) -> None:
        """Store the scores of the latest windows, NaN where they see an invalid sample."""
        plan = self.plan
        first, stop = self.n_windows - len(scores), self.n_windows
        starts = plan.starts(first, stop)
        self.scores = without_invalid(scores, starts, self._invalid, plan.n_window)
        self.times = plan.seconds(np.arange(first, stop))
        self._invalid = self._invalid[self._invalid >= plan.starts(stop, stop + 1)]

    def _refuse_after_the_end(self) -> None:
        if self._ended:
            raise RuntimeError("the stream has ended with finish(); make a new one with stream()")

    def _events(self, peaks: list[Peak]) -> EventTable:
        rows = []
        reach = self.plan.n_window / 2 / self.plan.sample_rate
        for center, word, score in peaks:
            seconds = self.plan.seconds(center)
            bounds = self._levels.bounds(seconds, self.rule.edges[word], reach)
            rows.append((self.recording, self.plan.words[word], *bounds, score))
        return EventTable(rows)


def without_invalid(
    scores: npt.NDArray[Any],
    starts: npt.NDArray[np.intp],
    invalid: npt.NDArray[np.intp],
    n_window: int,
) -> npt.NDArray[Any]:
    """Scores with NaN for the windows that see an invalid sample."""
    if len(invalid) == 0 or len(scores) == 0:
        return scores
    seen = np.searchsorted(invalid, starts + n_window) > np.searchsorted(invalid, starts)
    return np.where(seen[:, np.newaxis], np.nan, scores)
