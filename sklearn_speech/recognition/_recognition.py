"""Inference of a recogniser: posteriors of frames, phones of clips, and their score."""

from collections.abc import Iterable
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ..base._inference import LAZY_BLOCK
from ..base._mixin import Mixin
from ..metrics import phone_error_rate
from ..utils.lazy_clips import LazyClips
from ..utils.scores import reports
from ..utils.validation import make_ragged
from ..utils.values import TOO_LARGE, check_finite
from ._decoding import beam_decode, greedy_decode
from ._targets import steps_of


class RecognitionMixin(Mixin):
    """Posteriors and phone sequences of a fitted recogniser."""

    def _infer_clips(self, X: Any) -> list[NDArray[np.float32]]:
        """Log posteriors of each clip."""
        self.check_is_fitted()
        if isinstance(X, LazyClips):
            return [out for block in X.blocks(LAZY_BLOCK) for out in self._infer_clips(block)]
        data = self.get_dataset(X)
        n_steps = steps_of(data)
        n_frames = self._out_frames(n_steps).tolist()
        # batches of clips of similar length need little padding
        order = torch.argsort(n_steps, stable=True)
        outputs: list[Any] = [None] * len(data)
        done = 0
        for batch in self.forward_iter(data.subset(order)):
            for row in batch.float().log_softmax(2).numpy():
                i = int(order[done])
                outputs[i], done = row[: n_frames[i]], done + 1
        check_finite(outputs, "the output of the network", TOO_LARGE)
        return outputs

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.object_]:
        """Log posterior of blank and of each phone, for each frame.

        Parameters
        ----------
        X : array-like, one array of shape (n_times,) or (n_bands, n_frames) per clip
            As in ``fit``.

        Returns
        -------
        log_posteriors : ndarray of shape (n_clips,), dtype object
            For each clip, a float32 array of shape (n_out_frames, n_phones + 1): blank,
            then the phones in the order of ``phones_``.
        """
        return make_ragged(self._infer_clips(X))

    @property
    def predict_proba(self) -> NoReturn:
        """Not available: the network has posteriors of frames, not of clips."""
        raise AttributeError(
            f"{type(self).__name__} has no predict_proba; predict_log_proba gives the posteriors "
            "of each frame"
        )

    def predict(self, X: ArrayLike) -> NDArray[np.object_]:
        """Recognise the phones of each clip.

        Parameters
        ----------
        X : array-like, one array of shape (n_times,) or (n_bands, n_frames) per clip
            As in ``fit``.

        Returns
        -------
        phones : ndarray of shape (n_clips,), dtype object
            For each clip, a list of str.
        """
        posteriors = self._infer_clips(X)
        if self.decoder == "greedy":
            decoded: Iterable[list[int]] = map(greedy_decode, posteriors)
        else:
            model = getattr(self, "language_model_", None) if self.language_model else None
            decoded = (
                beam_decode(
                    row, self.beam_width, model, self.language_model_weight, self.insertion_bonus
                )
                for row in posteriors
            )
        names = self.phones_.tolist()
        return make_ragged([names[code - 1] for code in codes] for codes in decoded)

    @reports("1 - phone error rate")
    def score(self, X: ArrayLike, y: Any, sample_weight: ArrayLike | None = None) -> float:
        """One minus the phone error rate over all clips together.

        Parameters
        ----------
        X : array-like, one array of shape (n_times,) or (n_bands, n_frames) per clip
            As in ``fit``.
        y : list or 1-D object array of sequences of str, of shape (n_clips,)
            True phones; phones that were not in the training clips count as errors.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip's errors and phones.

        Returns
        -------
        score : float
            1 is perfect; negative when there are more errors than true phones.
        """
        return 1.0 - phone_error_rate(y, self.predict(X), sample_weight=sample_weight)
