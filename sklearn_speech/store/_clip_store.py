"""The first step of a pipeline that computes features block by block, and keeps them in files."""

import os
from numbers import Integral
from typing import Any, Literal, Self

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import indexable

from ..utils.clip_transformers import ClipsOutMixin
from ..utils.lazy_clips import LazyClips
from ..utils.parallel import check_run_options
from ..utils.sklearn_private import (
    DocumentedMixin,
    HasMethods,
    StrOptions,
    WholeNumber,
    fit_context,
    validate_parameter_constraints,
)
from ._feature_cache import FeatureCache, as_feature_cache
from ._filling import Settings
from ._in_one_form import in_one_form, with_absolute_paths
from ._stored_clips import StoredClips


class ClipStore(ClipsOutMixin, TransformerMixin, DocumentedMixin, BaseEstimator):
    """Pass more clips through a pipeline than fit into memory.

    Put it before the first step of a pipeline. Nothing else changes: ``fit``, ``predict`` and
    the other methods take what they took before, such as paths, and give the same results.

    The steps that follow are computed block by block, up to the first one that learns from all
    clips, such as :class:`~sklearn_speech.feature_extraction.SpectrogramScaler` or a network.
    ``fit`` writes what comes out of them to files, `shard_size` clips in each, and the network
    reads its batches from there. ``predict`` reads what is stored, and computes the rest without
    storing it. Features that are smaller than `max_ram` are read into memory as one array.

    Fewer than `shard_size` clips pass through unchanged, and are neither stored nor looked up.

    Parameters
    ----------
    memory : str, os.PathLike, FeatureCache, joblib.Memory or None, default=None
        Folder of the files, which several processes may share. Features are found again by the
        path, size and time of the sound file, or by the values of a clip in memory, and by the
        parameters of the steps: in other folds, other trials and later runs. A folder has at most
        16 GiB; ``FeatureCache(folder, max_bytes=...)`` sets another size. None stores nothing:
        in ``fit``, all features must then be smaller than `max_ram`.
    max_ram : int, default=2**30
        Size in bytes up to which the features of all clips are held in memory. The memory
        for one block of clips, for the network, and for torch itself comes on top.
    shard_size : int, default=1024
        Number of clips in a file. A ``fit`` that was interrupted continues after the last
        complete file.
    dtype : {"float16", "int16"} or None, default=None
        How numbers are stored; they are always read as floats. None keeps them exactly. "float16"
        needs half the space, with 3 significant digits of numbers between 6.1e-5 and 65504; it
        is for features on a logarithmic scale. "int16" is for waveforms in [-1, 1]; it is exact
        for files of 16 bits that are not resampled.
    n_jobs : int or None, default=None
        Number of files that are computed at the same time, as in joblib; needs `memory`. With
        ``joblib.parallel_config("dask")``, the machines of a cluster compute, and need the same
        folder.
    verbose : bool, default=False
        Whether to show a progress bar while features are computed.

    See Also
    --------
    FeatureCache : The folder, with another maximum size.

    Notes
    -----
    Training draws each batch from all clips, in the same order as from memory, so the weights are
    the same. In their last digit, features may differ with ``detrend="linear"``, with
    :class:`~sklearn_speech.feature_extraction.SpeechEmbedding`, and with a front end inside the
    network if the waveforms are larger than `max_ram`. A thread reads the next batch from the
    files while the network is trained.

    Every file is compared with its checksum before its first use in each process: a damaged file
    is computed again. What cannot be stored, because the disk is full or the folder is
    write-protected, is held in memory up to `max_ram`; beyond that, an error tells why.

    Every network of this library is trained from files. A step of scikit-learn, such as ``SVC``,
    needs all of its input in memory, and is given it, up to `max_ram`;
    :class:`~sklearn_speech.feature_extraction.TemporalPooling` makes it small. A table of pandas
    or polars, ``set_output`` of a step, is made of all clips too, and has the same columns as
    without the store.

    A front end inside a network (``frontend=``) is computed anew for each batch, if the
    waveforms are larger than `max_ram`.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_speech import ClipStore, MelSpectrogram, SpectrogramCNNClassifier
    >>> X = np.random.default_rng(0).normal(size=(40, 800)).astype(np.float32)
    >>> y = np.arange(40) % 2
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     classifier = make_pipeline(
    ...         ClipStore(folder, shard_size=10, max_ram=0),
    ...         MelSpectrogram(sample_rate=8000),
    ...         SpectrogramCNNClassifier(max_epochs=1, random_state=0),
    ...     )
    ...     classifier.fit(X, y).predict(X).shape
    (40,)
    """

    #: See :class:`AudioReader`.
    _treats_clips_alone = True

    _gives = "clips"

    _parameter_constraints = {
        "memory": [str, os.PathLike, FeatureCache, HasMethods(["cache"]), None],
        "max_ram": [WholeNumber(0)],
        "shard_size": [WholeNumber(1)],
        "dtype": [StrOptions({"float16", "int16"}), None],
        "n_jobs": [Integral, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        memory: str | os.PathLike[str] | FeatureCache | joblib.Memory | None = None,
        *,
        max_ram: int = 2**30,
        shard_size: int = 1024,
        dtype: Literal["float16", "int16"] | None = None,
        n_jobs: int | None = None,
        verbose: bool = False,
    ) -> None:
        self.memory = memory
        self.max_ram = max_ram
        self.shard_size = shard_size
        self.dtype = dtype
        self.n_jobs = n_jobs
        self.verbose = verbose

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: object = None) -> Self:
        """Check the parameters; nothing is learned from the clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Paths, recordings, waveforms or spectrograms.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : ClipStore
        """
        self._check()
        return self

    def transform(self, X: Any) -> Any:
        """Return the clips in a form from which the next steps compute blocks.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Paths, recordings, waveforms or spectrograms.

        Returns
        -------
        X : array-like of shape (n_clips, ...)
            X itself if it has fewer than `shard_size` clips. Otherwise an array-like of which
            the length, ``X[clips]`` and ``numpy.asarray(X)`` can be used.
        """
        cache = self._check()  # fit, which checks the parameters too, may never be called
        if not self._takes_apart(X):
            return X
        settings = Settings(
            cache=cache,
            max_ram=self.max_ram,
            shard_size=self.shard_size,
            dtype=self.dtype,
            n_jobs=self.n_jobs,
            verbose=bool(self.verbose),
        )
        return StoredClips(with_absolute_paths(in_one_form(X)), settings)

    def _check(self) -> FeatureCache | None:
        """Check the parameters, and return the folder of the files."""
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        check_run_options(type(self).__name__, n_jobs=self.n_jobs)
        cache = as_feature_cache(self.memory)
        if self.n_jobs is not None and cache is None:
            raise ValueError(
                f"n_jobs={self.n_jobs} has no effect without a store: set memory= to a folder, or "
                "n_jobs=None"
            )
        return cache

    def _takes_apart(self, X: Any) -> bool:
        """Whether there are so many clips that blocks of them are computed."""
        return not isinstance(X, LazyClips) and len(indexable(X)[0]) >= self.shard_size

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name of the output, which is one clip in the form in which it came.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names that the clips have already.

        Returns
        -------
        names : ndarray of str
            `input_features`, or "clip".
        """
        names = ["clip"] if input_features is None else input_features
        return np.array(names, dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.no_validation = True
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        return tags
