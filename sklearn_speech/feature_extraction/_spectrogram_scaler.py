"""Scaling of spectrograms by what the training clips have in common."""

from collections.abc import Callable
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..utils.clip_transformers import ClipsOutMixin, numbered_names
from ..utils.lazy_clips import LazyClips
from ..utils.rates import rate_of, with_rate
from ..utils.sklearn_private import DocumentedMixin, StrOptions, check_feature_names_in, fit_context
from ..utils.validation import check_spectrograms, is_ragged, make_ragged
from ..utils.values import TOO_LARGE, check_finite

#: Number of values that are scaled together.
_BLOCK = 2**16


class SpectrogramScaler(ClipsOutMixin, TransformerMixin, DocumentedMixin, BaseEstimator):
    """Bring each band to mean 0 and standard deviation 1 over the training clips.

    Unlike the `normalize` of the front ends, which treats every clip by itself,
    this keeps the differences between clips, and takes out what is common to
    all: the tilt of speech, the microphone, the room.

    Parameters
    ----------
    statistics : {"band", "all"}, default="band"
        One mean and standard deviation for each band, or one for all bands.
    with_mean : bool, default=True
        Whether to subtract the mean.
    with_std : bool, default=True
        Whether to divide by the standard deviation.

    Attributes
    ----------
    mean_ : ndarray of shape (n_bands,)
        Mean of each band over all frames of the training clips.
    scale_ : ndarray of shape (n_bands,)
        Standard deviation likewise; 1 where a band never changes.
    n_features_in_ : int
        Number of bands.

    See Also
    --------
    MelSpectrogram : Its `normalize` parameter scales each clip by itself.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech import SpectrogramScaler
    >>> S = np.random.default_rng(0).normal(loc=-5, size=(10, 40, 30))
    >>> scaled = SpectrogramScaler().fit_transform(S)
    >>> bool(np.allclose(scaled.mean(axis=(0, 2)), 0))
    True
    """

    #: Not alone: the statistics come from all training clips together.
    _treats_clips_alone = False

    _parameter_constraints = {
        "statistics": [StrOptions({"band", "all"})],
        "with_mean": ["boolean"],
        "with_std": ["boolean"],
    }

    def __init__(
        self, statistics: str = "band", *, with_mean: bool = True, with_std: bool = True
    ) -> None:
        self.statistics = statistics
        self.with_mean = with_mean
        self.with_std = with_std

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn mean and standard deviation.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
                or 1-D object array or list of (n_bands, n_frames) arrays
            Spectrograms of the training clips. A longer clip counts for more.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted scaler.
        """
        clips = check_spectrograms(self, X, reset=True, lazy=True)
        lengths = (
            clips.lengths() if isinstance(clips, LazyClips) else [clip.shape[1] for clip in clips]
        )
        count = int(sum(lengths))
        # two passes, clip by clip, in float64: exact, and no copy of X
        mean = sum(clip.sum(axis=1, dtype=np.float64) for clip in clips) / count
        if self.statistics == "all":
            mean = np.full_like(mean, mean.mean())
        with np.errstate(over="ignore"):  # refused below
            variance = (
                sum(np.square(clip - mean[:, np.newaxis]).sum(axis=1) for clip in clips) / count
            )
        if self.statistics == "all":
            variance = np.full_like(variance, variance.mean())
        if not np.isfinite(variance).all():
            raise ValueError(f"the variance of X is infinite: {TOO_LARGE}")
        deviation = np.sqrt(variance)
        # rounding of the mean, which grows with the number of frames
        changes = deviation > (10 + count) * np.finfo(np.float64).eps * np.abs(mean)
        self.mean_ = mean
        self.scale_ = np.where(changes, deviation, 1.0)
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Scale spectrograms.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
                or 1-D object array or list of (n_bands, n_frames) arrays
            Spectrograms.

        Returns
        -------
        scaled : ndarray of shape (n_clips, n_bands, n_frames), or object ndarray of \
                shape (n_clips,)
            Scaled spectrograms, ragged where X is.
        """
        shift, scale = self._statistics()
        if isinstance(X, LazyClips):
            return X.then(self)
        return self._each(X, lambda clip: (clip - shift) / scale)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the bands, which are the rows of each clip.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the bands of X; None is those seen in ``fit``, or band0, band1, ...

        Returns
        -------
        names : ndarray of shape (n_bands,) of str
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features, generate_names=False)
        return numbered_names("band", self.n_features_in_) if names is None else names

    def inverse_transform(self, X: ArrayLike) -> NDArray[Any]:
        """Undo the scaling.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
                or 1-D object array or list of (n_bands, n_frames) arrays
            Scaled spectrograms.

        Returns
        -------
        spectrograms : ndarray of shape (n_clips, n_bands, n_frames), or object ndarray of \
                shape (n_clips,)
            Spectrograms on the scale of the training clips, ragged where X is.
        """
        shift, scale = self._statistics()
        return self._each(X, lambda clip: clip * scale + shift)

    def _statistics(self) -> tuple[np.ndarray, np.ndarray]:
        check_is_fitted(self)
        shift = self.mean_[:, np.newaxis] if self.with_mean else np.zeros((1, 1))
        scale = self.scale_[:, np.newaxis] if self.with_std else np.ones((1, 1))
        return shift, scale

    def _each(self, X: ArrayLike, function: Callable[[np.ndarray], np.ndarray]) -> NDArray[Any]:
        sample_rate = rate_of(X)
        X = check_spectrograms(self, X, reset=False)
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            if is_ragged(X):
                scaled = make_ragged(function(clip).astype(clip.dtype) for clip in X)
            else:
                scaled = np.empty_like(X, subok=False)
                # a block in float64, which fits into the cache, and not all clips
                n_clips = max(1, _BLOCK // max(1, X[:1].size))
                for start in range(0, len(X), n_clips):
                    scaled[start : start + n_clips] = function(X[start : start + n_clips])
        check_finite(scaled, f"the result of {type(self).__name__}", TOO_LARGE)
        return with_rate(scaled, sample_rate)
