"""The training loop: epochs, validation, early stopping, progress."""

import math
import time
import warnings
from copy import deepcopy

import torch
from sklearn.model_selection import ShuffleSplit, StratifiedShuffleSplit
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import AveragedModel
from tqdm.auto import tqdm

from ..splits import StratifiedGroupShuffleSplit
from ._schedule import LRSchedule
from ._step import TrainingStep


def split_for_early_stopping(data, groups, fraction, stratify):
    """Put a part of the clips aside, by speaker where speakers are known.

    Parameters
    ----------
    data : ClipDataset
    groups : array-like of shape (n_clips,) or None
        Speakers; no speaker is on both sides.
    fraction : float
        Size of the part.
    stratify : ndarray of shape (n_clips,) or None
        Classes to keep in proportion.

    Returns
    -------
    train, valid : ClipDataset
    """
    # inside the seeded scope of fit: the split follows random_state like everything else
    seed = int(torch.randint(2**31 - 1, ()))
    clips = torch.zeros(len(data), 1).numpy()
    if groups is not None:
        splitter = StratifiedGroupShuffleSplit(1, test_size=fraction, random_state=seed)
        labels = stratify if stratify is not None else torch.zeros(len(data)).numpy()
        split = next(splitter.split(clips, labels, groups))
    else:
        warnings.warn(
            "early_stopping=True splits off its clips at random, so that speakers may be on both "
            "sides and stopping comes too late; pass groups=speakers to fit",
            UserWarning,
            stacklevel=4,
        )
        kind = ShuffleSplit if stratify is None else StratifiedShuffleSplit
        splitter = kind(1, test_size=fraction, random_state=seed)
        try:
            split = next(splitter.split(clips, stratify))
        except ValueError as error:
            raise ValueError(
                f"validation_fraction={fraction} of {len(data)} clips cannot be put aside for "
                f"early stopping: {error}"
            ) from error
    return tuple(data.subset(torch.as_tensor(part)) for part in split)


def train(net, data, valid, epochs, schedule):
    """Train `net` on `data` for a number of epochs.

    Parameters
    ----------
    net : BaseSpeechNet
        Initialised.
    data : ClipDataset
    valid : ClipDataset or None
        Measured after each epoch.
    epochs : int
    schedule : {"one_cycle", "cosine", "constant", "swa"}
    """
    step = TrainingStep(net)
    on_epoch = {"dataset_train": data, "dataset_valid": valid}
    data, valid = step.prepared(data), step.prepared(valid)
    iterator = net.get_iterator(data, training=True)
    n_batches = len(iterator)
    if n_batches == 0:
        raise ValueError(
            f"no step can be made: {len(data)} clips give no batch of "
            f"batch_size={net.batch_size} with iterator_train__drop_last=True"
        )
    rates = LRSchedule(net.optimizer_, schedule, epochs * n_batches)
    best = BestWeights(net) if net.early_stopping and valid is not None else None
    mean = MeanWeights(net, epochs * n_batches) if schedule == "swa" else None
    try:
        _train_epochs(net, step, iterator, rates, valid, best, mean, epochs, on_epoch)
    finally:  # also where training was interrupted
        rates.restore()
        if mean is not None:
            mean.take_over(step, iterator)
        net.module_.eval()
        if best is not None:
            best.restore()


def _train_epochs(net, step, iterator, rates, valid, best, mean, epochs, on_epoch):
    with tqdm(total=epochs, unit="epoch", disable=not net.verbose, leave=net.verbose > 1) as bar:
        for _ in range(epochs):
            began = time.perf_counter()
            net.notify("on_epoch_begin", **on_epoch)
            loss = _train_epoch(net, step, iterator, rates, mean)
            _record_loss(net.history_, "train_loss", loss)
            net.history_.record("lr", net.optimizer_.param_groups[0]["lr"])
            shown, enough = {"loss": f"{loss:.3f}"}, False
            if valid is not None:
                scores = _validate(net, step, valid)
                _record_loss(net.history_, "valid_loss", scores["valid_loss"])
                for name, value in scores.items():
                    net.history_.record(name, value)
                    shown[name] = f"{value:.3f}"
                enough = best is not None and best.seen(scores["valid_loss"])
            net.history_.record("dur", time.perf_counter() - began)
            bar.set_postfix(shown)
            bar.update()
            try:
                net.notify("on_epoch_end", **on_epoch)
            except KeyboardInterrupt:  # how callbacks of skorch say that it is enough
                enough = True
            if enough:
                break


def _record_loss(history, name, value):
    """Record a loss, and whether it is the lowest so far, which callbacks look for."""
    before = [row[name] for row in history[:-1] if name in row]
    history.record(name, value)
    history.record(f"{name}_best", all(value < earlier for earlier in before))


def _train_epoch(net, step, iterator, rates, mean):
    watched = bool(net.callbacks_)
    net.module_.train()
    total, count = torch.zeros((), device=net.device_), 0
    for batch in iterator:
        rates.step()
        if watched:
            net.notify("on_batch_begin", batch=batch, training=True)
        loss, output = step(batch)
        if mean is not None:
            mean.after_step()
        size = len(batch[0])
        total += loss.detach() * size
        count += size
        if watched:
            net.history_.record_batch("train_loss", loss.item())
            net.history_.record_batch("train_batch_size", size)
            net.notify("on_batch_end", batch=batch, training=True, loss=loss, y_pred=output)
    loss = total.item() / max(count, 1)
    if not math.isfinite(loss):
        raise ValueError(
            f"training diverged: the loss became {loss} in epoch {len(net.history_)}; lower "
            f"lr={net.lr}, set gradient_clip=1.0, or look for extreme values in X"
        )
    return loss


def _validate(net, step, valid):
    """Weighted loss of the clips put aside, and whatever the net counts of them."""
    totals, count, mass = {}, 0, 0.0
    watched = bool(net.callbacks_)
    for batch in net.get_iterator(valid):
        if watched:
            net.notify("on_batch_begin", batch=batch, training=False)
        net.module_.eval()
        with torch.no_grad():
            output = step.output(batch)
            losses = net.clip_losses(output, step.to_device(batch[1]), batch)
        size, weight = len(batch[0]), step.to_device(getattr(batch, "sample_weight", None))
        loss = losses.sum() if weight is None else (losses * weight).sum()
        mass += size if weight is None else float(weight.sum())
        sums = {"valid_loss": loss, **net.batch_scores(output, step.to_device(batch[1]))}
        for name, value in sums.items():
            totals[name] = totals.get(name, 0.0) + float(value)
        count += size
        if watched:
            net.history_.record_batch("valid_loss", float(losses.mean()))
            net.history_.record_batch("valid_batch_size", size)
            net.notify(
                "on_batch_end", batch=batch, training=False, loss=losses.mean(), y_pred=output
            )
    means = {name: value / count for name, value in totals.items()}
    return net.epoch_scores({**means, "valid_loss": totals["valid_loss"] / mass})


class MeanWeights:
    """The mean of the weights after each step of the second half of a training."""

    def __init__(self, net, n_steps):
        self.net, self.n_before, self.model = net, n_steps // 2, None

    def after_step(self):
        if self.n_before > 0:
            self.n_before -= 1
            return
        if self.model is None:
            self.model = AveragedModel(self.net.module_)
        self.model.update_parameters(self.net.module_)

    def take_over(self, step, iterator):
        """Give the net the mean, where it came so far, and batch norm what it then sees."""
        if self.model is not None:
            self.net.module_.load_state_dict(self.model.module.state_dict())
            _measure_statistics(self.net.module_.train(), step, iterator)


#: Batches that statistics of batch norm are measured on: an epoch, and not fewer than these.
_FOR_STATISTICS = 10


def _measure_statistics(module, step, iterator):
    """Set the running statistics of batch norm anew, by training batches."""
    norms = [m for m in module.modules() if isinstance(m, _BatchNorm) and m.training]
    before = [(norm.momentum, deepcopy(norm.state_dict())) for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches
    try:
        with torch.no_grad():
            for _ in range(math.ceil(_FOR_STATISTICS / len(iterator)) if norms else 0):
                for batch in iterator:
                    step.output(batch, augment=True)
    finally:
        for norm, (momentum, state) in zip(norms, before):
            norm.momentum = momentum
            if not norm.num_batches_tracked:  # nothing came this way, as in training
                norm.load_state_dict(state)


class BestWeights:
    """Remembers the weights of the epoch with the lowest validation loss."""

    def __init__(self, net):
        self.net, self.loss, self.waited, self.state = net, float("inf"), 0, None

    def seen(self, loss):
        """Take note of an epoch's loss; true when it is time to stop."""
        if loss < self.loss:
            self.loss, self.waited = loss, 0
            self.state = deepcopy(self.net.module_.state_dict())
            self.net.best_epoch_ = len(self.net.history_)
        else:
            self.waited += 1
        return self.waited >= self.net.n_iter_no_change

    def restore(self):
        if self.state is not None:
            self.net.module_.load_state_dict(self.state)
