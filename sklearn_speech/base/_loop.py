"""The training loop: epochs, batches, learning rates, and the best or mean weights at the end."""

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Self

from tqdm.auto import tqdm

from ..utils.interrupts import raised_by_code
from ._averaging import BestWeights, MeanWeights
from ._batches import Batches, ClipDataset, labels_of_codes, split_inputs
from ._mixin import Mixin
from ._schedule import LearningRates
from ._step import TrainingState
from ._training_clips import DatasetPair


class NetworkLoop(Mixin):
    """The training loop; mixin placed before NeuralNet.

    As in skorch, ``fit_loop`` calls ``run_single_epoch`` with ``train_step`` and with
    ``validation_step``. Subclasses may override each of them.
    """

    def fit_loop(
        self,
        X: Any,
        y: Any = None,
        epochs: int | None = None,
        *,
        lr_schedule: str = "constant",
        **fit_params: Any,
    ) -> Self:
        """Train for a number of epochs, without initialising anything.

        Parameters
        ----------
        X : array-like or dataset
        y : array-like of shape (n_clips,), default=None
        epochs : int, default=None
            None means `max_epochs`.
        lr_schedule : {"constant", "one_cycle", "cosine", "swa"}, default="constant"
            How the learning rate changes over these epochs.
        **fit_params : dict
            Passed to ``get_split_datasets``.

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
            train = self._running.prepared(train)
            valid = None if valid is None else self._running.prepared(valid)
            iterator = self.get_iterator(train, training=True)
            n_batches = _n_batches(iterator, train, self.batch_size)
            rates = LearningRates(self.optimizer_, lr_schedule, epochs * n_batches)
            best: BestWeights | None = None
            mean: MeanWeights | None = None
            if self.early_stopping and valid is not None:
                best = BestWeights(self.module_, self.n_iter_no_change)
            if lr_schedule == "swa":
                mean = MeanWeights(self.module_, epochs * n_batches)
            hook = self.optimizer_.register_step_post_hook(self._after_step(mean))
            try:
                self._run_epochs(iterator, valid, epochs, rates, best, shown)
            finally:  # also after an interrupt
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

    def _run_epochs(
        self,
        iterator: Batches,
        valid: ClipDataset | None,
        epochs: int,
        rates: LearningRates,
        best: BestWeights | None,
        shown: dict[str, Any],
    ) -> None:
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
                except KeyboardInterrupt as interrupt:  # how callbacks of skorch stop training
                    if not raised_by_code(interrupt):
                        raise
                    enough = True
                progress.set_postfix(self._progress(losses))
                progress.update()
                if enough:
                    break

    def _after_step(self, mean: MeanWeights | None) -> Callable[..., None]:
        """A hook to run after each step of the optimiser, whichever method of the net took it."""
        constrained = self._running.constrained

        def follow(optimizer: Any, args: Any, kwargs: Any) -> None:
            for module in constrained:
                module.apply_constraints()
            if mean is not None:
                mean.after_step()

        return follow

    def _train_epoch(self, iterator: Batches, rates: LearningRates) -> float:
        """Train for one epoch, and return the learning rate of its last step."""
        last = rates.current
        self.module_.train()  # callbacks may have frozen or unfrozen layers

        def paced() -> Iterator[Any]:
            nonlocal last
            for batch in iterator:
                last = rates.current
                yield batch
                rates.step()

        self.run_single_epoch(paced(), training=True, prefix="train", step_fn=self.train_step)
        return last

    def run_single_epoch(
        self,
        iterator: Iterable[Any] | None,
        training: bool,
        prefix: str,
        step_fn: Callable[..., dict[str, Any]],
        **fit_params: Any,
    ) -> None:
        """Call a step for each batch, and record its loss; see skorch.

        Callbacks get labels in the form that the user gave, steps get them as numbers.

        Parameters
        ----------
        iterator : iterable of (inputs, targets), or None
            With None, nothing is done.
        training : bool
            Passed to callbacks.
        prefix : str
            ``"train"`` or ``"valid"``, the prefix of the names in ``history_``.
        step_fn : callable
            ``train_step`` or ``validation_step``.
        **fit_params : dict
            Passed to `step_fn`.
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

    def _with_labels(self, batch: Any) -> Any:
        """A batch with its targets in the form that the user gave."""
        labels = self._labels()
        if labels is None or not self.callbacks_:
            return batch
        X, y = batch
        return X, labels_of_codes(y, labels)

    def _check_losses(self) -> dict[str, float]:
        """Mean losses of the last epoch, as "train" and "valid"; refuse infinity and NaN."""
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

    def _progress(self, losses: dict[str, float]) -> dict[str, str]:
        """Values of the last epoch for the progress bar."""
        shown = {f"{name}_loss": value for name, value in losses.items()}
        row = self.history_[-1]
        shown |= {
            name: value
            for name, value in row.items()
            if name.startswith("valid_") and isinstance(value, float)
        }
        return {name: f"{value:.3f}" for name, value in shown.items()}


def _n_batches(iterator: Batches, data: ClipDataset, batch_size: int) -> int:
    n_batches = len(iterator)
    if n_batches == 0:
        raise ValueError(
            f"there is nothing to train on: {len(data)} clips do not fill one batch of "
            f"batch_size={batch_size}, and iterator_train__drop_last=True drops smaller batches"
        )
    return n_batches
