"""Clips of any length to clips of one length."""

import math
import warnings
from copy import copy
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..utils.clip_transformers import ClipsOutMixin, numbered_names
from ..utils.lazy_clips import LazyClips, sample_of
from ..utils.rates import rate_of, with_rate
from ..utils.sklearn_private import (
    DocumentedMixin,
    Interval,
    StrOptions,
    check_feature_names_in,
    fit_context,
)
from ..utils.validation import check_spectrograms, check_waveforms, is_ragged
from ..utils.values import MAX_SAMPLES

#: Share of the clips that `n_times` should leave whole, and of the sound that it should keep;
#: less of both draws a warning.
KEPT = 0.95

#: A clip this many times longer than any seen in fit draws a warning.
MUCH_LONGER = 5


class PadOrTrim(ClipsOutMixin, TransformerMixin, DocumentedMixin, BaseEstimator):
    """Bring waveforms, or spectrograms, to one length.

    Lengths are samples for waveforms (2-D, or ragged 1-D clips) and frames for
    spectrograms (3-D, or ragged 2-D clips). With neither `n_times` nor
    `quantile` the length is that of the longest training clip.

    Parameters
    ----------
    n_times : int or None, default=None
        Length in samples or frames, at most 2**28.
    quantile : float in [0, 1] or None, default=None
        Learn the length: this quantile of the training clips' lengths, rounded
        up. At most one of `n_times` and `quantile` may be given.
    align : {"start", "center"}, default="start"
        "start" keeps the beginning of a long clip and pads after a short one;
        "center" keeps the middle and pads on both sides (the odd element goes
        after).
    pad_value : float or "min", default=0.0
        Value of the padding. 0 is silence in a waveform and in a power spectrogram, but not
        in a log-mel spectrogram, where it may be loud: "min", for spectrograms only, pads
        with the clip's own minimum.

    Attributes
    ----------
    n_times_ : int
        Length of every output, in samples or frames.
    longest_ : int
        Length of the longest training clip, in samples or frames.
    n_features_in_ : int
        Samples of 2-D waveforms, bands of spectrograms; absent when fitted on
        ragged waveforms.

    See Also
    --------
    AudioReader : Reads sound files as ragged waveforms.

    Examples
    --------
    >>> import numpy as np
    >>> clips = [np.ones(2), np.ones(3), np.ones(4)]
    >>> PadOrTrim(n_times=4).fit_transform(clips)
    array([[1., 1., 0., 0.],
           [1., 1., 1., 0.],
           [1., 1., 1., 1.]])
    >>> PadOrTrim(quantile=0.5).fit(clips).n_times_
    3
    """

    _parameter_constraints = {
        "n_times": [Interval(Integral, 1, MAX_SAMPLES, closed="both"), None],
        "quantile": [Interval(Real, 0, 1, closed="both"), None],
        "align": [StrOptions({"start", "center"})],
        "pad_value": [Interval(Real, None, None, closed="neither"), StrOptions({"min"})],
    }

    _gives = "clips"

    @property
    def _treats_clips_alone(self) -> bool:
        # without n_times, the length is learned from the training clips
        return self.n_times is not None

    def __init__(
        self,
        n_times: int | None = None,
        quantile: float | None = None,
        *,
        align: str = "start",
        pad_value: float | str = 0.0,
    ) -> None:
        self.n_times = n_times
        self.quantile = quantile
        self.align = align
        self.pad_value = pad_value

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: object = None) -> Self:
        """Learn the length.

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
            When both `n_times` and `quantile` are given, or ``pad_value="min"``
            meets waveforms.

        Warns
        -----
        UserWarning
            When `n_times` cuts more than 5 % of the clips, and loses more than 5 % of the sound.
        """
        if self.n_times is not None and self.quantile is not None:
            raise ValueError(
                f"n_times={self.n_times} and quantile={self.quantile} are both given: "
                "set one of them to None"
            )
        learned_from, X = X, sample_of(X)
        role = _role(X)
        if self.pad_value == "min" and role == "waveforms":
            raise ValueError(
                "pad_value='min' is for spectrograms, but X contains waveforms; use pad_value=0.0"
            )
        X = _CHECKS[role](self, X, reset=True)
        self._role = role
        if isinstance(learned_from, LazyClips) and self.n_times is None:
            lengths = learned_from.lengths()
        else:
            lengths = np.array([clip.shape[-1] for clip in X])
        self.longest_ = int(lengths.max())
        if self.n_times is not None:
            self.n_times_ = int(self.n_times)
            self._warn_of_loss(lengths)
            return self
        self.n_times_ = _quantile(lengths, 1.0 if self.quantile is None else self.quantile)
        return self

    def _warn_of_loss(self, lengths: np.ndarray) -> None:
        is_cut = lengths > self.n_times_
        lost = np.maximum(lengths - self.n_times_, 0).sum() / lengths.sum()
        if min(is_cut.mean(), lost) <= 1 - KEPT:
            return
        unit = "samples" if self._role == "waveforms" else "frames"
        warnings.warn(
            f"n_times={self.n_times_} cuts {is_cut.mean():.0%} of the clips, which loses "
            f"{lost:.0%} of their {unit}; n_times={_quantile(lengths, KEPT)} would leave "
            f"{KEPT:.0%} of the clips whole, and quantile={KEPT} learns that",
            UserWarning,
            stacklevel=3,
        )

    def transform(self, X: Any) -> NDArray[Any]:
        """Pad and trim.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times) or (n_clips, n_bands, n_frames), \
                or 1-D object array or list of (n_times,) or of (n_bands, n_frames) arrays
            Waveforms or spectrograms, as in ``fit``.

        Returns
        -------
        X : ndarray of shape (n_clips, n_times) or (n_clips, n_bands, n_times)
            In float32, or float64 where that came in.

        Raises
        ------
        ValueError
            When X holds spectrograms and ``fit`` saw waveforms, or the other way
            round.

        Warns
        -----
        UserWarning
            When a clip is more than five times as long as any that ``fit`` saw.
        """
        if "n_times_" not in vars(self):
            check_is_fitted(self)
        if isinstance(X, LazyClips):
            return X.then(self)
        role = _role(X)
        if role != self._role:
            raise ValueError(
                f"X contains {role}, but {type(self).__name__} was fitted with {self._role} "
                "(2-D, or ragged 1-D clips, are waveforms; 3-D, or ragged 2-D clips, spectrograms)"
            )
        sample_rate = rate_of(X)
        X = _CHECKS[role](self, X, reset=False)
        n_times = self.n_times_
        self._warn_of_recordings([clip.shape[-1] for clip in X])
        out = np.empty((len(X), *X[0].shape[:-1], n_times), dtype=X[0].dtype)
        for padded, clip in zip(out, X, strict=True):
            excess = clip.shape[-1] - n_times
            offset = abs(excess) // 2 if self.align == "center" else 0
            if excess >= 0:
                padded[...] = clip[..., offset : offset + n_times]
            else:
                padded[...] = clip.min() if self.pad_value == "min" else self.pad_value
                padded[..., offset : offset + clip.shape[-1]] = clip
        return with_rate(out, sample_rate)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Names of the samples of waveforms, or of the bands of spectrograms.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the bands of spectrograms; None is those seen in ``fit``, or band0, ...

        Returns
        -------
        names : ndarray of shape (n_times,) or (n_bands,) of str
        """
        check_is_fitted(self)
        names = check_feature_names_in(self, input_features, generate_names=False)
        if self._role == "waveforms":
            return numbered_names("sample", self.n_times_)
        return numbered_names("band", self.n_features_in_) if names is None else names

    def _fixed(self) -> "PadOrTrim":
        """A copy that has the learned length as a parameter, so that it treats clips alone."""
        fixed = copy(self)
        fixed.n_times, fixed.quantile = self.n_times_, None
        return fixed

    def _warn_of_recordings(self, lengths: list[int]) -> None:
        """Warn if only the beginning of a long recording is kept."""
        i = int(np.argmax(lengths))
        usual = max(self.n_times_, self.longest_)
        if lengths[i] > MUCH_LONGER * usual:
            unit = "samples" if self._role == "waveforms" else "frames"
            warnings.warn(
                f"clip {i} of X has {lengths[i]} {unit}, but no clip seen in fit had more than "
                f"{self.longest_}; only {self.n_times_} {unit} are kept. Cut a long recording into "
                "clips of the usual length first, for instance with AudioSegment",
                UserWarning,
                stacklevel=3,
            )

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def _quantile(lengths: np.ndarray, quantile: float) -> int:
    # interpolation leaves 45.00000000000001 where 45 is meant
    return math.ceil(round(float(np.quantile(lengths, quantile)), 6))


_CHECKS = {"waveforms": check_waveforms, "spectrograms": check_spectrograms}


def _role(X: Any) -> str:
    """Whether X is to be read as waveforms or as spectrograms."""
    if is_ragged(X):
        first = X.iloc[0] if hasattr(X, "iloc") else X[0]
        return "spectrograms" if _ndim(first) == 2 else "waveforms"
    return "spectrograms" if _ndim(X) == 3 else "waveforms"


def _ndim(X: Any) -> int | None:
    if hasattr(X, "ndim"):
        return X.ndim
    try:
        return np.asarray(X).ndim
    except ValueError:  # nested lists of unequal lengths: left to the check to report
        return None
