"""Compute the clip-wise first steps of a pipeline once for each setting."""

import warnings
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils import indexable

from ..audio._bad_files import bad_files, report, warn_of_new_bad_files
from ..utils.lazy_clips import LazyClips
from ..utils.rates import ClipsWithRate
from ..utils.sklearn_private import (
    as_table,
    gives_tables,
    is_sklearn_scorer,
    safe_indexing,
    scorers_by_name,
    without_tables,
)
from ._cache_key import clip_names, key_of_clips, key_of_steps
from ._clip_store import ClipStore
from ._feature_cache import FeatureCache
from ._filling import compute
from ._in_one_form import in_one_form
from ._split_clipwise import split_clipwise

#: Number of clips from which the size of all is estimated.
_N_SAMPLE = 16


def may_share(estimator: Any, scorers: Any, fit_params: Iterable[str]) -> bool:
    """Whether the clip-wise first steps of a pipeline may be computed outside the folds.

    Parameters
    ----------
    estimator : estimator instance
    scorers : callable or dict of str to callable
        One scorer or several, in any form that scikit-learn's searches use.
    fit_params : dict of str
        Arguments of ``fit``; an argument of a clip-wise step would be lost.

    Returns
    -------
    may : bool
    """
    first, _ = split_clipwise(estimator)
    names = {} if first is None else first.named_steps
    if any(name.partition("__")[0] in names for name in fit_params):
        return False
    # a scorer written by the user may look at the original clips
    return all(is_sklearn_scorer(scorer) for scorer in scorers_by_name(scorers).values())


class ClipwiseFeatures:
    """Computes and keeps features of all clips, by the parameters of the clip-wise steps.

    Parameters
    ----------
    X : array-like of shape (n_clips, ...)
        All clips of the search.
    cache : FeatureCache or None, default=None
        Stores features for later searches.
    max_bytes : int, default=2 * 2**30
        Maximum size of the features kept in memory; the least recently used are dropped first.
        If the waveforms alone are larger, no waveforms are kept: all steps are computed block by
        block.
    """

    def __init__(
        self, X: Any, cache: FeatureCache | None = None, *, max_bytes: int = 2 * 2**30
    ) -> None:
        self.X = X
        self.cache = cache
        self.max_bytes = max_bytes
        self._kept: OrderedDict[str, Any] = OrderedDict()
        self._names: list[str] | None = None
        self._sizes: dict[str, float] = {}
        #: Keys of features of which some are those of bad files, and what was said of these.
        self._with_bad: set[str] = set()
        self._told: set[str] = set()

    def compute(self, steps: list[tuple[str, Any]]) -> Any:
        """Return the features of all clips after some steps.

        Settings that share their first steps share their features: a search
        over ``n_mels`` reads each file once.

        Parameters
        ----------
        steps : list of (str, transformer)
            Unfitted clip-wise steps.

        Returns
        -------
        features : array-like of shape (n_clips, ...)
        """
        features = self._compute(steps)
        return features.fill() if isinstance(features, LazyClips) else features

    def _compute(self, steps):
        if not steps:
            return self.X
        key = key_of_steps(steps)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key]
        features = self._stored(key, steps)
        if features is None:
            with bad_files() as bad:
                features = self._computed(steps)
            warn_of_new_bad_files(bad.values(), self._told, len(indexable(self.X)[0]))
            if bad or key_of_steps(steps[:-1]) in self._with_bad:
                self._with_bad.add(key)
            # what is read in place of bad files is not stored, so every run warns about it
            may_store = key not in self._with_bad and not isinstance(features, LazyClips)
            if self.cache is not None and may_store:
                features = self.cache.put(self._name_on_disk(key), features, self._clips())
        self._keep(key, features)
        return features

    def _computed(self, steps):
        """Features after some steps; joblib shares plain arrays between processes."""
        if self._is_large(steps):
            steps = self._fit_to_sample([(name, clone(step)) for name, step in steps])
            positions = np.arange(len(indexable(self.X)[0]))
            clips = in_one_form(self.X)
            bad: dict[int, str] = {}
            features = compute(clips, [without_tables(step) for _, step in steps], positions, bad)
            report(bad, len(positions))
            features = as_table(features, steps[-1][1])
        else:
            features = clone(steps[-1][1]).fit_transform(self._compute(steps[:-1]))
        return np.asarray(features) if isinstance(features, ClipsWithRate) else features

    def _is_large(self, steps):
        """Whether the outputs of the steps before the last one are too large to be kept."""
        n_clips = len(indexable(self.X)[0])
        by_store = isinstance(self.X, LazyClips) or any(isinstance(s, ClipStore) for _, s in steps)
        if len(steps) < 2 or n_clips < 8 * _N_SAMPLE or by_store:
            return False
        key = key_of_steps(steps[:-1])
        if key not in self._sizes:
            some = safe_indexing(self.X, np.linspace(0, n_clips - 1, _N_SAMPLE).astype(int))
            self._sizes[key] = _n_bytes_after_each(steps[:-1], some) * n_clips / _N_SAMPLE
        return self._sizes[key] > self.max_bytes

    def _fit_to_sample(self, steps):
        """Fit each of some steps in place, to a few of the clips: such steps learn nothing."""
        clips: Any = ClipStore(shard_size=1).transform(self.X)
        for _, step in steps:
            clips = clips.then(step.fit(clips))
        return steps

    def _stored(self, key, steps):
        """Return stored features, computing those of missing clips; None if none are stored."""
        if self.cache is None or any(isinstance(step, ClipStore) for _, step in steps):
            return None  # a ClipStore has a store of its own
        if gives_tables(steps[-1][1]):
            return None  # names of columns are not stored
        features = self.cache.get(self._name_on_disk(key))
        if features is not None:
            return features
        clips = self._clips()
        found = self.cache.find(f"-{key}", clips)
        if not found:
            return None
        missing = [i for i, name in enumerate(clips) if name not in found]
        if missing:
            others = ClipwiseFeatures(safe_indexing(self.X, missing), self.cache)
            computed = others.compute(steps)
            found.update((clips[i], clip) for i, clip in zip(missing, computed))
        parts = [found[name] for name in clips]
        if len({(part.shape, part.dtype) for part in parts}) > 1:
            return None
        return np.stack(parts)

    def fit(self, steps: list[tuple[str, Any]]) -> Any:
        """Fit each of some steps in place, and compute the features after them.

        Parameters
        ----------
        steps : list of (str, transformer)

        Returns
        -------
        features : array-like of shape (n_clips, ...)
        """
        if self._is_large(steps):
            self._fit_to_sample(steps)
        else:
            for i, (_, step) in enumerate(steps):
                step.fit(self._compute(steps[:i]))
        return self.compute(steps)

    def _clips(self):
        """Return a name for each clip, derived from its file or its values."""
        if self._names is None:
            self._names = clip_names(self.X)
        return self._names

    def _name_on_disk(self, key):
        return f"{key_of_clips(self._clips())}-{key}"

    @property
    def n_bytes(self) -> int:
        """Return the size of the features kept in memory."""
        return sum(_n_bytes(kept) for kept in self._kept.values())

    def _keep(self, key, features):
        self._kept[key] = features
        total = self.n_bytes
        while total > self.max_bytes and len(self._kept) > 1:
            total -= _n_bytes(self._kept.popitem(last=False)[1])


def _n_bytes_after_each(steps, clips):
    """Size of the outputs of some steps together; 0 if a clip is refused."""
    total = 0
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is said of a few clips is not true of all
            for _, step in steps:
                clips = clone(step).fit_transform(clips)
                total += _n_bytes(clips)
    except ValueError:
        return 0  # all clips together are refused with a message that names all bad ones
    return total


def _n_bytes(features):
    if isinstance(features, LazyClips):
        return 0
    if isinstance(features, np.ndarray) and features.dtype != object:
        # the operating system manages the memory of memory maps
        return 0 if isinstance(features, np.memmap) else features.nbytes
    return sum(0 if _is_mapped(clip) else getattr(clip, "nbytes", 0) for clip in features)


def _is_mapped(clip):
    base = clip
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False
