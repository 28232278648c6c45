"""The course of a fit: check and split the data, build the network, train it."""

import warnings
from typing import Any, Self

from numpy.typing import ArrayLike
from skorch.utils import is_dataset

from ..utils.device import resolve_device
from ..utils.interrupts import is_nested_fit, raised_by_code
from ..utils.labels import unwrap_scalars
from ..utils.random import default_float32, draw_seed, torch_seed
from ..utils.speakers import check_speakers
from ._batches import ClipDataset
from ._mixin import Mixin
from ._training_clips import DatasetPair, split_for_early_stopping, without_zero_weights


class NetworkFitting(Mixin):
    """Fitting; mixin placed before NeuralNet.

    As in skorch, ``fit`` calls ``get_split_datasets``, ``initialize`` and ``fit_loop``.
    Subclasses may override each of them.
    """

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        *,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
        y_val: Any = None,
    ) -> Self:
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Clips, in the form that the estimator takes.
        y : array-like of shape (n_clips,), default=None
            Targets.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. The validation split of early stopping keeps the
            clips of a speaker together; groups have no other use.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip in the loss.
        X_val, y_val : array-like of shape (n_clips, ...), default=None
            Validation clips and their targets, instead of a part of X.

        Returns
        -------
        self : object
        """
        return self._fit(
            X, y, groups=groups, sample_weight=sample_weight, X_val=X_val, y_val=y_val,
            continuing=self.warm_start and self.initialized_,
        )  # fmt: skip

    def partial_fit(
        self, X: ArrayLike, y: Any = None, classes: ArrayLike | None = None, **fit_params: Any
    ) -> Self:
        """Train for `max_epochs` further epochs at a constant learning rate, as in skorch.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            As in ``fit``.
        y : array-like of shape (n_clips,), default=None
            Targets.
        classes : array-like of shape (n_classes,), default=None
            All labels of this and later calls.
        **fit_params : dict
            ``sample_weight``.

        Returns
        -------
        self : object
        """
        return self._fit(
            X,
            y,
            classes=classes,
            continuing=self.initialized_,
            lr_schedule="constant",
            **fit_params,
        )

    def _refuse_classes(self, classes: Any) -> None:
        """Raise if `classes` is given to ``partial_fit`` of a network that has none.

        scikit-learn's metadata routing fails for subclasses of skorch's networks whose
        ``partial_fit`` lacks the parameter.
        """
        if classes is not None:
            raise ValueError(f"classes={classes!r:.100}: {type(self).__name__} has no classes")

    def _fit(
        self,
        X: Any,
        y: Any,
        *,
        continuing: bool = False,
        lr_schedule: str | None = None,
        **fit_params: Any,
    ) -> Self:
        """Fit a new network, or continue with the present weights."""
        self.check_training_readiness()
        self._validate_params()
        y = unwrap_scalars(y)  # callbacks of skorch index each target
        self.check_data(X, y)
        with (
            torch_seed(draw_seed(self.random_state), resolve_device(self.device)),
            default_float32(),
        ):
            data = self.get_split_datasets(
                X, y, reset=not continuing, split_off=lr_schedule is None, **fit_params
            )
            if not continuing:
                self.initialize()
            self.notify("on_train_begin", X=X, y=y)
            try:
                self._train(DatasetPair(*data), lr_schedule or self.lr_schedule, continuing)
            except KeyboardInterrupt as interrupt:
                self._interrupted(interrupt)
            self.notify("on_train_end", X=X, y=y)
        return self

    def _interrupted(self, interrupt: KeyboardInterrupt) -> None:
        """Keep the present weights, unless a search would score them as a complete fit."""
        if not raised_by_code(interrupt):
            if is_nested_fit():
                raise interrupt
            warnings.warn(
                f"training interrupted in epoch {len(self.history_)}; the weights reached so far "
                "are kept",
                UserWarning,
                stacklevel=4,
            )
        if self.history_ and "train_loss" not in self.history_[-1]:
            del self.history_[-1]  # the history has complete epochs only

    def _train(self, data: DatasetPair, lr_schedule: str, continuing: bool) -> None:
        """Train the initialised net; subclasses may train in several stages."""
        self.fit_loop(data, lr_schedule=lr_schedule)

    def check_data(self, X: Any, y: Any = None) -> None:
        """Do nothing; a hook that skorch calls first. The checks are in ``get_dataset``."""

    def get_split_datasets(
        self,
        X: Any,
        y: Any = None,
        *,
        groups: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        X_val: Any = None,
        y_val: Any = None,
        classes: ArrayLike | None = None,
        reset: bool = False,
        split_off: bool = True,
    ) -> DatasetPair:
        """Make the datasets of the training clips and the validation clips.

        Parameters
        ----------
        X : array-like or dataset
        y : array-like of shape (n_clips,), default=None
        groups, sample_weight, X_val, y_val, classes
            As in ``fit`` and ``partial_fit``.
        reset : bool, default=False
            See ``get_dataset``.
        split_off : bool, default=True
            Whether `early_stopping` may split off a part of X for validation.

        Returns
        -------
        train : ClipDataset
        valid : ClipDataset or None
        """
        if isinstance(X, DatasetPair):
            return X
        if y is None and not is_dataset(X):
            self._check_y(y, reset=False)  # raises, unless the net learns without targets
        data = self.get_dataset(X, y, sample_weight=sample_weight, classes=classes, reset=reset)
        valid = None
        if X_val is not None:
            if y_val is None and data.targets is not None:
                raise ValueError("X_val is given without y_val")
            valid = self.get_dataset(X_val, y_val)
        if groups is not None:
            names, codes = check_speakers(groups, len(data), "groups")
            groups = names[codes]
        data, groups = without_zero_weights(data, groups)
        if valid is None and self.early_stopping and split_off:
            data, valid = split_for_early_stopping(
                data, groups, self.validation_fraction, self._stratify(data)
            )
            weight = valid.sample_weight
            valid.sample_weight = None if weight is None else weight / weight.mean()
        return DatasetPair(data, valid)

    def _stratify(self, data: ClipDataset) -> Any:
        """Classes whose proportions the split of early stopping keeps, or None."""
        return None
