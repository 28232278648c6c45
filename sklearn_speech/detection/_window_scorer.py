"""Scores of consecutive windows of a recording that comes in pieces."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from sklearn.pipeline import Pipeline

from ..audio import AudioReader, PadOrTrim
from ..feature_extraction._base import BaseSpectralTransformer
from ..modules.front_end import FrontEnd
from ..store import ClipStore
from ..utils.parts import unwrapped

#: Windows that are scored at a time: their features fit into a few megabytes.
MAX_BATCH = 256

#: Samples in the frames whose energies are computed at a time; they fit the cache of a CPU.
_FRAME_SAMPLES = 2**19


def fitted_steps(estimator: Any) -> list[tuple[str, Any]]:
    """Steps of an estimator without wrappers, without steps that do nothing.

    Parameters
    ----------
    estimator : estimator instance
        A frozen estimator and a fitted search stand for what they hold.

    Returns
    -------
    steps : list of (str, estimator)
        One step where it is no pipeline.
    """
    estimator = unwrapped(estimator)
    if not isinstance(estimator, Pipeline):
        return [("classifier", estimator)]
    # a window needs no store
    idle = (type(None), str, ClipStore)
    return [(name, step) for name, step in estimator.steps if not isinstance(step, idle)]


def split_steps(estimator: Any) -> tuple[AudioReader | None, list[tuple[str, Any]]]:
    """The reader of files that a pipeline begins with, or None, and the other steps."""
    steps = fitted_steps(estimator)
    if isinstance(steps[0][1], AudioReader):
        return steps[0][1], steps[1:]
    return None, steps


def shared_front_end(
    steps: list[tuple[str, Any]], n_window: int
) -> tuple[FrontEnd | None, list[tuple[str, Any]]]:
    """A front end whose frames may be computed once for overlapping windows.

    Parameters
    ----------
    steps : list of (str, estimator)
        Fitted steps of a pipeline that takes waveforms.
    n_window : int
        Samples of a window.

    Returns
    -------
    front_end : FrontEnd or None
        None where the first steps are others, where frames are dropped, or where no frame
        lies within a window.
    rest : list of (str, estimator)
        The steps after it; all steps where there is none.
    """
    for i, (_, step) in enumerate(steps[:-1]):
        if isinstance(step, PadOrTrim) and step.n_times_ == n_window:
            continue  # windows have this length already
        if not isinstance(step, BaseSpectralTransformer) or step.zero_frames == "drop":
            break
        if getattr(step, "n_features_in_", n_window) != n_window:
            break  # transform refuses such windows, and says why
        front_end, _ = step._shared_front_end(torch.float32)
        first, stop = _inner_frames(front_end, n_window)
        if first >= stop:
            break
        return front_end, steps[i + 1 :]
    return None, steps


def _inner_frames(front_end: FrontEnd, n_window: int) -> tuple[int, int]:
    """First and one after the last of the frames that see no sample outside of a window."""
    framing = front_end.framing
    hop = framing.hop_length
    # pre-emphasis looks at one sample before the frame
    begin = 1 if framing.preemphasis else 0
    first = max(0, math.ceil((begin - framing.first_sample) / hop))
    stop = 1 + (n_window - framing.win_length - framing.first_sample) // hop
    return first, min(int(stop), int(framing.n_frames(n_window)))


class WindowScorer:
    """Class probabilities of the windows of one recording, as its samples come in.

    The frames of a front end that lie within a window are computed once, whatever number of
    windows they belong to; those at its edges, which see padding, once a window. Scaling
    looks at each window alone. The numbers are those of the pipeline, to rounding. The
    recording is mirrored at both ends, by half a window, so that windows have their middles in
    all of it and hear its own background there.

    Parameters
    ----------
    steps : list of (str, estimator)
        Fitted steps of a pipeline that takes waveforms; the last has ``predict_proba``.
    n_window : int
        Samples of a window.
    n_step : int
        Samples from one window to the next.

    Attributes
    ----------
    n_windows : int
        Windows scored so far.
    """

    def __init__(self, steps: list[tuple[str, Any]], n_window: int, n_step: int) -> None:
        self.n_window = n_window
        self.n_step = n_step
        self.n_windows = 0
        self.front_end, rest = shared_front_end(steps, n_window)
        if self.front_end is not None and n_step % self.front_end.hop_length:
            self.front_end, rest = None, steps
        self._classifier: Any = Pipeline(rest) if len(rest) > 1 else rest[0][1]
        self._samples = np.zeros(0, dtype=np.float32)
        self._latest = self._samples
        self._has_begun = False
        if self.front_end is not None:
            self._first, self._stop = _inner_frames(self.front_end, n_window)
            self._blocks = self.front_end.blocks()
            #: energies of frames from number `_first` on, counted from the next window's start
            self._energies = torch.zeros(0, self._n_energies())

    def push(self, samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Score the windows that the next samples complete.

        Parameters
        ----------
        samples : ndarray of shape (n_samples,)
            In float32.

        Returns
        -------
        scores : ndarray of shape (n_windows, n_classes)
        """
        half = self.n_window // 2
        self._latest = np.concatenate([self._latest, samples])[-half - 1 :]
        return self._push(samples) if self._has_begun else self._begin(samples)

    def _begin(self, samples: npt.NDArray[Any], last: bool = False) -> npt.NDArray[Any]:
        """Wait for half a window, and put its mirror image before the recording."""
        half = self.n_window // 2
        self._samples = np.concatenate([self._samples, samples])
        if len(self._samples) <= half and not last:
            return self._no_scores()
        self._has_begun = True
        mirrored = np.pad(self._samples[: half + 1], (half, 0), mode="reflect")[:half]
        samples, self._samples = self._samples, mirrored
        return self._push(samples)

    def _push(self, samples: npt.NDArray[Any]) -> npt.NDArray[Any]:
        self._samples = np.concatenate([self._samples, samples])
        scores = []
        while (n_windows := self._n_ready()) > 0:
            scores.append(self._score(n_windows))
            self._samples = self._samples[n_windows * self.n_step :]
            self.n_windows += n_windows
        # a view would keep all samples alive
        self._samples = self._samples.copy()
        return np.concatenate(scores) if scores else self._no_scores()

    def _no_scores(self) -> npt.NDArray[Any]:
        return np.zeros((0, len(self._classifier.classes_)), dtype=np.float32)

    def finish(self) -> npt.NDArray[Any]:
        """Score the windows that reach beyond the end of the recording.

        Returns
        -------
        scores : ndarray of shape (n_windows, n_classes)
        """
        half = self.n_window // 2
        waiting = [] if self._has_begun else [self._begin(self._samples[:0], last=True)]
        mirrored = np.pad(self._latest, (0, half), mode="reflect")[len(self._latest) :]
        return np.concatenate([*waiting, self._push(mirrored)])

    def _n_ready(self) -> int:
        spare = len(self._samples) - self.n_window
        return 0 if spare < 0 else min(1 + spare // self.n_step, MAX_BATCH)

    def _score(self, n_windows: int) -> npt.NDArray[Any]:
        used = self._samples[: (n_windows - 1) * self.n_step + self.n_window]
        if self.front_end is None:
            windows = np.lib.stride_tricks.sliding_window_view(used, self.n_window)
            features = np.ascontiguousarray(windows[:: self.n_step])
        else:
            features = self._features(torch.from_numpy(used), n_windows)
        return np.asarray(self._classifier.predict_proba(features))

    @torch.inference_mode()
    def _features(self, samples: torch.Tensor, n_windows: int) -> npt.NDArray[Any]:
        front_end: Any = self.front_end
        framing = front_end.framing
        samples = samples.to(front_end.stft.window.device)
        n_inner, shift = self._stop - self._first, self.n_step // front_end.hop_length
        needed = (n_windows - 1) * shift + n_inner
        energies = [self._energies.to(samples.device)]
        budget = max(1, _FRAME_SAMPLES // framing.win_length)
        for start in range(len(self._energies), needed, budget):
            stop = min(start + budget, needed)
            frames = framing(
                samples[np.newaxis], first=self._first + start, stop=self._first + stop
            )
            energies.append(front_end.energies(frames, self._blocks)[0])
        inner = torch.cat(energies)
        self._energies = inner[n_windows * shift :].clone()
        parts = [inner[:needed].unfold(0, n_inner, shift).transpose(1, 2)]
        windows = samples.unfold(0, self.n_window, self.n_step)
        n_frames = framing.n_frames(self.n_window)
        if self._first > 0:
            edge = framing(windows, first=0, stop=self._first)
            parts.insert(0, front_end.energies(edge, self._blocks))
        if self._stop < n_frames:
            edge = framing(windows, first=self._stop, stop=n_frames)
            parts.append(front_end.energies(edge, self._blocks))
        features, _ = front_end.scale(torch.cat(parts, dim=1))
        return features.transpose(1, 2).contiguous().cpu().numpy()

    def _n_energies(self) -> int:
        """Bands before a cepstrum."""
        front_end: Any = self.front_end
        if front_end.bank is None:
            return front_end.stft.n_bins
        return front_end._weights().shape[0]
