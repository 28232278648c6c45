"""Losses that return one number per clip, so that clips can be weighted and mixed."""

import torch
from numpy.typing import ArrayLike
from torch import nn


class LabelsLoss(nn.Module):
    """Binary cross-entropy of each clip, the mean over its labels.

    Parameters
    ----------
    weight : ndarray of shape (2, n_labels) or None
        Factors of the loss for absent labels (row 0) and for present labels (row 1).
    label_smoothing : float, default=0.0
        Fraction of each target that is spread over presence and absence.

    Shape
    -----
    Input (n_clips, n_labels), logits, and (n_clips, n_labels), 0 or 1; output (n_clips,).

    Examples
    --------
    >>> loss = LabelsLoss(None)
    >>> loss(torch.zeros(1, 3), torch.tensor([[0, 1, 1]]))
    tensor([0.6931])
    """

    weight: torch.Tensor | None

    def __init__(self, weight: ArrayLike | None, label_smoothing: float = 0.0):
        super().__init__()
        factors = None if weight is None else torch.as_tensor(weight, dtype=torch.float32)
        self.register_buffer("weight", factors)
        self.label_smoothing = label_smoothing
        self.loss = nn.BCEWithLogitsLoss(reduction="none")

    def forward(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Loss of each clip."""
        targets = labels.to(logits.dtype) * (1 - self.label_smoothing) + self.label_smoothing / 2
        losses = self.loss(logits, targets)
        if self.weight is not None:
            losses = losses * torch.where(labels > 0, self.weight[1], self.weight[0])
        return losses.mean(dim=1)


#: Losses of the regressors, under the names that scikit-learn's regressors use.
LOSSES = {
    "absolute_error": nn.L1Loss,
    "huber": nn.HuberLoss,
    "squared_error": nn.MSELoss,
}


class NumbersLoss(nn.Module):
    """Loss of each clip, the mean over its numbers.

    Parameters
    ----------
    loss : {"squared_error", "absolute_error", "huber"}

    Shape
    -----
    Input twice (n_clips, n_outputs), output (n_clips,).

    Examples
    --------
    >>> loss = NumbersLoss("absolute_error")
    >>> loss(torch.tensor([[1.0, 2.0]]), torch.tensor([[0.0, 4.0]]))
    tensor([1.5000])
    """

    def __init__(self, loss: str):
        super().__init__()
        self.loss = LOSSES[loss](reduction="none")

    def forward(self, predicted: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """Loss of each clip."""
        return self.loss(predicted, targets).mean(dim=1)
