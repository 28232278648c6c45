"""Padding and trimming of clips to one length."""

import math
from numbers import Integral, Real
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from ..utils.validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    check_spectrograms,
    check_waveforms,
    fit_context,
    is_ragged,
)


class PadOrTrim(TransformerMixin, BaseEstimator):
    """Pad or trim waveforms or spectrograms to one length.

    Lengths are in samples for waveforms (2-D, or ragged 1-D clips) and in frames for
    spectrograms (3-D, or ragged 2-D clips). If neither `n_times` nor `quantile` is set,
    the length is that of the longest training clip.

    Parameters
    ----------
    n_times : int or None, default=None
        Length in samples or frames.
    quantile : float in [0, 1] or None, default=None
        Use this quantile of the lengths of the training clips, rounded up. At most one
        of `n_times` and `quantile` may be set.
    align : {"start", "center"}, default="start"
        "start" keeps the beginning of long clips and pads short clips at the end;
        "center" keeps the middle of long clips and pads short clips on both sides (at
        the end by one more if the number is odd).
    pad_value : float or "min", default=0.0
        Value of the padding. 0 is silence in a waveform and in a power spectrogram, but
        may be a high level in a log-mel spectrogram. "min", for spectrograms only, pads
        with the minimum of the clip.

    Attributes
    ----------
    n_times_ : int
        Length of all output clips, in samples or frames.
    n_features_in_ : int
        Number of samples of 2-D waveforms, or of bands of spectrograms; absent when
        fitted on ragged waveforms.

    See Also
    --------
    AudioReader : Reads sound files as ragged waveforms.

    Examples
    --------
    >>> import numpy as np
    >>> clips = [np.ones(2), np.ones(3), np.ones(5)]
    >>> PadOrTrim(n_times=4).fit_transform(clips)
    array([[1., 1., 0., 0.],
           [1., 1., 1., 0.],
           [1., 1., 1., 1.]])
    >>> PadOrTrim(quantile=0.5).fit(clips).n_times_
    3
    """

    _parameter_constraints = {
        "n_times": [Interval(Integral, 1, None, closed="left"), None],
        "quantile": [Interval(Real, 0, 1, closed="both"), None],
        "align": [StrOptions({"start", "center"})],
        "pad_value": [Interval(Real, None, None, closed="neither"), StrOptions({"min"})],
    }

    @property
    def _treats_clips_alone(self):
        # without n_times, the length depends on the training clips
        return self.n_times is not None

    def __init__(
        self,
        n_times: int | None = None,
        quantile: float | None = None,
        *,
        align: Literal["start", "center"] = "start",
        pad_value: float | Literal["min"] = 0.0,
    ):
        self.n_times = n_times
        self.quantile = quantile
        self.align = align
        self.pad_value = pad_value

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> "PadOrTrim":
        """Determine the length.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times) or (n_clips, n_bands, n_frames), \
                or 1-D object array or list of (n_times,) or of (n_bands, n_frames) arrays
            Waveforms or spectrograms.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : PadOrTrim

        Raises
        ------
        ValueError
            When both `n_times` and `quantile` are set, or when ``pad_value="min"`` and X
            contains waveforms.
        """
        if self.n_times is not None and self.quantile is not None:
            raise ValueError(
                f"n_times={self.n_times} and quantile={self.quantile} are both given: "
                "set one of them to None"
            )
        role = _role(X)
        if self.pad_value == "min" and role == "waveforms":
            raise ValueError(
                "pad_value='min' is for spectrograms, but X contains waveforms; use pad_value=0.0"
            )
        clips = _CHECKS[role](self, X, reset=True)
        self._role = role
        if self.n_times is not None:
            self.n_times_ = int(self.n_times)
            return self
        lengths = [clip.shape[-1] for clip in clips]
        quantile = 1.0 if self.quantile is None else self.quantile
        # interpolation may return 45.00000000000001 instead of 45
        self.n_times_ = math.ceil(round(float(np.quantile(lengths, quantile)), 6))
        return self

    def transform(self, X: ArrayLike) -> NDArray:
        """Pad or trim each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times) or (n_clips, n_bands, n_frames), \
                or 1-D object array or list of (n_times,) or of (n_bands, n_frames) arrays
            Waveforms or spectrograms, as in ``fit``.

        Returns
        -------
        X : ndarray of shape (n_clips, n_times_) or (n_clips, n_bands, n_times_)
            float64 if X is, otherwise float32.

        Raises
        ------
        ValueError
            When X contains spectrograms and ``fit`` was given waveforms, or vice versa.
        """
        check_is_fitted(self)
        role = _role(X)
        if role != self._role:
            raise ValueError(
                f"X contains {role}, but {type(self).__name__} was fitted with {self._role} "
                "(2-D, or ragged 1-D clips, are waveforms; 3-D, or ragged 2-D clips, spectrograms)"
            )
        clips = _CHECKS[role](self, X, reset=False)
        n_times = self.n_times_
        out = np.empty((len(clips), *clips[0].shape[:-1], n_times), dtype=clips[0].dtype)
        for padded, clip in zip(out, clips, strict=True):
            excess = clip.shape[-1] - n_times
            offset = abs(excess) // 2 if self.align == "center" else 0
            if excess >= 0:
                padded[...] = clip[..., offset : offset + n_times]
            else:
                padded[...] = clip.min() if self.pad_value == "min" else self.pad_value
                padded[..., offset : offset + clip.shape[-1]] = clip
        return out

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


_CHECKS = {"waveforms": check_waveforms, "spectrograms": check_spectrograms}


def _role(X):
    """Whether X contains waveforms or spectrograms."""
    if is_ragged(X):
        first = X.iloc[0] if hasattr(X, "iloc") else X[0]
        return "spectrograms" if _ndim(first) == 2 else "waveforms"
    return "spectrograms" if _ndim(X) == 3 else "waveforms"


def _ndim(X):
    if hasattr(X, "ndim"):
        return X.ndim
    try:
        return np.asarray(X).ndim
    except ValueError:  # nested lists of unequal lengths, which the input check reports
        return None
