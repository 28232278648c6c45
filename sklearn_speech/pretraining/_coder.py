"""Encoding and decoding of spectrograms with a fitted autoencoder."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, DTypeLike, NDArray
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.metadata_routing import UNUSED

from ..base._batches import ClipDataset, map_clips
from ..base._inference import LAZY_BLOCK
from ..modules.conv_autoencoder import ConvAutoencoderNet
from ..utils.lazy_clips import LazyClips
from ..utils.scores import reports
from ..utils.tensors import as_tensor
from ..utils.validation import check_spectrograms, is_ragged, make_ragged
from ..utils.values import TOO_LARGE, check_finite
from ._codes import check_codes


class SpectrogramCoder(ClassNamePrefixFeaturesOutMixin, TransformerMixin):
    """Transform spectrograms to codes and back with a fitted :class:`ConvAutoencoderNet`.

    Mixin placed before BaseSpeechNet.
    """

    # codes are the data itself, not metadata to be routed
    __metadata_request__inverse_transform = {"codes": UNUSED}

    @property
    def n_codes_(self) -> int | None:
        """Number of values in the code of a clip; None if clips differ in length."""
        frames = self.module_.sizes(self.module_.n_frames or 1)[-1][1]
        return None if self.module_.n_frames is None else self.module_.code_rows * frames

    @property
    def _n_features_out(self) -> int:
        if self.n_codes_ is None:
            raise ValueError(
                "codes have no feature names, since clips of different lengths were fitted"
            )
        return self.n_codes_

    def _apply(self, X: Any, function: Callable[..., tuple[torch.Tensor, Any]]) -> Any:
        """Apply ``function(network, x, lengths)`` to batches of X, ragged or not."""
        self.check_is_fitted()
        if isinstance(X, LazyClips):
            parts = [self._apply(block, function) for block in X.blocks(LAZY_BLOCK)]
            if isinstance(parts[0], torch.Tensor):
                return torch.cat(parts)
            return [clip for part in parts for clip in part]
        X = check_spectrograms(self, X, reset=False)
        network = self._network(X[0].dtype)
        if is_ragged(X):
            data = ClipDataset([as_tensor(x) for x in X])
        else:
            data = ClipDataset(as_tensor(X))
        out = map_clips(data, lambda x, lengths: function(network, x, lengths), self.device_)
        arrays = [clip.numpy() for clip in out] if isinstance(out, list) else out.numpy()
        check_finite(arrays, "the output of the network", TOO_LARGE)
        return out

    def _network(self, dtype: DTypeLike) -> Any:
        """The network in the precision of its input."""
        network = self.module_.eval()
        return deepcopy(network).double() if dtype == np.float64 else network

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Encode each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
                or 1-D object array or list of (n_bands, n_frames) arrays
            Spectrograms.

        Returns
        -------
        codes : ndarray of shape (n_clips, n_codes), or object ndarray of shape (n_clips,)
            For ragged X, one array of shape (n_filters * n_code_bands, n_code_frames)
            per clip.
        """
        codes = self._apply(X, ConvAutoencoderNet.encode)
        if isinstance(codes, list):
            return make_ragged(code.flatten(0, 1).numpy() for code in codes)
        return codes.flatten(1).numpy()

    def inverse_transform(
        self, codes: ArrayLike, n_frames: ArrayLike | None = None
    ) -> NDArray[Any]:
        """Decode codes to spectrograms.

        Parameters
        ----------
        codes : array-like of shape (n_clips, n_codes), or 1-D object array or list of \
                (n_filters * n_code_bands, n_code_frames) arrays
            As returned by ``transform``.
        n_frames : int or array-like of shape (n_clips,), default=None
            Number of frames of each clip. It cannot be derived from the code, since
            clips of several lengths have codes of the same length. None uses the number
            of frames seen in ``fit`` if it matches the code, otherwise the smallest
            number that does.

        Returns
        -------
        S : ndarray of shape (n_clips, n_bands, n_frames), or object ndarray of shape (n_clips,)
            Spectrograms, ragged if `codes` are or if `n_frames` differ.
        """
        self.check_is_fitted()
        maps, frames, ragged = check_codes(self.module_, codes, n_frames)
        network = self._network(maps[0].numpy().dtype)
        with torch.no_grad():
            S = [
                network.decode(code[None].to(self.device_), n)[0].cpu().numpy()
                for code, n in zip(maps, frames)
            ]
        return make_ragged(S) if ragged or len(set(frames)) > 1 else np.stack(S)

    def reconstruct(self, X: ArrayLike) -> NDArray[Any]:
        """Encode and decode each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
                or 1-D object array or list of (n_bands, n_frames) arrays
            Spectrograms.

        Returns
        -------
        S : ndarray of shape (n_clips, n_bands, n_frames), or object ndarray of shape (n_clips,)
            Spectrograms of the same shapes as X, ragged if X is.
        """
        S = self._apply(X, lambda network, x, lengths: (network(x, lengths), lengths))
        return make_ragged(clip.numpy() for clip in S) if isinstance(S, list) else S.numpy()

    def score_samples(self, X: ArrayLike) -> NDArray[np.floating]:
        """Negative mean squared error of the reconstruction of each clip, on the scale of X.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
                or 1-D object array or list of (n_bands, n_frames) arrays
            Spectrograms.

        Returns
        -------
        scores : ndarray of shape (n_clips,)
            At most 0; higher is better.
        """
        if isinstance(X, LazyClips):
            return np.concatenate([self.score_samples(block) for block in X.blocks(LAZY_BLOCK)])
        rebuilt = self.reconstruct(X)
        X = check_spectrograms(self, X, reset=False)
        return np.array([-np.square(a - b).mean() for a, b in zip(X, rebuilt)])

    @reports("neg_mean_squared_error")
    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Mean of ``score_samples``.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames)
            Spectrograms, as in ``score_samples``.
        y : None
            Ignored.

        Returns
        -------
        score : float
        """
        return float(self.score_samples(X).mean())
