"""Base of the regressors: one number per clip, or several."""

from collections.abc import Mapping
from typing import Any, Literal, NoReturn, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from skorch import NeuralNetRegressor

from ..utils.labels import is_without_number
from ..utils.scores import reports
from ..utils.sklearn_private import StrOptions
from ..utils.speakers import is_missing
from ._batches import ClipDataset
from ._callbacks import Named, regressor_callbacks
from ._losses import LOSSES, NumbersLoss
from ._net import BaseSpeechNet
from ._targets import InUnits, fit_scaler, numbers_of
from ._training_clips import DatasetPair


class BaseSpeechRegressor(BaseSpeechNet, NeuralNetRegressor):
    """Base of the speech regressors: one number per clip, or several.

    The targets are standardised by the (weighted) mean and standard deviation of those of the
    training clips, so that the same parameters suit targets in any unit; validation clips and
    clips without a target do not count. Predictions are in the units of y; outputs of
    ``module_`` and the losses in ``history_`` are on the standardised scale.

    Because of skorch's ``NeuralNetRegressor``, scikit-learn and the helpers of skorch recognise it
    as a regressor; everything else comes from :class:`~sklearn_speech.base.BaseSpeechNet`.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
        The loss of a clip. With "squared_error" the network learns to predict the mean of
        the possible targets, with "absolute_error" their median. "huber" is quadratic up to
        one standard deviation of y and linear beyond, so that a few wrong targets have little
        influence. Several numbers per clip have the same weight, whatever their units.
    **kwargs
        See :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    n_outputs_ : int
        Number of targets per clip.
    target_scaler_ : StandardScaler
        Mean and standard deviation of the targets of the training clips.

    Notes
    -----
    With few clips an epoch has few steps: 270 clips in batches of 64 make five. A number is then
    often learned only in part, and worse than by ridge regression; more epochs
    (`max_epochs`) or smaller batches (`batch_size`) help. Several numbers per clip share the
    network, so that one of them may be predicted worse than by a network of its own.
    """

    mixes_targets = True

    # predictions are float64, and scikit-learn's checks compare them to seven digits
    _fills_single = True

    #: Value of a missing target, if a pretrainer is set.
    _unlabelled = np.nan

    _is_unlabelled = staticmethod(is_without_number)

    _parameter_constraints = {
        **BaseSpeechNet._parameter_constraints,
        "loss": [StrOptions(set(LOSSES))],
    }

    def __init__(
        self,
        *,
        loss: Literal["squared_error", "absolute_error", "huber"] = "squared_error",
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.loss = loss

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    @property
    def _default_callbacks(self) -> Named:
        return regressor_callbacks()

    def _network_shape(self, shape: tuple[int | None, ...]) -> dict[str, Any]:
        # in the modules, n_classes is the number of outputs
        return {**super()._network_shape(shape), "n_classes": self.n_outputs_}

    def _labels(self) -> InUnits | None:
        if "target_scaler_" not in vars(self):
            return None
        return InUnits(self.target_scaler_, self._target_ndim)

    def _check_kinds(self, y: Any) -> Any:
        if y.dtype != object:
            return y
        # None and pandas.NA mean what NaN means
        return np.array([np.nan if is_missing(v) else v for v in y.flat], object).reshape(y.shape)

    def _check_y(self, y: Any, *, reset: bool, classes: Any = None) -> torch.Tensor:
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
                f"y has {n_outputs} numbers per clip, but {type(self).__name__} was fitted with "
                f"{self.n_outputs_}"
            )
        return torch.from_numpy(y.reshape(len(y), n_outputs))

    def get_dataset(
        self,
        X: Any,
        y: ArrayLike | None = None,
        *,
        sample_weight: ArrayLike | None = None,
        classes: None = None,
        reset: bool = False,
    ) -> ClipDataset:
        """Check clips, targets and weights, and make a dataset with standardised targets.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...), dataset, or inputs of a batch
        y : array-like of shape (n_clips,) or (n_clips, n_outputs), default=None
        sample_weight : array-like of shape (n_clips,), default=None
        classes : None
            Not used, present for consistency with classifiers.
        reset : bool, default=False
            Whether to learn the sizes of the clips and the scale of the targets, as ``fit``
            does, or to use those that are known.

        Returns
        -------
        dataset : ClipDataset
            X itself, if it is one.
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

    def _stratify(self, data: ClipDataset) -> Any:
        return None if data.targets is None else data.targets.numpy()

    def get_split_datasets(
        self, X: Any, y: Any = None, *, reset: bool = False, **options: Any
    ) -> DatasetPair:
        """Training clips, and validation clips or None.

        The targets of both are standardised by mean and deviation of the training clips.

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
        if not reset or valid is None or train.targets is None or isinstance(X, DatasetPair):
            return pair
        before = self.target_scaler_
        parts = [
            (part, before.inverse_transform(part.targets.double().numpy()))
            for part in (train, valid)
            if part.targets is not None
        ]
        self._scale(parts[0][1], train.sample_weight)
        for part, numbers in parts:
            part.targets = torch.from_numpy(self.target_scaler_.transform(numbers)).float()
            part.classes = self._labels()
        return pair

    def _scale(self, numbers: NDArray[np.float64], weight: torch.Tensor | None) -> None:
        """Learn mean and deviation of the targets."""
        self.target_scaler_ = fit_scaler(
            numbers, None if weight is None else weight.double().numpy()
        )

    def initialize_criterion(self) -> Self:
        """Set the criterion: the loss of each clip, the mean over its numbers."""
        self.criterion_ = NumbersLoss(self.loss)
        return self

    def _mixed_losses(
        self, y_pred: torch.Tensor, y_true: torch.Tensor, X: Mapping[str, Any]
    ) -> torch.Tensor:
        permutation, share = X["mixed_with"]
        share = share[:, None]
        return self.clip_losses(y_pred, share * y_true + (1 - share) * y_true[permutation], X)

    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: ArrayLike | None = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Spectrograms of shape (n_clips, n_bands, n_frames), or waveforms of
            shape (n_clips, n_times) if the network or its front end takes
            them; or ragged, a 1-D object array with one array per clip.
        y : array-like of shape (n_clips,) or (n_clips, n_outputs)
            Targets, in any unit.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. The validation split of early stopping keeps the
            clips of a speaker together; groups have no other use.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip in the loss, and in the mean and standard deviation of the
            targets.
        X_val, y_val : array-like of shape (n_clips, ...), default=None
            Validation clips and their targets, instead of a part of X.

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
        y: ArrayLike,
        classes: None = None,
        *,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Train for `max_epochs` further epochs at a constant learning rate, as in skorch.

        It trains on all clips: ``early_stopping`` only affects ``fit``. The mean and standard
        deviation of the targets are those of the first call.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``, with the same number of bands or samples.
        y : array-like of shape (n_clips,) or (n_clips, n_outputs)
            Targets.
        classes : None
            A parameter of all networks of skorch, which has no meaning here.
        sample_weight : array-like of shape (n_clips,), default=None

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `classes` is not None.
        """
        self._refuse_classes(classes)
        return super().partial_fit(X, y, sample_weight=sample_weight)

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """Predict the numbers of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.

        Returns
        -------
        y : ndarray of float64 of shape (n_clips,) or (n_clips, n_outputs)
            In the units and the form of the targets given to ``fit``.
        """
        self.check_is_fitted()
        return InUnits(self.target_scaler_, self._target_ndim)[self._outputs(X).numpy()]

    @property
    def predict_proba(self) -> NoReturn:
        """Not available: scikit-learn would mistake an estimator that has it for a classifier."""
        raise AttributeError(f"{type(self).__name__} predicts numbers, not probabilities")

    @reports("r2")
    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """Coefficient of determination R2, the mean over the targets of a clip.

        Clips without a target, which are only allowed with a pretrainer, are not counted.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_times)
            As in ``fit``.
        y : array-like of shape (n_clips,) or (n_clips, n_outputs)
            True targets.
        sample_weight : array-like of shape (n_clips,), default=None

        Returns
        -------
        score : float
        """
        return super().score(*self._scored(X, y, sample_weight))
