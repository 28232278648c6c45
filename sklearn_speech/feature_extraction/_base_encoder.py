"""What transformers that run an encoder share."""

from collections.abc import Hashable
from functools import lru_cache
from numbers import Number
from pathlib import PurePath
from types import NoneType
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..modules.clipwise_encoder import ClipwiseEncoder
from ..modules.embedding_front_end import EmbeddingFrontEnd
from ..modules.speech_embedding import SpeechEmbeddingNet
from ..utils.clip_transformers import ClipsOutMixin
from ..utils.device import resolve_device
from ..utils.lazy_clips import LazyClips
from ..utils.random import WithoutInitialWeights
from ..utils.rates import rate_of, with_rate
from ..utils.sklearn_private import DocumentedMixin
from ..utils.validation import check_waveforms, is_ragged
from ..utils.values import TOO_LOUD, check_finite
from ._embedding_batches import embed

#: Front ends kept at a time, of up to 30 MB each.
_N_KEPT = 8
#: Types of parameters that cannot change in place.
_PLAIN = (str, bytes, Number, np.generic, NoneType, PurePath, torch.device)


class BaseEncoder(ClipsOutMixin, TransformerMixin, DocumentedMixin, BaseEstimator):
    """Waveforms to the vectors of an encoder, clip by clip.

    Subclasses have the parameters ``sample_rate`` and ``device``, and implement ``_make_encoder``.
    """

    #: See :class:`MelSpectrogram`.
    _treats_clips_alone = True

    #: What to do where the result is not finite.
    _advice = TOO_LOUD

    #: Whether clips get half a window of silence at both ends.
    center: bool = False

    sample_rate: float
    device: str | torch.device

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Compute the features of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or 1-D object array or list of 1-D arrays
            Waveforms, amplitude in [-1, 1].

        Returns
        -------
        S : ndarray of shape (n_clips, n_bands, n_frames), or object ndarray of shape (n_clips,)
            Features; ragged where X is, one array of shape (n_bands, n_frames) a clip.
        """
        check_is_fitted(self)
        if isinstance(X, LazyClips):
            return X.then(self)
        clip_rate = rate_of(X)
        X = check_waveforms(self, X, reset=False)
        dtype = (X[0] if is_ragged(X) else X).dtype
        device = resolve_device(self.device)
        precision = torch.float64 if dtype == np.float64 else torch.float32
        S = embed(self._shared_front_end(precision, device), X, dtype, device)
        check_finite(S, f"the result of {type(self).__name__}", self._advice)
        return with_rate(S, clip_rate)

    def _make_encoder(self, dtype: torch.dtype) -> ClipwiseEncoder | SpeechEmbeddingNet:
        raise NotImplementedError

    def _front_end(
        self, dtype: torch.dtype = torch.float32, trained: bool | int = False
    ) -> EmbeddingFrontEnd:
        """The module that the parameters describe, on the CPU."""
        if self.sample_rate != int(self.sample_rate):
            raise ValueError(f"sample_rate={self.sample_rate!r}: expected a whole number of Hz")
        encoder = self._make_encoder(dtype)
        return EmbeddingFrontEnd(
            encoder, int(self.sample_rate), center=self.center, trained=trained, dtype=dtype
        )

    def _state(self) -> Hashable:
        """What the front end depends on besides the parameters."""
        return None

    def _shared_front_end(
        self, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu"
    ) -> EmbeddingFrontEnd:
        """Front end in evaluation mode, which transformers with the same parameters share.

        Building it takes longer than computing one short clip. It must not be changed.
        """
        items = tuple(
            # 1, 1.0 and True are equal as keys, but not as parameters
            (name, value, type(value))
            for name, value in self.get_params(deep=False).items()
        )
        if not all(issubclass(kind, _PLAIN) for _, _, kind in items):
            return _built(self, dtype, device)  # the weights of a module may have changed
        kind: Any = type(self)
        return _kept(kind, items, self._state(), dtype, device)


def _built(encoder: BaseEncoder, dtype: torch.dtype, device: Any) -> EmbeddingFrontEnd:
    with WithoutInitialWeights():
        return encoder._front_end(dtype).to(device).eval()


@lru_cache(maxsize=_N_KEPT)
def _kept(
    kind: Any,
    items: tuple[tuple[str, Any, type], ...],
    state: Hashable,
    dtype: torch.dtype,
    device: Any,
) -> EmbeddingFrontEnd:
    parameters = {name: value for name, value, _ in items}
    return _built(kind(**parameters), dtype, device)
