"""Cepstral coefficients of log spectra, their lifter and their derivatives in time."""

from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from ..filters import dct_matrix, delta_kernel, lifter_weights


class Cepstrum(nn.Module):
    """Cosine transform over the bands of each frame, then lifter and derivatives.

    Parameters
    ----------
    n_mels : int
        Number of input bands.
    n_mfcc : int
        Number of coefficients kept.
    dct_type : {1, 2, 3}, default=2
        Type of the orthonormal cosine transform.
    lifter : float, default=0
        Length of the sine lifter; 0 disables it.
    deltas : {0, 1, 2}, default=0
        Order of the highest time derivative that is appended.
    delta_width : int, default=9
        Number of frames that a derivative is estimated from; a clip's first and last frame
        are repeated beyond its ends.
    """

    matrix: Tensor
    inverse_matrix: Tensor
    kernels: Tensor

    def __init__(
        self,
        n_mels: int,
        n_mfcc: int,
        *,
        dct_type: Literal[1, 2, 3] = 2,
        lifter: float = 0,
        deltas: int = 0,
        delta_width: int = 9,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if n_mfcc > n_mels:
            raise ValueError(f"n_mfcc={n_mfcc} exceeds n_mels={n_mels}, the number of bands")
        if delta_width < 3 or delta_width % 2 == 0:
            raise ValueError(f"delta_width={delta_width}: expected an odd number of at least 3")
        self.n_mfcc = n_mfcc
        self.n_features = n_mfcc * (1 + deltas)
        self.delta_width = delta_width
        weights = lifter_weights(n_mfcc, lifter)[:, np.newaxis]
        matrix = dct_matrix(n_mfcc, n_mels, dct_type) * weights
        inverse = np.linalg.inv(dct_matrix(n_mels, n_mels, dct_type))[:, :n_mfcc] / weights.T
        self.register_buffer("matrix", torch.as_tensor(matrix, dtype=dtype))
        self.register_buffer("inverse_matrix", torch.as_tensor(inverse, dtype=dtype))
        orders = range(1, deltas + 1)
        kernels = np.array([delta_kernel(delta_width, order) for order in orders])
        kernels = kernels.reshape(deltas, delta_width)
        self.register_buffer("kernels", torch.as_tensor(kernels, dtype=dtype))

    def forward(self, x: Tensor, valid: Tensor | None = None) -> Tensor:
        """Coefficients of log spectra.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_frames, n_mels)
            Log spectra.
        valid : bool Tensor of shape (n_clips, n_frames, 1), default=None
            Which frames belong to their clip.

        Returns
        -------
        coefficients : Tensor of shape (n_clips, n_frames, n_features)
            Derivatives follow the coefficients themselves.
        """
        x = x @ self.matrix.T
        if not len(self.kernels):
            return x
        half = self.delta_width // 2
        if valid is None:
            padded = pad(x.transpose(1, 2), (half, half), mode="replicate").transpose(1, 2)
        else:
            position = torch.arange(-half, x.shape[1] + half, device=x.device).clamp(min=0)
            last = valid.sum(dim=1).clamp(min=1) - 1
            index = torch.minimum(position, last).unsqueeze(-1).expand(-1, -1, x.shape[2])
            padded = x.gather(1, index)
        n_frames = x.shape[1]
        shifted = [padded[:, i : i + n_frames] for i in range(self.delta_width)]
        derivatives = [
            sum(weight * frames for weight, frames in zip(kernel, shifted))
            for kernel in self.kernels
        ]
        return torch.cat([x, *derivatives], dim=-1)

    def inverse(self, x: Tensor) -> Tensor:
        """Smooth log spectra from cepstral coefficients; derivatives are ignored."""
        return x[..., : self.n_mfcc] @ self.inverse_matrix.T
