"""Numbers, one a clip or several, on top of the base net."""

import numpy as np
import torch
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetRegressor

from ..utils.labels import is_without_number
from ..utils.sklearn_private import StrOptions
from ._batches import ClipDataset
from ._callbacks import regressor_callbacks
from ._fitting import DatasetPair
from ._losses import LOSSES, NumbersLoss
from ._net import BaseSpeechNet
from ._targets import InUnits, numbers_of


class BaseSpeechRegressor(BaseSpeechNet, NeuralNetRegressor):
    """A speech net that learns numbers, one a clip or several, and predicts them.

    The network learns targets standardised by the mean and deviation of those that it is
    trained on, weighted where clips have weights, so that its settings fit targets in any unit;
    predictions are in the units of y. Clips that early stopping puts aside, ``X_val`` and
    clips without a number count for nothing in them. ``module_`` and the losses in
    ``history_`` are in standard deviations.

    skorch's ``NeuralNetRegressor`` makes it a regressor to scikit-learn and to skorch's
    helpers; all else comes from :class:`~sklearn_speech.base.BaseSpeechNet`.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
        What is minimised: "squared_error" leads to the mean of what may be the case,
        "absolute_error" to the median. "huber" is the squared error up to one standard
        deviation of y and grows linearly beyond, so that a few wrong targets count for little.
        Several numbers a clip count the same, whatever their units.
    **kwargs
        See :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    n_outputs_ : int
        Numbers a clip.
    target_scaler_ : StandardScaler
        Mean and deviation of the targets of the training clips.
    """

    mixes_targets = True

    # predictions are float64, and scikit-learn's checks compare them to seven digits
    _fills_single = True

    #: What marks a clip without a target, where a pretrainer is set.
    _unlabelled = np.nan

    _is_unlabelled = staticmethod(is_without_number)

    _parameter_constraints = {
        **BaseSpeechNet._parameter_constraints,
        "loss": [StrOptions(set(LOSSES))],
    }

    def __init__(self, *, loss="squared_error", **kwargs):
        super().__init__(**kwargs)
        self.loss = loss

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @property
    def _default_callbacks(self):
        return regressor_callbacks()

    def _network_shape(self, shape):
        # networks call the number of their outputs n_classes
        return {**super()._network_shape(shape), "n_classes": self.n_outputs_}

    def _labels(self):
        if "target_scaler_" not in vars(self):
            return None
        return InUnits(self.target_scaler_, self._target_ndim)

    def _check_y(self, y, *, reset, classes=None):
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but the target y "
                "is None."
            )
        y = numbers_of(y, self)
        n_outputs = 1 if y.ndim == 1 else y.shape[1]
        if reset or "n_outputs_" not in vars(self):
            self.n_outputs_, self._target_ndim = n_outputs, y.ndim
        elif n_outputs != self.n_outputs_:
            raise ValueError(
                f"y has {n_outputs} numbers a clip, but {type(self).__name__} was fitted with "
                f"{self.n_outputs_}"
            )
        return torch.from_numpy(y.reshape(len(y), n_outputs))

    def get_dataset(self, X, y=None, *, sample_weight=None, classes=None, reset=False):
        """Clips, standardised targets and weights as a dataset, after all checks.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...), dataset, or inputs of a batch
        y : array-like of shape (n_clips,) or (n_clips, n_outputs), default=None
        sample_weight : array-like of shape (n_clips,), default=None
        classes : None
            Not used, present for consistency with classifiers.
        reset : bool, default=False
            Whether to learn sizes, and mean and deviation of the targets, as ``fit`` does, or
            to use those that were learned.

        Returns
        -------
        dataset : ClipDataset
            X itself, if that is one.
        """
        if isinstance(X, ClipDataset):
            return X
        data = super().get_dataset(X, y, sample_weight=sample_weight, reset=reset)
        if data.targets is None:
            return data
        numbers = data.targets.numpy()
        if reset:
            self._scale(numbers, data.sample_weight)
        data.targets = torch.from_numpy(self.target_scaler_.transform(numbers)).float()
        data.classes = self._labels()
        return data

    def _stratify(self, data):
        return data.targets.numpy()

    def get_split_datasets(self, X, y=None, *, reset=False, **options):
        """Clips to train on, and clips that each epoch is measured on.

        Mean and deviation of the targets are those of the first alone.

        Parameters
        ----------
        X : array-like or dataset
        y : array-like of shape (n_clips,) or (n_clips, n_outputs), default=None
        reset : bool, default=False
            See ``get_dataset``.
        **options : dict
            See :meth:`BaseSpeechNet.get_split_datasets`.

        Returns
        -------
        train : ClipDataset
        valid : ClipDataset or None
        """
        pair = super().get_split_datasets(X, y, reset=reset, **options)
        train, valid = pair
        if reset and valid is not None and not isinstance(X, DatasetPair):
            before = self.target_scaler_
            numbers = [before.inverse_transform(part.targets.double().numpy()) for part in pair]
            self._scale(numbers[0], train.sample_weight)
            for part, own in zip(pair, numbers):
                part.targets = torch.from_numpy(self.target_scaler_.transform(own)).float()
                part.classes = self._labels()
        return pair

    def _scale(self, numbers, weight):
        """Learn mean and deviation of the targets."""
        weight = None if weight is None else weight.double().numpy()
        self.target_scaler_ = StandardScaler().fit(numbers, sample_weight=weight)

    def initialize_criterion(self):
        """The loss of each clip, the mean over its numbers."""
        self.criterion_ = NumbersLoss(self.loss)
        return self

    def _mixed_losses(self, y_pred, y_true, X):
        permutation, share = X["mixed_with"]
        share = share[:, None]
        return self.clip_losses(y_pred, share * y_true + (1 - share) * y_true[permutation], X)

    def fit(self, X, y, *, groups=None, sample_weight=None, X_val=None, y_val=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Spectrograms of shape (n_clips, n_bands, n_frames), or waveforms of
            shape (n_clips, n_times) where the network or its front end reads
            them; or ragged, a 1-D object array with one array a clip.
        y : array-like of shape (n_clips,) or (n_clips, n_outputs)
            Numbers, in any unit.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. Keeps speakers apart in the split of early
            stopping; nothing else uses it.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip in the loss, and in mean and deviation of the targets.
        X_val, y_val : array-like of shape (n_clips, ...), default=None
            Clips and numbers to measure each epoch on, instead of a part of X.

        Returns
        -------
        self : object
        """
        return super().fit(
            X, y, groups=groups, sample_weight=sample_weight, X_val=X_val, y_val=y_val
        )

    def partial_fit(self, X, y, *, sample_weight=None):
        """Go on training for `max_epochs` epochs at a constant learning rate, as in skorch.

        Nothing is put aside: ``early_stopping`` is for ``fit`` alone. Mean and deviation of
        the targets stay those of the first call.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``, of the same bands or samples.
        y : array-like of shape (n_clips,) or (n_clips, n_outputs)
            Numbers.
        sample_weight : array-like of shape (n_clips,), default=None

        Returns
        -------
        self : object
        """
        return super().partial_fit(X, y, sample_weight=sample_weight)

    def predict(self, X):
        """Numbers of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.

        Returns
        -------
        y : ndarray of float64 of shape (n_clips,) or (n_clips, n_outputs)
            In the units of what ``fit`` was given, and of its shape.
        """
        self.check_is_fitted()
        return self._labels()[self._outputs(X).numpy()]

    @property
    def predict_proba(self):
        """Refused: scikit-learn takes what has this method of skorch's for a classifier."""
        raise AttributeError(f"{type(self).__name__} predicts numbers, not probabilities")

    def score(self, X, y, sample_weight=None):
        """Coefficient of determination R2, the mean over the numbers of a clip.

        Clips without a target, which only a pretrainer takes, do not count.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.
        y : array-like of shape (n_clips,) or (n_clips, n_outputs)
            True numbers.
        sample_weight : array-like of shape (n_clips,), default=None

        Returns
        -------
        score : float
        """
        return super().score(*self._scored(X, y, sample_weight))

    score.metric = "r2"  # what tables and axes call it
