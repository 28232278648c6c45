"""Final weights of a training run: the mean over many steps, or those of the best epoch."""

import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from ._batches import Batches

#: Minimum number of batches for measuring the statistics of batch norm; epochs are not cut short.
_MIN_BATCHES = 10


class MeanWeights:
    """The mean of the weights after each step of the second half of a training.

    Parameters
    ----------
    module : torch.nn.Module
        The module in training.
    n_steps : int
        Number of steps of the whole training.
    """

    def __init__(self, module: nn.Module, n_steps: int):
        self.module, self.n_before = module, n_steps // 2
        self.averaged: AveragedModel | None = None

    def after_step(self) -> None:
        """Include the current weights, if half of the training run is over."""
        if self.n_before > 0:
            self.n_before -= 1
            return
        if self.averaged is None:
            self.averaged = AveragedModel(self.module)
        self.averaged.update_parameters(self.module)

    def load(self, iterator: Batches, forward: Callable[[Any], Any]) -> None:
        """Load the mean into the module, and measure the statistics of batch norm for it.

        Nothing changes if less than half of the training run is over.

        Parameters
        ----------
        iterator : BatchIterator or DataLoader
            Training batches.
        forward : callable
            Runs the module on a batch as a training step does.
        """
        if self.averaged is not None:
            self.module.load_state_dict(self.averaged.module.state_dict())
            _measure_statistics(self.module.train(), iterator, forward)


def _measure_statistics(
    module: nn.Module, iterator: Batches, forward: Callable[[Any], Any]
) -> None:
    """Measure the running statistics of batch norm again, on training batches."""
    kinds = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
    norms = [m for m in module.modules() if isinstance(m, kinds) and m.training]
    before = [(norm.momentum, deepcopy(norm.state_dict())) for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean over batches
    try:
        with torch.no_grad():
            for _ in range(math.ceil(_MIN_BATCHES / len(iterator)) if norms else 0):
                for batch in iterator:
                    forward(batch)
    finally:
        for norm, (momentum, state) in zip(norms, before):
            norm.momentum = momentum
            if not norm.num_batches_tracked:  # no batch reached it, as in training
                norm.load_state_dict(state)


class BestWeights:
    """The weights of the epoch with the lowest validation loss.

    Parameters
    ----------
    module : torch.nn.Module
        The module in training.
    patience : int
        Number of epochs without improvement after which training should stop.

    Attributes
    ----------
    epoch : int or None
        Number of the best epoch, counted from 1.
    """

    def __init__(self, module: nn.Module, patience: int):
        self.module, self.patience = module, patience
        self.loss, self.n_worse = math.inf, 0
        self.state: dict[str, Any] | None = None
        self.epoch: int | None = None

    def update(self, loss: float, epoch: int) -> bool:
        """Keep the weights if the loss is the lowest so far; return whether to stop."""
        if loss < self.loss:
            self.loss, self.n_worse, self.epoch = loss, 0, epoch
            self.state = deepcopy(self.module.state_dict())
        else:
            self.n_worse += 1
        return self.n_worse >= self.patience

    def load(self) -> None:
        """Load the best weights into the module."""
        if self.state is not None:
            self.module.load_state_dict(self.state)
