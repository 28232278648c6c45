"""Learning rate schedules, and optimisers by name."""

from typing import Any

import torch
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler, OneCycleLR

OPTIMIZERS: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "rmsprop": torch.optim.RMSprop,
    "sgd": torch.optim.SGD,
}

#: Optimisers with a fused implementation (one kernel), which makes small networks fast.
FUSED: tuple[Any, ...] = (torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD)

#: Options of an optimiser that exclude the fused implementation.
FUSED_EXCLUDES = {"fused", "foreach", "capturable", "differentiable"}

SCHEDULES = ("one_cycle", "cosine", "constant", "swa")

#: Fraction of the steps in which "one_cycle" and "swa" raise the learning rate.
WARM_UP = 0.3


class LearningRates:
    """Learning rate of each step of a fit, set by a scheduler of torch.

    "one_cycle" rises from 1/25 of the largest rate over the first 30 % of the steps, then falls
    to 1e-4 of it, each along half a cosine (Smith and Topin, 2017). "cosine" falls to 0 along
    half a cosine. "swa" rises like "one_cycle", then stays constant. "constant" never changes.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
        Its parameter groups have the largest rates.
    schedule : {"one_cycle", "cosine", "constant", "swa"}
    n_steps : int
        Number of steps of the whole fit.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, schedule: str, n_steps: int):
        self.optimizer, self.schedule, self.n_steps = optimizer, schedule, n_steps
        self.largest = [group["lr"] for group in optimizer.param_groups]
        self.n_done = 0
        self._scheduler: LRScheduler | None = None
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
    def current(self) -> float:
        """Learning rate of the first group."""
        return self.optimizer.param_groups[0]["lr"]

    def step(self) -> None:
        """Set the rates of the next step."""
        self.n_done += 1
        if self._scheduler is None:
            return
        if self.schedule == "swa" and self.n_done > WARM_UP * self.n_steps:
            self.restore()
        elif self.n_done <= self.n_steps:
            self._scheduler.step()

    def restore(self) -> None:
        """Restore the largest rates, and remove what the scheduler added to the optimiser."""
        if self._scheduler is None:
            return
        for group, largest in zip(self.optimizer.param_groups, self.largest):
            group["lr"] = largest
            for added in ("initial_lr", "max_lr", "min_lr"):
                group.pop(added, None)
        vars(self.optimizer).pop("step", None)  # torch's schedulers wrap it
        self._scheduler = None
