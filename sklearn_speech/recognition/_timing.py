"""Start and end times of the phones of a known sequence."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base._batches import ClipDataset, map_clips
from ..base._mixin import Mixin
from ..modules.front_end_net import FrontEndNet
from ..modules.phoneme_net import frames_per_output
from ..utils.validation import make_ragged
from ._alignment import forced_alignment, phone_bounds
from ._segment_model import SegmentModel, cepstra
from ._targets import codes_of, steps_of


class TimingMixin(Mixin):
    """Phone times for a recogniser: fitting of the segment model, and forced alignment."""

    def _fit_segments(self, data: ClipDataset) -> None:
        sequences = codes_of(data.targets)
        stride = frames_per_output(self.encoder, self.time_stride)
        peaks = []
        for log_probs, codes in zip(self._infer_clips(data), sequences):
            path, _ = forced_alignment(log_probs, codes)
            frames = [np.flatnonzero(path == i) for i in range(len(codes))]
            peaks.append(np.array([stride * int(f.mean()) for f in frames], dtype=int))
        model = SegmentModel(len(self.phones_), frame_period=self._frame_times()[0])
        self.segment_model_ = model.fit(self._spectrograms(data), sequences, peaks)

    def _spectrograms(self, data: ClipDataset) -> list[NDArray[np.floating]]:
        """Input spectrogram of each clip, an ndarray of shape (n_bands, n_frames)."""
        if not isinstance(self.module_, FrontEndNet):
            return [x.numpy() for x in data.X]
        return [x.numpy() for x in map_clips(data, self.module_.features, self.device_)]

    def align(self, X: ArrayLike, y: Any) -> NDArray[np.object_]:
        """Find when each phone of a known sequence starts and ends.

        Parameters
        ----------
        X : array-like, one array of shape (n_times,) or (n_bands, n_frames) per clip
            As in ``fit``.
        y : list or 1-D object array of sequences of str, of shape (n_clips,)
            The phones of each clip.

        Returns
        -------
        segments : ndarray of shape (n_clips,), dtype object
            For each clip, a list of (start, end, phone), times in seconds. Silence at
            the ends of a clip, and pauses of 50 ms or more between phones, are left out.

        Raises
        ------
        ValueError
            When a clip has fewer frames than its phones need, or a phone was not
            seen in ``fit``.

        Notes
        -----
        Without ``segment_model=True``, the times are those of the network's highest
        posteriors, which may lie anywhere near the phone: CTC trains the network on the
        order of the phones, not on their times.
        """
        self.check_is_fitted()
        data = self.get_dataset(X, y)
        sequences = codes_of(data.targets)
        model = getattr(self, "segment_model_", None)
        if model is None:
            stride = frames_per_output(self.encoder, self.time_stride)
            paths = [
                forced_alignment(log_probs, codes)[0]
                for log_probs, codes in zip(self._infer_clips(data), sequences)
            ]
        else:
            stride = 1
            paths = [
                model.align(cepstra(spectrogram), codes)
                for spectrogram, codes in zip(self._spectrograms(data), sequences)
            ]
        period, first, steps_per_second = self._frame_times()
        names, segments = self.phones_.tolist(), []
        for path, codes, n_steps in zip(paths, sequences, steps_of(data).tolist()):
            duration = n_steps / steps_per_second
            bounds = phone_bounds(path, len(codes), stride * period, first, duration)
            segments.append(
                [(start, end, names[c - 1]) for (start, end), c in zip(bounds.tolist(), codes)]
            )
        return make_ragged(segments)

    def _frame_times(self) -> tuple[float, float, float]:
        """Seconds between input frames, centre of the first, input samples or frames per second."""
        if not isinstance(self.module_, FrontEndNet):
            return self.frame_period, self.frame_period / 2, 1 / self.frame_period
        front_end = self.module_.front_end
        return *front_end.frame_times(), front_end.sample_rate
