"""The base class of the spectral transformers."""

from collections.abc import Callable
from copy import copy
from functools import cache
from numbers import Integral, Real
from operator import attrgetter
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.metadata_routing import UNUSED
from sklearn.utils.validation import check_is_fitted

from ..modules.front_end import ZERO_FRAMES_IN_NETWORK, Blocks, FrontEnd
from ..modules.scaling import SCALINGS
from ..utils.clip_transformers import ClipsOutMixin, NamedBandsMixin
from ..utils.device import resolve_device
from ..utils.lazy_clips import LazyClips, sample_of
from ..utils.random import draw_seed
from ..utils.rates import rate_of, with_rate
from ..utils.sklearn_private import (
    DocumentedMixin,
    Interval,
    StrOptions,
    fit_context,
    validate_parameter_constraints,
)
from ..utils.validation import check_spectrograms, check_waveforms, is_ragged, make_ragged
from ..utils.values import TOO_LOUD, check_finite
from ._extract import extract
from ._invert import invert
from ._shared_front_ends import shared_front_end

#: Number of training clips that the typical range is estimated from.
_N_RANGE_CLIPS = 256

#: Constraints of the parameters that all front ends have.
ANALYSIS_CONSTRAINTS = {
    "sample_rate": [Interval(Real, 0, None, closed="neither")],
    "n_fft": [Interval(Integral, 2, None, closed="left"), None],
    "win_length": [Interval(Integral, 1, None, closed="left"), None],
    "hop_length": [Interval(Integral, 1, None, closed="left"), None],
    "window": [str, tuple, Interval(Real, 0, None, closed="left"), "array-like"],
    "periodic": ["boolean"],
    "center": ["boolean"],
    "pad_mode": [StrOptions({"constant", "reflect", "edge"})],
    "preemphasis": [Interval(Real, -1, 1, closed="both")],
    "detrend": [StrOptions({"constant", "linear"}), None],
    "power": [Interval(Real, 0, None, closed="neither")],
    "scaling": [StrOptions(set(SCALINGS)), None],
    "log_offset": [Interval(Real, 0, None, closed="left")],
    "ref": [StrOptions({"max"}), Interval(Real, 0, None, closed="neither")],
    "amin": [Interval(Real, 0, None, closed="neither")],
    "top_db": [Interval(Real, 0, None, closed="neither"), None],
    "db_window": [tuple, list, None],
    "normalize": [StrOptions({"clip", "band", "minmax", "max"}), None],
    "zero_frames": [StrOptions({"keep", "drop"})],
    "device": [str, torch.device],
    "n_iter": [Interval(Integral, 1, None, closed="left")],
    "momentum": [Interval(Real, 0, 2, closed="left")],
    "random_state": ["random_state"],
}

MEL_CONSTRAINTS = {
    "n_mels": [Interval(Integral, 1, None, closed="left")],
    "fmin": [Interval(Real, 0, None, closed="left")],
    "fmax": [Interval(Real, 0, None, closed="neither"), None],
    "mel_scale": [StrOptions({"slaney", "htk"})],
    "norm": [StrOptions({"slaney"}), None],
}

#: Parameters of the transformers that the front end does not know.
_OUTSIDE_FRONT_END = {"device", "n_iter", "momentum", "random_state"}


class BaseSpectralTransformer(
    NamedBandsMixin, ClipsOutMixin, TransformerMixin, DocumentedMixin, BaseEstimator
):
    """Waveforms to spectrograms by a front end that the parameters describe."""

    #: The promise that a clip's features depend on that clip and the parameters
    #: alone, never on the batch or on fit. Features of one setting may therefore
    #: be computed once and shared between the folds of a search.
    _treats_clips_alone = True

    # S is the data itself, not metadata to be routed
    __metadata_request__inverse_transform = {"S": UNUSED}

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Check the parameters, and learn the range of a typical clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or 1-D object array or list of 1-D arrays
            Waveforms, amplitude in [-1, 1].
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        X = check_waveforms(self, sample_of(X), reset=True)
        front_end, blocks = self._shared_front_end(_dtype_of(X))
        self.n_bands_ = front_end.n_bands
        self.ranges_ = None
        if front_end.scaling.has_ranges:
            some = np.unique(np.linspace(0, len(X) - 1, _N_RANGE_CLIPS).astype(int))
            self.ranges_ = extract(front_end, X[some], blocks)[1].mean(axis=0)
        return self

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
        if isinstance(X, LazyClips):
            check_is_fitted(self)
            return X.then(self)
        return with_rate(self._extract(X)[0], rate_of(X))

    def clip_ranges(self, X: ArrayLike) -> NDArray[Any]:
        """Return what scaling removes from each clip, for ``inverse_transform`` to restore.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or 1-D object array or list of 1-D arrays
            Waveforms, amplitude in [-1, 1].

        Returns
        -------
        ranges : ndarray of shape (n_clips, 3, 1) or (n_clips, 3, n_bands)
            Reference level in dB (of ``ref="max"``), shift and spread (of
            `normalize`). One column per band with ``normalize="band"``.
        """
        return self._extract(X)[1]

    def inverse_transform(
        self, S: ArrayLike, ranges: ArrayLike | None = None, lengths: int | ArrayLike | None = None
    ) -> NDArray[Any]:
        """Find waveforms that have these features.

        Scaling is undone, then `n_iter` iterations of a fast Griffin-Lim estimate the
        phases; the energies of the mel bands are imposed again in each iteration, so that
        the waveform's own spectrogram comes close to the given one. What the analysis lost
        stays lost: frames dropped by `zero_frames`, what `detrend` took away, levels
        outside `db_window` or below the floor, the higher coefficients of a cepstrum, and
        the sign of the waveform.

        Parameters
        ----------
        S : array-like of shape (n_clips, n_bands, n_frames), or 1-D object array or list \
                of (n_bands, n_frames) arrays
            Features, such as ``transform`` returns.
        ranges : array-like of shape (n_clips, 3, 1) or (n_clips, 3, n_bands), default=None
            What ``clip_ranges`` returned for the clips. None assumes the mean range of the
            training clips.
        lengths : int or array-like of shape (n_clips,), default=None
            Number of samples of each clip. None is the width of the 2-D array seen in
            ``fit`` if that gives this number of frames, else the smallest number of samples
            that does (the largest for a single centred frame).

        Returns
        -------
        X : ndarray of shape (n_clips, n_times), or object ndarray of shape (n_clips,)
            Waveforms; ragged where `S` is or `lengths` differ.

        Raises
        ------
        ValueError
            When `S` has other bands than the front end, `ranges` or `lengths` do not fit
            `S`, or the windows are so far apart that they leave samples uncovered.
        """
        check_is_fitted(self)
        # n_features_in_ is the width of waveforms: validate S on a copy
        S = check_spectrograms(copy(self), S, reset=True)
        front_end, _ = self._shared_front_end(_dtype_of(S))
        n_bands, n_frames = S[0].shape
        if n_bands != front_end.n_bands:
            raise ValueError(
                f"S has {n_bands} bands, but this {type(self).__name__} makes {front_end.n_bands}"
            )
        ragged = is_ragged(S)
        if lengths is not None:
            lengths = _checked_lengths(lengths, len(S))
            ragged = ragged or len(set(lengths)) > 1
        elif not ragged and self._frames_fitted(front_end) == n_frames:
            lengths = [self.n_features_in_] * len(S)
        if ranges is None:
            ranges = self._typical_ranges(len(S), front_end.dtype).numpy()
        waveforms = invert(
            front_end,
            S,
            _checked_ranges(ranges, len(S), n_bands),
            lengths=lengths,
            n_iter=self.n_iter,
            momentum=self.momentum,
            seed=draw_seed(self.random_state),
        )
        return make_ragged(waveforms) if ragged else np.stack(waveforms)

    def _frames_fitted(self, front_end: FrontEnd) -> int | None:
        """Frames of the clips seen in fit, where they had one width."""
        n_times = getattr(self, "n_features_in_", None)
        return None if n_times is None else front_end.n_frames(n_times)

    def to_module(
        self,
        *,
        train_stft: bool = False,
        train_mel: bool = False,
        random_mel: bool = False,
        filterbank: str = "free",
        masked_bins: tuple[int, int] | None = None,
    ) -> FrontEnd:
        """Make the front end a torch module, to be the first layer of a network.

        Parameters
        ----------
        train_stft : bool, default=False
            Whether the sines and cosines of the Fourier transform are learned.
        train_mel : bool, default=False
            Whether the mel filters are learned. Call the module's
            ``apply_constraints()`` after each step of the optimiser.
        random_mel : bool, default=False
            Start from random filters, drawn from torch's global generator.
        filterbank : {"free", "triangular", "gaussian", "rectangular"}, default="free"
            Learn every weight of the mel filters independently, or a centre and a half band
            for each filter of this shape.
        masked_bins : (int, int), default=None
            Bins of the Fourier transform, first and one after the last, taken as 0.

        Returns
        -------
        module : FrontEnd
            ``module(waveforms, lengths=None)`` gives spectrograms of shape
            (n_clips, n_bands, n_frames), in float32, on the CPU.

        Raises
        ------
        ValueError
            When ``zero_frames="drop"``: a network must know the number of frames in advance.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        if self.zero_frames == "drop":
            raise ValueError(ZERO_FRAMES_IN_NETWORK)
        return FrontEnd(
            **self._front_end_parameters(),
            train_stft=train_stft,
            train_mel=train_mel,
            random_mel=random_mel,
            filterbank=filterbank,
            masked_bins=masked_bins,
        )

    def _extract(self, X: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        if "n_bands_" not in vars(self):  # the check takes as long as the transform of a word
            check_is_fitted(self)
        X = check_waveforms(self, X, reset=False)
        front_end, blocks = self._shared_front_end(_dtype_of(X))
        S, ranges = extract(front_end, X, blocks)
        check_finite(S, f"the result of {type(self).__name__}", TOO_LOUD)
        return S, ranges

    def _shared_front_end(self, dtype: torch.dtype) -> tuple[FrontEnd, Blocks | None]:
        """The front end that the parameters describe, on the device to compute on."""
        return shared_front_end(self._front_end_parameters(), dtype, resolve_device(self.device))

    def _front_end_parameters(self) -> dict[str, Any]:
        cls: Any = type(self)
        names, values_of = _of_front_end(cls)
        return dict(zip(names, values_of(self)))

    def _typical_ranges(self, n_clips: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
        """Ranges for clips without their own: the mean of the training clips."""
        if self.ranges_ is None:
            neutral = np.array([[0.0], [0.0], [1.0]])
            if self.scaling == "db" and self.ref != "max":
                neutral[0] = 20.0 / self.power * np.log10(max(self.ref, self.amin))
        else:
            neutral = self.ranges_
        return torch.as_tensor(neutral, dtype=dtype).expand(n_clips, -1, -1)


@cache
def _of_front_end(cls: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """Names of the parameters of a transformer that its front end has too, and their values."""
    names = tuple(sorted(set(cls._get_param_names()) - _OUTSIDE_FRONT_END))
    return names, attrgetter(*names)


def _dtype_of(X: np.ndarray) -> torch.dtype:
    X = X[0] if is_ragged(X) else X
    return torch.float64 if X.dtype == np.float64 else torch.float32


def _checked_ranges(ranges: ArrayLike, n_clips: int, n_bands: int) -> np.ndarray:
    ranges = np.asarray(ranges)
    if ranges.dtype.kind not in "fiu" or ranges.shape not in {
        (n_clips, 3, 1),
        (n_clips, 3, n_bands),
    }:
        raise ValueError(
            f"ranges has shape {ranges.shape} and dtype {ranges.dtype}; expected numbers of shape "
            f"({n_clips}, 3, 1) or ({n_clips}, 3, {n_bands}), such as clip_ranges returns"
        )
    return ranges


def _checked_lengths(lengths: ArrayLike, n_clips: int) -> list[int]:
    lengths = np.asarray(lengths)
    if lengths.dtype.kind not in "iu" or lengths.shape not in {(), (n_clips,)}:
        raise ValueError(
            f"lengths has shape {lengths.shape} and dtype {lengths.dtype}; expected one whole "
            f"number, or one for each of {n_clips} clips"
        )
    if lengths.size and lengths.min() < 1:
        raise ValueError(f"lengths={lengths.min()}: expected at least 1 sample")
    return np.broadcast_to(lengths, n_clips).tolist()
