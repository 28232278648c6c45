"""How a fit goes: data are checked and split, the network is built, and epochs are trained."""

import math
import warnings
from typing import NamedTuple

import torch
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from sklearn.utils.validation import check_consistent_length
from skorch.utils import is_dataset
from tqdm.auto import tqdm

from ..splits import StratifiedGroupShuffleSplit
from ..utils.device import resolve_device
from ..utils.interrupts import is_nested_fit, raised_by_code
from ..utils.random import default_float32, draw_seed, torch_seed
from ..utils.sklearn_private import safe_indexing
from ..utils.strata import N_BINS
from ._averaging import BestWeights, MeanWeights
from ._batches import ClipDataset, labels_of_codes, split_inputs
from ._mixin import Mixin
from ._schedule import LearningRates
from ._step import TrainingState


class DatasetPair(NamedTuple):
    """Clips to train on, and clips that each epoch is measured on, if any."""

    train: ClipDataset
    valid: ClipDataset | None


class NetworkFitting(Mixin):
    """The way of a fit; mixin placed before NeuralNet.

    ``fit`` calls ``get_split_datasets``, ``initialize`` and ``fit_loop``; that calls
    ``run_single_epoch`` with ``train_step`` and with ``validation_step``, as in skorch. Each may
    be overridden.
    """

    def fit(self, X, y=None, *, groups=None, sample_weight=None, X_val=None, y_val=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            Clips, in the form that the estimator takes.
        y : array-like of shape (n_clips,)
            Targets.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. Keeps speakers apart in the split of early
            stopping; nothing else uses it.
        sample_weight : array-like of shape (n_clips,), default=None
            Weight of each clip in the loss.
        X_val, y_val : array-like of shape (n_clips, ...), default=None
            Clips and targets to measure each epoch on, instead of a part of X.

        Returns
        -------
        self : object
        """
        return self._fit(
            X, y, groups=groups, sample_weight=sample_weight, X_val=X_val, y_val=y_val,
            going_on=self.warm_start and self.initialized_,
        )  # fmt: skip

    def partial_fit(self, X, y=None, classes=None, **fit_params):
        """Go on training for `max_epochs` epochs at a constant learning rate, as in skorch.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...)
            As in ``fit``.
        y : array-like of shape (n_clips,), default=None
            Targets.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come.
        **fit_params : dict
            ``sample_weight``.

        Returns
        -------
        self : object
        """
        return self._fit(
            X, y, classes=classes, going_on=self.initialized_, lr_schedule="constant", **fit_params
        )

    def _fit(self, X, y, *, going_on=False, lr_schedule=None, **fit_params):
        """Fit, or go on from the weights that are there, by a schedule for the learning rate."""
        self.check_training_readiness()
        self._validate_params()
        self.check_data(X, y)
        with (
            torch_seed(draw_seed(self.random_state), resolve_device(self.device)),
            default_float32(),
        ):
            data = self.get_split_datasets(
                X, y, reset=not going_on, put_aside=lr_schedule is None, **fit_params
            )
            if not going_on:
                self.initialize()
            self.notify("on_train_begin", X=X, y=y)
            try:
                self._train(DatasetPair(*data), lr_schedule or self.lr_schedule, going_on)
            except KeyboardInterrupt as interrupt:
                self._interrupted(interrupt)
            self.notify("on_train_end", X=X, y=y)
        return self

    def _interrupted(self, interrupt):
        """Keep the weights so far, unless a search would take them for those of a whole fit."""
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
            del self.history_[-1]  # curves are of whole epochs

    def _train(self, data, lr_schedule, going_on):
        """Train the initialised net, in one stage here."""
        self.fit_loop(data, lr_schedule=lr_schedule)

    def check_data(self, X, y=None):
        """Hook of skorch, called before anything else; the checks are in ``get_dataset``."""

    def get_split_datasets(
        self,
        X,
        y=None,
        *,
        groups=None,
        sample_weight=None,
        X_val=None,
        y_val=None,
        classes=None,
        reset=False,
        put_aside=True,
    ):
        """Clips to train on, and clips that each epoch is measured on.

        Parameters
        ----------
        X : array-like or dataset
        y : array-like of shape (n_clips,), default=None
        groups, sample_weight, X_val, y_val, classes
            As in ``fit`` and ``partial_fit``.
        reset : bool, default=False
            See ``get_dataset``.
        put_aside : bool, default=True
            Whether `early_stopping` may put a part of X aside.

        Returns
        -------
        train : ClipDataset
        valid : ClipDataset or None
        """
        if isinstance(X, DatasetPair):
            return X
        if y is None and not is_dataset(X):
            self._check_y(y, reset=False)  # some nets learn without targets
        data = self.get_dataset(X, y, sample_weight=sample_weight, classes=classes, reset=reset)
        valid = None
        if X_val is not None:
            if y_val is None and data.targets is not None:
                raise ValueError("X_val is given without y_val")
            valid = self.get_dataset(X_val, y_val)
        if groups is not None:
            check_consistent_length(X, groups)
        data, groups = _without_zero_weights(data, groups)
        if valid is None and self.early_stopping and put_aside:
            data, valid = split_for_early_stopping(
                data, groups, self.validation_fraction, self._stratify(data)
            )
            if valid.sample_weight is not None:
                valid.sample_weight = valid.sample_weight / valid.sample_weight.mean()
        return DatasetPair(data, valid)

    def _stratify(self, data):
        return None

    def fit_loop(self, X, y=None, epochs=None, *, lr_schedule="constant", **fit_params):
        """Train for a number of epochs, without initialising anything.

        Parameters
        ----------
        X : array-like or dataset
        y : array-like of shape (n_clips,), default=None
        epochs : int, default=None
            None is `max_epochs`.
        lr_schedule : {"constant", "one_cycle", "cosine", "swa"}, default="constant"
            How the learning rate changes over these epochs.
        **fit_params : dict
            Handed to ``get_split_datasets``.

        Returns
        -------
        self : object
        """
        self.check_training_readiness()
        if not isinstance(X, DatasetPair):
            self.check_data(X, y)
        epochs = self.max_epochs if epochs is None else epochs
        train, valid = self.get_split_datasets(X, y, **fit_params)
        shown = {"dataset_train": train, "dataset_valid": valid}
        self._running = TrainingState(self)
        try:
            train, valid = self._running.prepared(train), self._running.prepared(valid)
            iterator = self.get_iterator(train, training=True)
            n_batches = _n_batches(iterator, train, self.batch_size)
            rates = LearningRates(self.optimizer_, lr_schedule, epochs * n_batches)
            best = mean = None
            if self.early_stopping and valid is not None:
                best = BestWeights(self.module_, self.n_iter_no_change)
            if lr_schedule == "swa":
                mean = MeanWeights(self.module_, epochs * n_batches)
            hook = self.optimizer_.register_step_post_hook(self._after_step(mean))
            try:
                self._run_epochs(iterator, valid, epochs, rates, best, shown)
            finally:  # also where training was interrupted
                hook.remove()
                rates.restore()
                if mean is not None:
                    state = self._running
                    mean.load(iterator, lambda batch: self._training_output(batch[0], state))
                self.module_.eval()
                if best is not None:
                    best.load()
        finally:
            del self._running
        return self

    def _run_epochs(self, iterator, valid, epochs, rates, best, shown):
        iterator_valid = None if valid is None else self.get_iterator(valid)
        progress = tqdm(
            total=epochs, unit="epoch", disable=not self.verbose, leave=self.verbose > 1
        )
        with progress:
            for _ in range(epochs):
                self.notify("on_epoch_begin", **shown)
                lr = self._train_epoch(iterator, rates)
                self.run_single_epoch(
                    iterator_valid, training=False, prefix="valid", step_fn=self.validation_step
                )
                self.history_.record("lr", lr)
                losses = self._check_losses()
                enough = False
                if best is not None:
                    enough = best.update(losses["valid"], len(self.history_))
                    self.best_epoch_ = best.epoch
                try:
                    self.notify("on_epoch_end", **shown)
                except KeyboardInterrupt as interrupt:  # how callbacks of skorch end a training
                    if not raised_by_code(interrupt):
                        raise
                    enough = True
                progress.set_postfix(self._progress(losses))
                progress.update()
                if enough:
                    break

    def _after_step(self, mean):
        """What follows each step of the optimiser, whichever method of the net made it."""
        constrained = self._running.constrained

        def follow(optimizer, args, kwargs):
            for module in constrained:
                module.apply_constraints()
            if mean is not None:
                mean.after_step()

        return follow

    def _train_epoch(self, iterator, rates):
        """Train one epoch, and return the learning rate of its last step."""
        last = rates.current
        self.module_.train()  # layers that callbacks froze or freed since the last epoch, too

        def paced():
            nonlocal last
            for batch in iterator:
                last = rates.current
                yield batch
                rates.step()

        self.run_single_epoch(paced(), training=True, prefix="train", step_fn=self.train_step)
        return last

    def run_single_epoch(self, iterator, training, prefix, step_fn, **fit_params):
        """Call a step for each batch, and record its loss; see skorch.

        Callbacks are shown labels as the user gave them, steps get them as numbers.

        Parameters
        ----------
        iterator : iterable of (inputs, targets), or None
            None does nothing.
        training : bool
            Told to callbacks.
        prefix : str
            ``"train"`` or ``"valid"``, the beginning of the names in ``history_``.
        step_fn : callable
            ``train_step`` or ``validation_step``.
        **fit_params : dict
            Handed to `step_fn`.
        """
        if iterator is None:
            return
        count = 0
        for batch in iterator:
            shown = self._with_labels(batch)
            self.notify("on_batch_begin", batch=shown, training=training)
            step = step_fn(batch, **fit_params)
            self.history_.record_batch(f"{prefix}_loss", step["loss"].item())
            self.history_.record_batch(f"{prefix}_batch_size", len(split_inputs(batch[0])[0]))
            self.notify("on_batch_end", batch=shown, training=training, **step)
            count += 1
        self.history_.record(f"{prefix}_batch_count", count)

    def _with_labels(self, batch):
        """A batch with its targets as the user gave them."""
        labels = self._labels()
        if labels is None or not self.callbacks_:
            return batch
        X, y = batch
        return X, labels_of_codes(y, labels)

    def _check_losses(self):
        """Mean losses of the last epoch, by "train" and "valid"; infinity and NaN are refused."""
        losses = {}
        for name in ("train", "valid"):
            batches = [b for b in self.history_[-1]["batches"] if f"{name}_loss" in b]
            if batches:
                sizes = [b[f"{name}_batch_size"] for b in batches]
                total = sum(b[f"{name}_loss"] * size for b, size in zip(batches, sizes))
                losses[name] = total / sum(sizes)
        if not math.isfinite(losses.get("train", 0.0)):
            raise ValueError(
                f"training diverged: the loss became {losses['train']} in epoch "
                f"{len(self.history_)}; lower lr={self.lr}, set gradient_clip=1.0, or look for "
                "extreme values in X"
            )
        return losses

    def _progress(self, losses):
        """What a progress bar shows of the last epoch."""
        shown = {f"{name}_loss": value for name, value in losses.items()}
        row = self.history_[-1]
        shown |= {
            name: value
            for name, value in row.items()
            if name.startswith("valid_") and isinstance(value, float)
        }
        return {name: f"{value:.3f}" for name, value in shown.items()}


def split_for_early_stopping(data, groups, fraction, stratify):
    """Put a part of the clips aside, by speaker where speakers are known.

    Parameters
    ----------
    data : ClipDataset
    groups : array-like of shape (n_clips,) or None
        Speakers; no speaker is on both sides.
    fraction : float
        Size of the part.
    stratify : ndarray of shape (n_clips,) or (n_clips, n_targets), or None
        Classes, labels or numbers to keep in proportion. Labels and numbers are kept in
        proportion where speakers are known.

    Returns
    -------
    train, valid : ClipDataset
    """
    # drawn inside the seeded block of fit: the split follows random_state like everything else
    seed = int(torch.randint(2**31 - 1, ()))
    clips = torch.zeros(len(data), 1).numpy()
    if groups is not None:
        numbers = stratify is not None and stratify.dtype.kind == "f"
        splitter = StratifiedGroupShuffleSplit(
            1, test_size=fraction, n_bins=N_BINS if numbers else None, random_state=seed
        )
        labels = stratify if stratify is not None else torch.zeros(len(data)).numpy()
        split = next(splitter.split(clips, labels, groups))
    else:
        warnings.warn(
            "early_stopping=True splits off its clips at random, so that speakers may be on both "
            "sides and stopping comes too late; pass groups=speakers to fit",
            UserWarning,
            stacklevel=5,
        )
        in_classes = stratify is not None and stratify.ndim == 1
        kind = StratifiedShuffleSplit if in_classes else ShuffleSplit
        splitter = kind(1, test_size=fraction, random_state=seed)
        try:
            split = next(splitter.split(clips, stratify))
        except ValueError as error:
            raise ValueError(
                f"validation_fraction={fraction} of {len(data)} clips cannot be put aside for "
                f"early stopping: {error}"
            ) from error
    return tuple(data.subset(torch.as_tensor(part)) for part in split)


def _without_zero_weights(data, groups):
    """Clips of weight 0 must reach neither batch norm nor the scale of the loss."""
    weight = data.sample_weight
    if weight is None or bool((weight > 0).all()):
        return data, groups
    kept = torch.nonzero(weight > 0)[:, 0]
    data = data.subset(kept)
    data.sample_weight = data.sample_weight / data.sample_weight.mean()
    return data, None if groups is None else safe_indexing(groups, kept.numpy())


def _n_batches(iterator, data, batch_size):
    n_batches = len(iterator)
    if n_batches == 0:
        raise ValueError(
            f"no step can be made: {len(data)} clips give no batch of batch_size={batch_size} "
            "with iterator_train__drop_last=True"
        )
    return n_batches
