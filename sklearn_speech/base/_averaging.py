"""Weights that a training ends with: the mean of many steps, or those of the best epoch."""

import math
from copy import deepcopy

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

#: Least number of batches that statistics of batch norm are measured on, in whole epochs.
_MIN_BATCHES = 10


class MeanWeights:
    """The mean of the weights after each step of the second half of a training.

    Parameters
    ----------
    module : torch.nn.Module
        In training.
    n_steps : int
        Steps of the whole training.
    """

    def __init__(self, module, n_steps):
        self.module, self.n_before, self.averaged = module, n_steps // 2, None

    def after_step(self):
        """Include the weights as they are now, from the middle of the training on."""
        if self.n_before > 0:
            self.n_before -= 1
            return
        if self.averaged is None:
            self.averaged = AveragedModel(self.module)
        self.averaged.update_parameters(self.module)

    def load(self, iterator, forward):
        """Give the module the mean, if the training came so far, and new statistics of batch norm.

        Parameters
        ----------
        iterator : iterable of batches
            Training batches.
        forward : callable
            Runs the module on a batch as a training step does.
        """
        if self.averaged is not None:
            self.module.load_state_dict(self.averaged.module.state_dict())
            _measure_statistics(self.module.train(), iterator, forward)


def _measure_statistics(module, iterator, forward):
    """Set the running statistics of batch norm anew, by training batches."""
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
        In training.
    patience : int
        Epochs without improvement after which training should stop.

    Attributes
    ----------
    epoch : int or None
        Number of the best epoch, from 1.
    """

    def __init__(self, module, patience):
        self.module, self.patience = module, patience
        self.loss, self.n_worse, self.state, self.epoch = math.inf, 0, None, None

    def update(self, loss, epoch):
        """Keep the weights if the loss is the lowest so far; tell whether to stop."""
        if loss < self.loss:
            self.loss, self.n_worse, self.epoch = loss, 0, epoch
            self.state = deepcopy(self.module.state_dict())
        else:
            self.n_worse += 1
        return self.n_worse >= self.patience

    def load(self):
        """Give the module the best weights."""
        if self.state is not None:
            self.module.load_state_dict(self.state)
