"""Base of the classifiers: one label per clip, or several."""

from numbers import Real
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import sparray, spmatrix
from sklearn.utils.validation import column_or_1d
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn.functional import logsigmoid

from ..utils.labels import as_targets, check_targets, is_unlabelled, spelled_as
from ..utils.scores import reports
from ..utils.sklearn_private import Interval, StrOptions
from ..utils.values import check_mask, check_weights
from ._batches import ClipDataset
from ._callbacks import Named, classifier_callbacks
from ._class_encoding import (
    check_class_labels,
    encode_classes,
    find_classes,
    warn_of_minus_one,
    weight_of_classes,
)
from ._losses import LabelsLoss
from ._net import BaseSpeechNet
from ._targets import indicator_matrix, warn_of_constant_labels, weight_of_labels


class BaseSpeechClassifier(BaseSpeechNet, NeuralNetClassifier):
    """Base of the speech classifiers: labels of any kind, one per clip or several.

    If y is an indicator matrix of shape (n_clips, n_labels), each label is learned separately
    with binary cross-entropy, and the loss of a clip is the mean over its labels, as in
    scikit-learn's ``MLPClassifier``. A label that no training clip has, or that all have, is
    learned like the others, with the same warning as in ``OneVsRestClassifier``.

    Parameters
    ----------
    class_weight : dict, list of dict, "balanced" or None, default=None
        Weights of the classes in the loss, as everywhere in scikit-learn. With an indicator
        matrix, "balanced" gives the clips with a label and the clips without it the same total
        weight, for each label, as counted in the first ``fit`` or ``partial_fit``; a list holds
        one dict ``{0: weight, 1: weight}`` per label.
    label_smoothing : float, default=0.0
        Fraction of each target that is spread over all classes; with an indicator matrix, over
        the presence and absence of each label.
    **kwargs
        See :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,) or (n_labels, 2)
        Labels, sorted. For an indicator matrix, one row [0, 1] per label, as in scikit-learn's
        forests; from its shape, scorers distinguish two labels from two classes.
    multilabel_ : bool
        Whether y was an indicator matrix.
    """

    mixes_targets = True

    #: Target of a clip without a label, if a pretrainer is set.
    _unlabelled = -1

    _is_unlabelled = staticmethod(is_unlabelled)

    # a parameter of skorch; partial_fit takes `classes` instead, as in scikit-learn
    classes = None

    _parameter_constraints = {
        **BaseSpeechNet._parameter_constraints,
        "class_weight": [dict, list, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(
        self,
        *,
        class_weight: dict[Any, float] | list[dict[int, float]] | Literal["balanced"] | None = None,
        label_smoothing: float = 0.0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags

    @property
    def classes_(self) -> NDArray[Any]:
        """Labels, sorted; for an indicator matrix, the two values of each label."""
        if "classes_inferred_" not in vars(self):
            raise AttributeError(f"this {type(self).__name__} has no classes_ before fit")
        return self.classes_inferred_

    @property
    def _default_callbacks(self) -> Named:
        return classifier_callbacks()

    def _labels(self) -> NDArray[Any] | None:
        if getattr(self, "multilabel_", False):
            return np.array([0, 1])
        return getattr(self, "classes_", None)

    def _network_shape(self, shape: tuple[int | None, ...]) -> dict[str, Any]:
        return {**super()._network_shape(shape), "n_classes": len(self.classes_)}

    def _check_kinds(self, y: Any) -> Any:
        return check_targets(y)

    def _check_y(self, y: Any, *, reset: bool, classes: Any = None) -> torch.Tensor:
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        check_mask(y, "y")
        labels = indicator_matrix(y, type(self).__name__)
        reset = reset or "classes_inferred_" not in vars(self)
        if reset:
            self.multilabel_ = labels is not None
        elif self.multilabel_ != (labels is not None):
            n_labels = len(self.classes_) if self.multilabel_ else 1
            raise ValueError(
                f"y has shape {np.shape(y)}, but {type(self).__name__} was fitted with {n_labels} "
                f"label{'' if n_labels == 1 else 's'} per clip"
            )
        if labels is not None:
            return self._check_labels(labels, reset, classes)
        return self._check_classes(y, reset, classes)

    def _check_labels(self, labels: NDArray[np.int64], reset: bool, classes: Any) -> torch.Tensor:
        n_labels = labels.shape[1]
        if reset:
            if classes is not None and len(classes) != n_labels:
                raise ValueError(
                    f"classes has {len(classes)} entries, but y is an indicator matrix of "
                    f"{n_labels} labels"
                )
            warn_of_constant_labels(labels)
            self.classes_inferred_ = np.tile([0, 1], (n_labels, 1))
            self.label_weight_ = weight_of_labels(self.class_weight, labels)
        elif n_labels != len(self.classes_):
            raise ValueError(
                f"y has {n_labels} labels, but {type(self).__name__} was fitted with "
                f"{len(self.classes_)}"
            )
        return torch.from_numpy(labels)

    def _check_classes(self, y: Any, reset: bool, classes: Any) -> torch.Tensor:
        y = check_class_labels(y)
        if reset:
            self.classes_inferred_ = find_classes(y if classes is None else classes)
            warn_of_minus_one(self.classes_, bool(getattr(self, "_takes_layers_of", ())))
        return torch.from_numpy(encode_classes(y, self.classes_))

    def _check_weight(
        self, sample_weight: Any, targets: torch.Tensor, n_clips: int
    ) -> torch.Tensor | None:
        if self.class_weight is not None and not self.multilabel_:
            codes = targets.numpy()
            factor = weight_of_classes(self.class_weight, self.classes_, codes)[codes]
            if not factor.any():
                raise ValueError("class_weight gives all clips the weight 0")
            factor = factor / factor.max()
            if sample_weight is not None:
                weight = check_weights(sample_weight, n_clips)
                factor = factor * (weight / weight.max())
            sample_weight = factor
        return super()._check_weight(sample_weight, targets, n_clips)

    def _stratify(self, data: ClipDataset) -> Any:
        return None if data.targets is None else data.targets.numpy()

    def initialize_criterion(self) -> Self:
        """Set the criterion: cross-entropy, which is binary if clips have several labels."""
        smoothing = float(self.label_smoothing)
        if self.multilabel_:
            self.criterion_ = LabelsLoss(self.label_weight_, smoothing)
        else:
            self.criterion_ = nn.CrossEntropyLoss(reduction="none", label_smoothing=smoothing)
        return self

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike | sparray | spmatrix,
        *,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | sparray | spmatrix | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like
            Spectrograms of shape (n_clips, n_bands, n_frames), or waveforms of
            shape (n_clips, n_times) if the network or its front end takes
            them; or ragged, a 1-D object array with one array per clip.
        y : array-like of shape (n_clips,) or (n_clips, n_labels)
            Labels: strings or integers; or a dense or sparse indicator matrix, with 1 if a
            clip has a label, otherwise 0.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. The validation split of early stopping keeps the
            clips of a speaker together; groups have no other use.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip in the loss.
        X_val, y_val : array-like, default=None
            Validation clips and their labels, instead of a part of X.

        Returns
        -------
        self : object
        """
        return super().fit(
            X, y, groups=groups, sample_weight=sample_weight, X_val=X_val, y_val=y_val
        )

    def partial_fit(
        self,
        X: ArrayLike,
        y: ArrayLike | sparray | spmatrix,
        classes: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for `max_epochs` further epochs at a constant learning rate, as in skorch.

        It trains on all clips: ``early_stopping`` only affects ``fit``.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``, with the same number of bands or samples.
        y : array-like of shape (n_clips,) or (n_clips, n_labels)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels of this and later calls; needed in the first call if y lacks some.
        sample_weight : array-like of shape (n_clips,), default=None

        Returns
        -------
        self : object
        """
        return super().partial_fit(X, y, classes, sample_weight=sample_weight)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Probability of each class, or of each label if clips have several.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes) or (n_clips, n_labels)
            Probabilities of the classes, in the order of ``classes_``, with sum 1; or the
            probability that each label is present. The dtype is float32, the precision of
            the network.
        """
        self.check_is_fitted()
        outputs = self._outputs(X)
        return (outputs.sigmoid() if self.multilabel_ else outputs.softmax(1)).numpy()

    def predict_log_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Logarithm of the probability of each class or label.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.

        Returns
        -------
        log_probabilities : ndarray of shape (n_clips, n_classes) or (n_clips, n_labels)
        """
        self.check_is_fitted()
        outputs = self._outputs(X)
        return (logsigmoid(outputs) if self.multilabel_ else outputs.log_softmax(1)).numpy()

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Most probable label of each clip, or all labels with a probability above 0.5.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.

        Returns
        -------
        labels : ndarray of shape (n_clips,) or (n_clips, n_labels)
            An indicator matrix if ``fit`` was given one.
        """
        self.check_is_fitted()
        outputs = self._outputs(X)
        if self.multilabel_:
            return (outputs > 0).numpy().astype(np.int64)
        return self.classes_[outputs.argmax(1).numpy()]

    @reports("accuracy")
    def score(
        self,
        X: ArrayLike,
        y: ArrayLike | sparray | spmatrix,
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """Fraction of clips with the right label, or with exactly the right set of labels.

        Clips without a label, which are only allowed with a pretrainer, are not counted.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.
        y : array-like of shape (n_clips,) or (n_clips, n_labels)
            True labels.
        sample_weight : array-like of shape (n_clips,), default=None

        Returns
        -------
        score : float
        """
        X, y, sample_weight = self._scored(X, y, sample_weight)
        if not self.multilabel_:
            y = spelled_as(column_or_1d(as_targets(y)), self.classes_)
        return super().score(X, y, sample_weight)
