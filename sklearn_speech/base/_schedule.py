"""How the learning rate changes over a fit, and which optimiser a name means."""

import math

import torch

OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}

#: Optimisers with an implementation in one kernel, which is what makes small networks fast.
FUSED = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)

#: Options of an optimiser that exclude that implementation.
FUSED_EXCLUDES = {"fused", "foreach", "capturable", "differentiable"}

SCHEDULES = ("one_cycle", "cosine", "constant", "swa")

_WARM_UP = 0.3
_START = 1 / 25
_END = 1e-4


def lr_factor(schedule, progress):
    """Learning rate as a share of its maximum.

    Parameters
    ----------
    schedule : {"one_cycle", "cosine", "constant", "swa"}
        "one_cycle" rises from 1/25 over the first 30 % of the steps, then falls
        to 1e-4, both as half a cosine (Smith and Topin, 2017). "cosine" only
        falls, to 0. "swa" rises as "one_cycle" does, and stays.
    progress : float
        Steps done over steps in all, in [0, 1].

    Returns
    -------
    factor : float

    Examples
    --------
    >>> round(lr_factor("one_cycle", 0.0), 6), lr_factor("one_cycle", 0.3)
    (0.04, 1.0)
    """
    if schedule == "constant":
        return 1.0
    if schedule == "cosine":
        return _half_cosine(1.0, 0.0, progress)
    if progress <= _WARM_UP:
        return _half_cosine(_START, 1.0, progress / _WARM_UP)
    if schedule == "swa":
        return 1.0
    return _half_cosine(1.0, _END, (progress - _WARM_UP) / (1 - _WARM_UP))


def _half_cosine(start, stop, share):
    return stop + (start - stop) * (1 + math.cos(math.pi * min(share, 1.0))) / 2


class LRSchedule:
    """Sets the learning rates of an optimiser before each of `n_steps` steps."""

    def __init__(self, optimizer, schedule, n_steps):
        self.optimizer, self.schedule = optimizer, schedule
        self.n_steps, self.done = max(n_steps, 1), 0
        self.maxima = [group["lr"] for group in optimizer.param_groups]

    def step(self):
        if self.schedule == "constant":
            return
        factor = lr_factor(self.schedule, self.done / self.n_steps)
        for group, maximum in zip(self.optimizer.param_groups, self.maxima):
            group["lr"] = maximum * factor
        self.done += 1

    def restore(self):
        """Put the maximal rates back, from which another fit goes on."""
        for group, maximum in zip(self.optimizer.param_groups, self.maxima):
            group["lr"] = maximum
