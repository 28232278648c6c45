"""How the learning rate changes over a fit, and which optimiser a name means."""

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, OneCycleLR

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

#: Share of the steps in which "one_cycle" and "swa" raise the learning rate.
WARM_UP = 0.3


class LearningRates:
    """Learning rates of the steps of one fit, by a scheduler of torch.

    "one_cycle" rises from 1/25 of the rate over the first 30 % of the steps, then falls to
    1e-4 of it, both as half a cosine (Smith and Topin, 2017). "cosine" only falls, to 0.
    "swa" rises as "one_cycle" does, then stays. "constant" changes nothing.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Its groups have the largest rates.
    schedule : {"one_cycle", "cosine", "constant", "swa"}
    n_steps : int
        Steps of the whole fit.
    """

    def __init__(self, optimizer, schedule, n_steps):
        self.optimizer, self.schedule, self.n_steps = optimizer, schedule, n_steps
        self.largest = [group["lr"] for group in optimizer.param_groups]
        self.n_done = 0
        self._scheduler = None
        if n_steps and schedule in ("one_cycle", "swa"):
            self._scheduler = OneCycleLR(
                optimizer,
                max_lr=self.largest,
                # torch counts from 0 to total_steps - 1, and the rise ends one step early
                total_steps=n_steps + 1,
                pct_start=(WARM_UP * n_steps + 1) / (n_steps + 1),
                div_factor=25,
                final_div_factor=400,
                cycle_momentum=False,
            )
        elif n_steps and schedule == "cosine":
            self._scheduler = CosineAnnealingLR(optimizer, T_max=n_steps)

    @property
    def current(self):
        """Learning rate of the first group."""
        return self.optimizer.param_groups[0]["lr"]

    def step(self):
        """Set the rates of the next step."""
        self.n_done += 1
        if self._scheduler is None:
            return
        if self.schedule == "swa" and self.n_done > WARM_UP * self.n_steps:
            self.restore()
        elif self.n_done <= self.n_steps:
            self._scheduler.step()

    def restore(self):
        """Restore the largest rates, and leave no trace of the scheduler in the optimiser."""
        if self._scheduler is None:
            return
        for group, largest in zip(self.optimizer.param_groups, self.largest):
            group["lr"] = largest
            for added in ("initial_lr", "max_lr", "min_lr"):
                group.pop(added, None)
        vars(self.optimizer).pop("step", None)  # torch's schedulers wrap it
        self._scheduler = None
