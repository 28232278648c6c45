"""Frames of clips to a fixed number of features."""

from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from ..utils.lazy_clips import LazyClips, sample_of
from ..utils.sklearn_private import (
    DocumentedMixin,
    Interval,
    check_feature_names_in,
    fit_context,
    gives_tables,
)
from ..utils.validation import check_spectrograms, is_ragged
from ..utils.values import TOO_LARGE, check_finite

#: Statistics over the frames of a segment, by name.
_STATISTICS: dict[str, Callable[..., Any]] = {
    "mean": np.mean,
    "std": np.std,
    "min": np.min,
    "max": np.max,
}


class TemporalPooling(TransformerMixin, DocumentedMixin, BaseEstimator):
    """Pool the frames of each clip into features for classifiers of scikit-learn.

    The features are statistics over time, of the whole clip or of equal parts of it, and
    optionally the first frames themselves. Clips may have any number of frames.

    Parameters
    ----------
    statistics : str or sequence of {"mean", "std", "min", "max"}, default=("mean", "std", "max")
        Statistics over the frames of a segment, band by band; "std" is the
        standard deviation that divides by the number of frames. May be
        empty where `n_frames` is set.
    n_segments : int, default=1
        Number of equal parts, along time, that a clip is cut into. A frame that lies on a
        boundary belongs to both parts, and a clip of fewer frames than parts has its frames
        in several of them: no part is empty.
    n_frames : int, default=None
        Number of first frames that are appended unchanged, one after the other, to the
        statistics. Shorter clips are padded with zeros. None is no frames.

    Attributes
    ----------
    n_features_in_ : int
        Number of bands.
    n_features_out_ : int
        Number of features of a clip.

    See Also
    --------
    SpeechEmbedding : Vectors of a network pretrained on many voices.

    Notes
    -----
    Classifiers of scikit-learn read tables, and spectrograms are 3-D or ragged: put this step
    between a front end and such a classifier. To join several front ends, give each its own::

        make_union(
            make_pipeline(MelSpectrogram(), TemporalPooling()),
            make_pipeline(MFCC(), TemporalPooling()),
        )

    ``set_output`` of a pipeline needs that of all its steps, which front ends lack; call it on
    this step, ``pipeline[-1].set_output(transform="pandas")``, or set it for all estimators with
    ``sklearn.set_config(transform_output="pandas")``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech import TemporalPooling
    >>> clips = np.array([[[0.0, 1.0, 2.0, 3.0], [4.0, 4.0, 4.0, 0.0]]])
    >>> pooling = TemporalPooling(("mean", "max"), n_segments=2).fit(clips)
    >>> pooling.transform(clips)
    array([[0.5, 4. , 2.5, 2. , 1. , 4. , 3. , 4. ]])
    >>> pooling.get_feature_names_out()[:3].tolist()
    ['mean_band0_part0', 'mean_band1_part0', 'mean_band0_part1']
    """

    #: See :class:`MelSpectrogram`.
    _treats_clips_alone = True

    _parameter_constraints = {
        "statistics": [str, "array-like"],
        "n_segments": [Interval(Integral, 1, None, closed="left")],
        "n_frames": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self,
        statistics: str | Sequence[str] = ("mean", "std", "max"),
        *,
        n_segments: int = 1,
        n_frames: int | None = None,
    ) -> None:
        self.statistics = statistics
        self.n_segments = n_segments
        self.n_frames = n_frames

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: object = None) -> Self:
        """Learn the number of bands.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
                or 1-D object array or list of (n_bands, n_frames) arrays
            Spectrograms or other features of frames.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            When `statistics` holds an unknown name, or no feature would come out.
        """
        names = self._names()
        if not names and self.n_frames is None:
            raise ValueError("statistics is empty and n_frames=None: no feature would come out")
        check_spectrograms(self, sample_of(X), reset=True)
        self._fitted_for_tables = gives_tables(self)
        n_rows = len(names) * self.n_segments + (self.n_frames or 0)
        self.n_features_out_ = n_rows * self.n_features_in_
        return self

    def transform(self, X: ArrayLike) -> NDArray[Any]:
        """Pool the frames of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
                or 1-D object array or list of (n_bands, n_frames) arrays
            Spectrograms or other features of frames.

        Returns
        -------
        features : ndarray of shape (n_clips, n_features_out)
            Statistic by statistic, in each part by part, in each band by band; then frame
            by frame.
        """
        check_is_fitted(self)
        if isinstance(X, LazyClips):
            features = X.then(self)
            return features.in_memory("a table") if gives_tables(self) else features
        X = check_spectrograms(self, X, reset=False)
        with np.errstate(over="ignore", invalid="ignore"):  # refused below
            if is_ragged(X):
                features = np.concatenate([self._pool(clip[np.newaxis]) for clip in X])
            else:
                features = self._pool(X)
        check_finite(features, f"the result of {type(self).__name__}", TOO_LARGE)
        return features

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[Any]:
        """Names of the features.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the bands; None is those seen in ``fit``, or band0, band1, ... The columns of
            a table of pandas or polars have these names, since clips do not know the names of
            their bands: if ``fit`` was set to give tables, `input_features` is not used.

        Returns
        -------
        names : ndarray of shape (n_features_out,) of str
            Such as "mean_band0", "mean_band0_part1" with several segments, and
            "frame2_band0".
        """
        check_is_fitted(self)
        # the next steps know the columns; a model saved by an older version lacks the attribute
        if getattr(self, "_fitted_for_tables", False):
            input_features = None
        named = input_features is not None or hasattr(self, "feature_names_in_")
        bands = check_feature_names_in(self, input_features)
        if not named:
            bands = [f"band{i}" for i in range(self.n_features_in_)]
        parts = [""] if self.n_segments == 1 else [f"_part{i}" for i in range(self.n_segments)]
        names = [f"{s}_{b}{part}" for s in self._names() for part in parts for b in bands]
        names += [f"frame{i}_{b}" for i in range(self.n_frames or 0) for b in bands]
        return np.array(names, dtype=object)

    def _names(self) -> list[str]:
        """The statistics by name, each known."""
        names = [self.statistics] if isinstance(self.statistics, str) else list(self.statistics)
        for name in names:
            if not isinstance(name, str) or name not in _STATISTICS:
                raise ValueError(
                    f"statistics={self.statistics!r}: expected names among "
                    f"{', '.join(map(repr, _STATISTICS))}, got {name!r}"
                )
        return names

    def _pool(self, clips: np.ndarray) -> np.ndarray:
        """Features of clips of one length, of shape (n_clips, n_bands, n_frames)."""
        n_clips, n_bands, n_frames = clips.shape
        k = self.n_segments
        # the bounds of adaptive pooling: down at the beginning, up at the end
        parts = [clips[:, :, i * n_frames // k : -(-(i + 1) * n_frames // k)] for i in range(k)]
        columns = [_statistic(name, part) for name in self._names() for part in parts]
        if self.n_frames is not None:
            first = clips[:, :, : self.n_frames]
            rows = np.zeros((n_clips, self.n_frames, n_bands), dtype=clips.dtype)
            rows[:, : first.shape[2]] = first.transpose(0, 2, 1)
            columns.append(rows.reshape(n_clips, -1))
        return np.concatenate(columns, axis=1).astype(clips.dtype, copy=False)


def _statistic(name: str, part: np.ndarray) -> np.ndarray:
    """A statistic over frames; sums are taken in float64."""
    if name in ("min", "max"):
        return _STATISTICS[name](part, axis=2)
    return _STATISTICS[name](part, axis=2, dtype=np.float64)
