"""Train any classifier on augmented copies of its training clips too."""

from collections.abc import Sequence
from numbers import Integral
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import get_config
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ..base import BaseSpeechNet
from ..utils.labels import as_targets
from ..utils.parts import walk
from ..utils.random import draw_seed
from ..utils.rates import rate_of, with_rate
from ..utils.scores import OF_ESTIMATOR, reports
from ..utils.sklearn_private import (
    DocumentedMixin,
    HasMethods,
    Interval,
    check_method_params,
    fit_context,
)
from ..utils.validation import check_spectrograms, check_waveforms
from ._augmented_copies import add_copies, check_copying


def _answers(method: str) -> Any:
    """Whether the classifier, fitted or not, has a method."""

    def check(self: Any) -> bool:
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return available_if(check)


class _Predictor(HasMethods):
    """Constraint of a parameter that has, or is a classifier that gets, a method ``predict``.

    An ensemble may have it only when it is fitted.
    """

    def __init__(self) -> None:
        super().__init__(["fit", "predict"])

    def is_satisfied_by(self, val: Any) -> bool:
        if super().is_satisfied_by(val):
            return True
        return isinstance(val, BaseEstimator) and hasattr(val, "fit") and is_classifier(val)


class AugmentedClassifier(ClassifierMixin, MetaEstimatorMixin, DocumentedMixin, BaseEstimator):
    """Train a classifier on its training clips and on augmented copies of them.

    Networks of this library augment their batches with `augment`. For other classifiers,
    put everything that comes after the waveforms into `estimator`: ``fit`` makes the copies
    and fits it on the clips and the copies together. Copies exist inside ``fit`` only, so a
    cross-validation around this classifier holds out a clip together with all its copies, and
    predictions are made for the clips as they are.

    Parameters
    ----------
    estimator : classifier or Pipeline
        Takes what `augment` takes, waveforms or spectrograms. It is cloned.
    augment : list of augmentations
        Changes of the copies, one after another, from ``sklearn_speech.augmentation``; all of
        waveforms, or all of spectrograms.
    n_copies : int, default=1
        Copies of each clip. 0 makes none.
    random_state : int, RandomState instance or None, default=None
        Seed of the augmentations.

    Attributes
    ----------
    estimator_ : classifier
        The fitted clone of `estimator`.
    classes_ : ndarray of shape (n_classes,)
        Classes of ``estimator_``.
    reads : {"waveform", "spectrogram"}
        What `augment` changes, and ``fit`` takes.
    n_features_in_ : int
        Number of samples, or of bands, of the clips seen in ``fit``; not set for waveforms
        of different lengths.

    See Also
    --------
    SpectrogramCNNClassifier : Its parameter `augment` changes the clips in each epoch.
    make_recipe : ``make_recipe("best-pretrained", n_copies=1)`` uses copies.

    Notes
    -----
    If clips differ in length, a copy may be twice as long as its clip; what is beyond is cut.
    Otherwise copies have the length of the clips.

    Copies count like clips: with k copies the loss that a penalty is weighed against is k + 1
    times as large, which matters where a parameter such as the C of a logistic regression was
    chosen without copies. All per-clip arguments of ``fit``, such as ``sample_weight`` and
    ``groups``, are repeated for the copies.

    A part of `estimator` that itself holds out clips, such as a search or a calibration, would
    test on copies of training clips. Put it around this classifier, or let it split by group
    and pass ``groups`` to it.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_speech import MelSpectrogram, TemporalPooling
    >>> from sklearn_speech.augmentation import AddNoise, SpeedPerturb
    >>> from sklearn_speech.classification import AugmentedClassifier
    >>> rng = np.random.default_rng(0)
    >>> t = np.arange(4000) / 8000
    >>> X = np.sin(2 * np.pi * np.array([[300], [900], [310], [880]]) * t)
    >>> y = ["low", "high", "low", "high"]
    >>> pooled = make_pipeline(MelSpectrogram(8000), TemporalPooling(), LogisticRegression())
    >>> clf = AugmentedClassifier(pooled, [SpeedPerturb(), AddNoise()], n_copies=3, random_state=0)
    >>> clf.fit(X, y).predict(X).tolist()
    ['low', 'high', 'low', 'high']
    """

    #: Predictions are those of ``estimator_``.
    _only_fits = True

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [_Predictor()],
        "augment": [list, tuple],
        "n_copies": [Interval(Integral, 0, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator: Any,
        augment: Sequence[Any],
        *,
        n_copies: int = 1,
        random_state: int | np.random.RandomState | None = None,
    ) -> None:
        self.estimator = estimator
        self.augment = augment
        self.n_copies = n_copies
        self.random_state = random_state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: ArrayLike, y: ArrayLike, **fit_params: Any) -> Self:
        """Fit the classifier on the clips and their copies.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times) or (n_clips, n_bands, n_frames), or ragged
            Waveforms or spectrograms, whichever `augment` changes.
        y : array-like of shape (n_clips,) or (n_clips, n_outputs)
            Labels.
        **fit_params : dict
            Passed to ``fit`` of `estimator`, and with metadata routing to all that requests
            it. Arguments with one value per clip are repeated for the copies.

        Returns
        -------
        self : AugmentedClassifier
            The fitted classifier.

        Raises
        ------
        ValueError
            If augmentations are none, are for different inputs or mix labels, if a part of
            `estimator` would hold out copies of its training clips, or if ``sample_weight`` or
            ``groups`` have more or fewer values than there are clips.
        """
        check_copying(self.augment)
        if self.n_copies > 0:
            self._refuse_split_copies(fit_params)
        clips = self._check_X(X, reset=True)
        _check_lengths(fit_params, len(clips))
        if get_config()["enable_metadata_routing"]:
            fit_params = process_routing(self, "fit", **fit_params).estimator.fit
        check_consistent_length(clips, y)
        repeated = np.tile(np.arange(len(clips)), 1 + self.n_copies)
        # validation clips may be as many as training clips, but have no copies
        held_out = {k: v for k, v in fit_params.items() if k.endswith(("X_val", "y_val"))}
        fit_params = check_method_params(clips, fit_params, repeated) | held_out
        y = None if y is None else as_targets(y)[repeated]
        clips = add_copies(clips, self.augment, self.n_copies, draw_seed(self.random_state))
        self.estimator_ = clone(self.estimator).fit(clips, y, **fit_params)
        self.classes_ = self.estimator_.classes_
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Return the label of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times) or (n_clips, n_bands, n_frames), or ragged
            Clips.

        Returns
        -------
        labels : ndarray of shape (n_clips,) or (n_clips, n_outputs)
        """
        return self._answer("predict", X)

    @_answers("predict_proba")
    def predict_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times) or (n_clips, n_bands, n_frames), or ragged
            Clips.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
        """
        return self._answer("predict_proba", X)

    @_answers("predict_log_proba")
    def predict_log_proba(self, X: ArrayLike) -> NDArray[Any]:
        """Return the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times) or (n_clips, n_bands, n_frames), or ragged
            Clips.

        Returns
        -------
        logarithms : ndarray of shape (n_clips, n_classes)
        """
        return self._answer("predict_log_proba", X)

    @_answers("decision_function")
    def decision_function(self, X: ArrayLike) -> NDArray[Any]:
        """Return the score of each class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times) or (n_clips, n_bands, n_frames), or ragged
            Clips.

        Returns
        -------
        scores : ndarray of shape (n_clips, n_classes), or (n_clips,) for two classes
        """
        return self._answer("decision_function", X)

    @reports(OF_ESTIMATOR)
    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Return the score of the fitted `estimator`, which for most is the accuracy.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_times) or (n_clips, n_bands, n_frames), or ragged
            Clips.
        y : array-like of shape (n_clips,) or (n_clips, n_outputs)
            True labels.
        sample_weight : array-like of shape (n_clips,), default=None
            Weights of the clips.

        Returns
        -------
        score : float
        """
        check_is_fitted(self)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        return self.estimator_.score(self._check_X(X, reset=False), y, **weights)

    @property
    def reads(self) -> str | None:
        """What `augment` changes, and ``fit`` takes."""
        return getattr(self.augment[0], "domain", None) if self.augment else None

    def get_metadata_routing(self) -> MetadataRouter:
        """Return which metadata goes where.

        Returns
        -------
        routing : MetadataRouter
            Arguments of ``fit`` go to ``fit`` of `estimator`.
        """
        mapping = MethodMapping().add(caller="fit", callee="fit")
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self) -> Any:
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.classifier_tags, tags.target_tags = inner.classifier_tags, inner.target_tags
        tags.input_tags.three_d_array = self.reads == "spectrogram"
        return tags

    def _answer(self, method: str, X: Any) -> NDArray[Any]:
        check_is_fitted(self)
        X = self._check_X(X, reset=False)
        return getattr(self.estimator_, method)(X)

    def _check_X(self, X: Any, *, reset: bool) -> Any:
        check = check_waveforms if self.reads == "waveform" else check_spectrograms
        return with_rate(check(self, X, reset=reset), rate_of(X))

    def _refuse_split_copies(self, fit_params: dict[str, Any]) -> None:
        """Refuse parts that could train on a clip and validate on its copy."""
        names = {name.split("__")[-1] for name in fit_params}
        for path, part in walk(self.estimator):
            split = _inner_split(part)
            if split is None or (split.by_group and "groups" in names):
                continue
            if isinstance(part, BaseSpeechNet) and "X_val" in names:
                continue  # it validates on these, and holds out nothing
            where = f"estimator__{path}" if path else "estimator"
            raise ValueError(
                f"{where} is a {type(part).__name__} with {split.parameter}, which holds out "
                "clips and would be trained on copies of them: put it around AugmentedClassifier, "
                + ("or pass speakers as groups to fit" if split.by_group else "or switch it off")
            )


def _check_lengths(fit_params: dict[str, Any], n_clips: int) -> None:
    """Refuse arguments that should have a value for each clip, and have more or fewer."""
    for name, values in fit_params.items():
        is_per_clip = name.split("__")[-1] in ("sample_weight", "groups")
        if not is_per_clip or not np.ndim(values) or len(values) == n_clips:
            continue
        raise ValueError(
            f"{name} has {len(values)} entries for {n_clips} clips: expected {n_clips}, one for "
            "each clip; they are repeated for the copies"
        )


class _Split(NamedTuple):
    """How an estimator holds out clips, and whether it can keep groups apart."""

    parameter: str
    by_group: bool


def _inner_split(part: Any) -> _Split | None:
    """The parameter by which an estimator holds out some of its training clips, if any."""
    params = part.get_params(deep=False)
    if "cv" in params and params["cv"] != "prefit":
        cv = params["cv"]
        router = get_routing_for_object(cv) if hasattr(cv, "split") else None
        by_group = router is not None and bool(router.consumes("split", ["groups"]))
        return _Split(f"cv={cv!r}", by_group)
    for name in ("early_stopping", "oob_score", "probability"):
        if params.get(name):
            return _Split(f"{name}={params[name]!r}", isinstance(part, BaseSpeechNet))
    if "validation_fraction" in params and params.get("n_iter_no_change") is not None:
        if "early_stopping" not in params:
            return _Split(f"n_iter_no_change={params['n_iter_no_change']!r}", False)
    return None
