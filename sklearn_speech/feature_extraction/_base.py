"""What the spectral transformers share: checking, running and unscaling a front end."""

from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin

from ..modules.extract import extract
from ..modules.front_end import FrontEnd
from ..utils.device import resolve_device
from ..utils.validation import (
    Interval,
    StrOptions,
    check_is_fitted,
    check_waveforms,
    fit_context,
    is_ragged,
)

#: How many of the clips given to fit tell what a typical range is.
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
    "scaling": [StrOptions({"log", "db"}), None],
    "log_offset": [Interval(Real, 0, None, closed="left")],
    "ref": [StrOptions({"max"}), Interval(Real, 0, None, closed="neither")],
    "amin": [Interval(Real, 0, None, closed="neither")],
    "top_db": [Interval(Real, 0, None, closed="neither"), None],
    "db_window": [tuple, list, None],
    "normalize": [StrOptions({"clip", "band", "minmax", "max"}), None],
    "zero_frames": [StrOptions({"keep", "drop"})],
    "device": [str, torch.device],
    "n_iter": [Interval(Integral, 1, None, closed="left")],
    "momentum": [Interval(Real, 0, None, closed="left")],
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


class BaseSpectralTransformer(TransformerMixin, BaseEstimator):
    """Waveforms to spectrograms by a front end that the parameters describe."""

    #: The promise that a clip's features depend on that clip and the parameters
    #: alone, never on the batch or on fit. Features of one setting may therefore
    #: be computed once and shared between the folds of a search.
    _treats_clips_alone = True

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Check the parameters, and learn what a typical clip's range is.

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
        X = check_waveforms(self, X, reset=True)
        front_end = self._front_end(_dtype_of(X))
        self.n_bands_ = front_end.n_bands
        self.ranges_ = None
        if front_end.scaling.has_ranges:
            some = np.unique(np.linspace(0, len(X) - 1, _N_RANGE_CLIPS).astype(int))
            self.ranges_ = extract(front_end, X[some])[1].mean(axis=0)
        return self

    def transform(self, X):
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
        return self._extract(X)[0]

    def clip_ranges(self, X):
        """Tell what scaling takes out of each clip, for ``inverse_transform`` to put back.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times), or 1-D object array or list of 1-D arrays
            Waveforms, amplitude in [-1, 1].

        Returns
        -------
        ranges : ndarray of shape (n_clips, 3, 1) or (n_clips, 3, n_bands)
            Reference level in dB (of ``ref="max"``), shift and spread (of
            `normalize`). One column a band with ``normalize="band"``.
        """
        return self._extract(X)[1]

    def _extract(self, X):
        check_is_fitted(self)
        X = check_waveforms(self, X, reset=False)
        return extract(self._front_end(_dtype_of(X)), X)

    def _front_end(self, dtype=torch.float32):
        """The front end that the parameters describe, on the device to compute on."""
        parameters = self.get_params(deep=False)
        for name in _OUTSIDE_FRONT_END:
            parameters.pop(name, None)
        front_end = FrontEnd(dtype=dtype, **parameters)
        return front_end.to(resolve_device(self.device)).eval()

    def _typical_ranges(self, n_clips, dtype=torch.float32):
        """Ranges to assume for clips that come without: the mean of the training clips."""
        if self.ranges_ is None:
            neutral = np.array([[0.0], [0.0], [1.0]])
            if self.scaling == "db" and self.ref != "max":
                neutral[0] = 20.0 / self.power * np.log10(max(self.ref, self.amin))
        else:
            neutral = self.ranges_
        return torch.as_tensor(neutral, dtype=dtype).expand(n_clips, -1, -1)


def _dtype_of(X):
    X = X[0] if is_ragged(X) else X
    return torch.float64 if X.dtype == np.float64 else torch.float32
