"""Labels that are not those of the largest answers, as torch modules."""

import numpy as np
import torch
from torch import Tensor, nn

from ._steps import constant


class Decided(nn.Module):
    """Answers, and numbers of which the largest gives the label.

    Parameters
    ----------
    answers : torch.nn.Module
    decisions : torch.nn.Module
    of_answers : bool
        Whether decisions are made of the answers, and not of what they are made of.

    Shape
    -----
    Output twice (n_clips, n_classes).
    """

    def __init__(self, answers: nn.Module, decisions: nn.Module, *, of_answers: bool) -> None:
        super().__init__()
        self.answers, self.decisions, self.of_answers = answers, decisions, of_answers

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Answers and decisions."""
        answers = self.answers(x)
        return answers, self.decisions(answers if self.of_answers else x)


class Threshold(nn.Module):
    """Decisions for a class if its score reaches a threshold, and otherwise for the other one.

    Parameters
    ----------
    column : int
        Of the class.
    threshold : float

    Shape
    -----
    Input and output (n_clips, 2).
    """

    def __init__(self, column: int, threshold: float) -> None:
        super().__init__()
        self.column = column
        bound = np.float32(threshold)
        # of equal decisions the first one counts, but the class has its threshold
        self.bound = float(np.nextafter(bound, np.float32(-np.inf)) if column else bound)

    def forward(self, x: Tensor) -> Tensor:
        """How far the class is above the threshold, and 0 for the other one."""
        above = x[:, self.column] - self.bound
        other = torch.zeros_like(above)
        return torch.stack([other, above] if self.column else [above, other], dim=1)


class PairVotes(nn.Module):
    """Decisions of a support vector machine: in how many pairs of classes each one wins.

    Parameters
    ----------
    n_classes : int

    Shape
    -----
    Input (n_clips, n_classes * (n_classes - 1) / 2), output (n_clips, n_classes).
    """

    first: Tensor
    second: Tensor

    def __init__(self, n_classes: int) -> None:
        super().__init__()
        pairs = [(i, j) for i in range(n_classes) for j in range(i + 1, n_classes)]
        for side, name in enumerate(("first", "second")):
            wins = [[float(pair[side] == k) for k in range(n_classes)] for pair in pairs]
            self.register_buffer(name, constant(wins))

    def forward(self, x: Tensor) -> Tensor:
        """Votes; of classes with as many, the first one wins."""
        is_first = (x > 0).to(x.dtype)
        return is_first @ self.first + (1 - is_first) @ self.second
