"""Filter banks over the bins of a spectrum: fixed, free, or shaped by centre and width."""

import numpy as np
import torch
from torch import nn


class MatrixFilterbank(nn.Module):
    """A filter bank given by its matrix, fixed or free to learn.

    Parameters
    ----------
    weights : ndarray of shape (n_bands, n_bins)
        One filter a row, not negative.
    trainable : bool, default=False
        Whether the weights are a parameter.
    random : bool, default=False
        Begin with Kaiming-uniform weights, negative ones set to 0, instead of
        `weights`, whose shape alone is then used.
    """

    def __init__(self, weights, *, trainable=False, random=False, dtype=torch.float32):
        super().__init__()
        weights = torch.as_tensor(np.asarray(weights), dtype=dtype)
        if random:
            weights = torch.relu_(nn.init.kaiming_uniform_(torch.empty_like(weights)))
        if trainable:
            self.weights = nn.Parameter(weights)
        else:
            self.register_buffer("weights", weights)

    def matrix(self):
        """The filters, Tensor of shape (n_bands, n_bins)."""
        return self.weights

    @torch.no_grad()
    def apply_constraints(self):
        """Put learned weights back into [0, 1]; called after every step of an optimiser."""
        if isinstance(self.weights, nn.Parameter):
            self.weights.clamp_(0, 1)
