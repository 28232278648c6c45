"""Labels on top of the base net."""

from numbers import Real

import numpy as np
import torch
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite, column_or_1d
from skorch import NeuralNetClassifier
from torch import nn

from ..utils.sklearn_private import Interval, StrOptions
from ._callbacks import classifier_callbacks
from ._net import BaseSpeechNet


class BaseSpeechClassifier(BaseSpeechNet, NeuralNetClassifier):
    """A speech net that learns labels of any kind and predicts them.

    Parameters
    ----------
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in the loss, as everywhere in scikit-learn.
    label_smoothing : float, default=0.0
        Share of each target that is spread over all classes.
    **kwargs
        See :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    """

    mixes_targets = True

    # skorch's parameter, which scikit-learn's `classes` of partial_fit makes unnecessary
    classes = None

    _parameter_constraints = {
        **BaseSpeechNet._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
    }

    def __init__(self, *, class_weight=None, label_smoothing=0.0, **kwargs):
        super().__init__(**kwargs)
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing

    @property
    def classes_(self):
        """Labels, sorted."""
        if "classes_inferred_" not in vars(self):
            raise AttributeError(f"this {type(self).__name__} has no classes_ before fit")
        return self.classes_inferred_

    @property
    def _default_callbacks(self):
        return classifier_callbacks()

    def _labels(self):
        return getattr(self, "classes_", None)

    def _network_shape(self, shape):
        return {**super()._network_shape(shape), "n_classes": len(self.classes_)}

    def _check_y(self, y, *, reset, classes=None):
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        y = column_or_1d(y, warn=True)
        _refuse_mixed(y)
        if y.dtype.kind in "fc":
            assert_all_finite(y, input_name="y")
        check_classification_targets(y)
        if reset or "classes_inferred_" not in vars(self):
            self.classes_inferred_ = np.unique(y if classes is None else classes)
            if len(self.classes_) < 2:
                raise ValueError(
                    f"y holds 1 class only, {self.classes_.tolist()}: a classifier needs at least "
                    "2 classes to tell apart"
                )
        codes = np.searchsorted(self.classes_, y).clip(max=len(self.classes_) - 1)
        unknown = self.classes_[codes] != y
        if np.any(unknown):
            raise ValueError(
                f"y holds the labels {np.unique(y[unknown]).tolist()}, which are not among "
                f"the classes {self.classes_.tolist()}"
            )
        return torch.from_numpy(codes.astype(np.int64))

    def _check_weight(self, sample_weight, targets, n_clips):
        if self.class_weight is not None:
            factor = self._weight_of_classes(targets)[targets.numpy()]
            sample_weight = factor if sample_weight is None else factor * np.asarray(sample_weight)
        return super()._check_weight(sample_weight, targets, n_clips)

    def _weight_of_classes(self, targets):
        weights = np.ones(len(self.classes_))
        if isinstance(self.class_weight, dict):
            unknown = set(self.class_weight) - set(self.classes_.tolist())
            if unknown:
                raise ValueError(
                    f"class_weight names {sorted(unknown, key=str)}, which are not among the "
                    f"classes {self.classes_.tolist()}"
                )
            for label, weight in self.class_weight.items():
                if not isinstance(weight, Real) or not 0 <= weight < np.inf:
                    raise ValueError(
                        f"class_weight[{label!r}]={weight!r}: expected a number of at least 0"
                    )
                weights[np.searchsorted(self.classes_, label)] = weight
        else:
            present = np.unique(targets.numpy())
            weights[present] = compute_class_weight("balanced", classes=present, y=targets.numpy())
        return weights

    def _stratify(self, data):
        return data.targets.numpy()

    def initialize_criterion(self):
        """Cross-entropy of each clip."""
        self.criterion_ = nn.CrossEntropyLoss(
            reduction="none", label_smoothing=float(self.label_smoothing)
        )
        return self

    def fit(self, X, y, *, groups=None, sample_weight=None, X_val=None, y_val=None):
        """Train the network.

        Parameters
        ----------
        X : array-like
            Spectrograms of shape (n_clips, n_bands, n_frames), or waveforms of
            shape (n_clips, n_times) where the network or its front end reads
            them; or ragged, a 1-D object array with one array a clip.
        y : array-like of shape (n_clips,)
            Labels: strings or whole numbers.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. Keeps speakers apart in the split of early
            stopping; nothing else uses it.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip in the loss.
        X_val, y_val : array-like, default=None
            Clips and labels to measure each epoch on, instead of a part of X.

        Returns
        -------
        self : object
        """
        return super().fit(
            X, y, groups=groups, sample_weight=sample_weight, X_val=X_val, y_val=y_val
        )

    def partial_fit(self, X, y, classes=None, *, sample_weight=None):
        """Go on training for `max_epochs` epochs at a constant learning rate, as in skorch.

        Nothing is put aside: ``early_stopping`` is for ``fit`` alone.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``, of the same bands or samples.
        y : array-like of shape (n_clips,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come; needed in the first call where y lacks some.
        sample_weight : array-like of shape (n_clips,), default=None

        Returns
        -------
        self : object
        """
        return super().partial_fit(X, y, classes, sample_weight=sample_weight)

    def predict_proba(self, X):
        """Probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.

        Returns
        -------
        probabilities : ndarray of shape (n_clips, n_classes)
            In the order of ``classes_``; float32, which is how precise they are.
        """
        self.check_is_fitted()
        return self._outputs(X).softmax(1).numpy()

    def predict_log_proba(self, X):
        """Logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.

        Returns
        -------
        log_probabilities : ndarray of shape (n_clips, n_classes)
        """
        self.check_is_fitted()
        return self._outputs(X).log_softmax(1).numpy()

    def predict(self, X):
        """Most probable label of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.

        Returns
        -------
        labels : ndarray of shape (n_clips,)
        """
        self.check_is_fitted()
        codes = self._outputs(X).argmax(1).numpy()
        return self.classes_[codes]


def _refuse_mixed(y):
    """Labels that cannot be sorted, which would fail deep inside numpy."""
    if y.dtype != object:
        return
    for i, label in enumerate(y):
        if label is None or type(label).__name__ == "NAType" or label != label:
            raise ValueError(f"y[{i}] is {label!r}: every clip needs a label")
    kinds = {"numbers" if isinstance(label, (Real, np.bool_)) else type(label) for label in y}
    if len(kinds) > 1:
        shown = sorted(kind if isinstance(kind, str) else kind.__name__ for kind in kinds)
        raise ValueError(f"y mixes labels of several kinds ({', '.join(shown)}): expected one kind")
