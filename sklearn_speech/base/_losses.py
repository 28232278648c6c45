"""Losses of clips: one number a clip, so that clips can be weighted and mixed."""

import torch
from torch import nn


class LabelsLoss(nn.Module):
    """Binary cross-entropy of a clip, the mean over its labels.

    Parameters
    ----------
    weight : ndarray of shape (2, n_labels) or None
        Factor of the loss where a label is absent, and where it is present.
    label_smoothing : float, default=0.0
        Share of each target that is spread over both answers.

    Shape
    -----
    Input (n_clips, n_labels), logits, and (n_clips, n_labels), 0 or 1; output (n_clips,).

    Examples
    --------
    >>> loss = LabelsLoss(None)
    >>> loss(torch.zeros(1, 3), torch.tensor([[0, 1, 1]]))
    tensor([0.6931])
    """

    def __init__(self, weight, label_smoothing=0.0):
        super().__init__()
        weight = None if weight is None else torch.as_tensor(weight, dtype=torch.float32)
        self.register_buffer("weight", weight)
        self.label_smoothing = label_smoothing
        self.loss = nn.BCEWithLogitsLoss(reduction="none")

    def forward(self, logits, labels):
        """Loss of each clip."""
        targets = labels.to(logits.dtype) * (1 - self.label_smoothing) + self.label_smoothing / 2
        losses = self.loss(logits, targets)
        if self.weight is not None:
            losses = losses * torch.where(labels > 0, self.weight[1], self.weight[0])
        return losses.mean(dim=1)


#: Losses of a number, by the names that scikit-learn's regressors use.
LOSSES = {
    "absolute_error": nn.L1Loss,
    "huber": nn.HuberLoss,
    "squared_error": nn.MSELoss,
}


class NumbersLoss(nn.Module):
    """Loss of the numbers of a clip, the mean over them.

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

    def __init__(self, loss):
        super().__init__()
        self.loss = LOSSES[loss](reduction="none")

    def forward(self, predicted, targets):
        """Loss of each clip."""
        return self.loss(predicted, targets).mean(dim=1)
