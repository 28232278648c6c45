"""Filter banks over the bins of a spectrum: fixed, free, or shaped by centre and width."""

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

#: Limits of FastAudio's half bands, 3.1 Hz and 603.7 Hz at 16 kHz, as shares of the sampling
#: rate.
_NARROWEST, _WIDEST = 3.1 / 16000, 603.7 / 16000


class MatrixFilterbank(nn.Module):
    """A filter bank given by its matrix, fixed or learned.

    Parameters
    ----------
    weights : ndarray of shape (n_bands, n_bins)
        One filter per row, not negative.
    trainable : bool, default=False
        Whether the weights are a parameter.
    random : bool, default=False
        Begin with Kaiming-uniform weights, negative ones set to 0, instead of
        `weights`, of which only the shape is used.
    generator : torch.Generator, default=None
        Source of random weights; None is torch's global generator.
    """

    def __init__(
        self,
        weights: ArrayLike,
        *,
        trainable: bool = False,
        random: bool = False,
        generator: torch.Generator | None = None,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        weights = torch.as_tensor(np.asarray(weights), dtype=dtype)
        if random:
            weights = torch.empty_like(weights)
            nn.init.kaiming_uniform_(weights, generator=generator).relu_()
        if trainable:
            self.weights = nn.Parameter(weights)
        else:
            self.register_buffer("weights", weights)

    def matrix(self) -> Tensor:
        """The filters, Tensor of shape (n_bands, n_bins)."""
        return self.weights

    @torch.no_grad()
    def apply_constraints(self) -> None:
        """Clip learned weights to [0, 1]; called after every step of an optimiser."""
        if isinstance(self.weights, nn.Parameter):
            self.weights.clamp_(0, 1)


class ShapedFilterbank(nn.Module):
    """Filters of one shape, each given by its centre and half its width (FastAudio).

    Parameters
    ----------
    centers, half_bands : ndarray of shape (n_bands,)
        Where each filter peaks, and how far it reaches to either side, in Hz.
    sample_rate : float
        In Hz.
    n_fft : int
        Length of the FFT in samples.
    shape : {"triangular", "gaussian", "rectangular"}
        All peak at 1. The half band is the reach of a triangle, two standard
        deviations of a Gaussian, and the reach of a rectangle, whose edges fall
        smoothly over about two bins: a hard edge has no gradient.
    gains : ndarray of shape (n_bands,), default=None
        Constant factor of each filter; None is 1.
    trainable : bool, default=False
        Whether centres and half bands are parameters.

    Attributes
    ----------
    centers, half_bands : Parameter of shape (n_bands,)
        As shares of the sampling rate. Centres stay in [0, 0.5]; half bands between half a
        bin, below which a filter may contain none, and 604 Hz at 16 kHz, or 1.25 times the
        widest initial half band if that is wider.

    References
    ----------
    .. [1] Q. Fu, Z. Teng, J. White, M. Powell, D. Schmidt, "FastAudio: A
       Learnable Audio Front-End for Spoof Speech Detection" (2021).
    """

    centers: Tensor
    half_bands: Tensor
    bins: Tensor
    gains: Tensor

    def __init__(
        self,
        centers: ArrayLike,
        half_bands: ArrayLike,
        sample_rate: float,
        n_fft: int,
        shape: str,
        *,
        gains: ArrayLike | None = None,
        trainable: bool = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        if shape not in ("triangular", "gaussian", "rectangular"):
            raise ValueError(
                f"filterbank={shape!r}: expected 'free', 'triangular', 'gaussian' or 'rectangular'"
            )
        self.shape = shape
        self.edge = 0.5 / n_fft
        centers, half_bands = np.asarray(centers), np.asarray(half_bands)
        lowest = max(_NARROWEST, 0.5 / n_fft)
        widest = float(half_bands.max()) / sample_rate
        self.limits = lowest, _WIDEST if widest < _WIDEST else 1.25 * widest
        for name, hz in (("centers", centers), ("half_bands", half_bands)):
            value = torch.as_tensor(hz / sample_rate, dtype=dtype)
            if trainable:
                self.register_parameter(name, nn.Parameter(value))
            else:
                self.register_buffer(name, value)
        bins = torch.arange(n_fft // 2 + 1, dtype=dtype) / n_fft
        self.register_buffer("bins", bins)
        gains = np.ones(len(centers)) if gains is None else gains
        self.register_buffer("gains", torch.as_tensor(gains, dtype=dtype).unsqueeze(1))

    def matrix(self) -> Tensor:
        """The filters, Tensor of shape (n_bands, n_bins)."""
        half_bands = self.half_bands.clamp(*self.limits).unsqueeze(1)
        distance = (self.bins - self.centers.clamp(0, 0.5).unsqueeze(1)).abs()
        if self.shape == "triangular":
            filters = torch.relu(1 - distance / half_bands)
        elif self.shape == "gaussian":
            filters = torch.exp(-0.5 * (2 * distance / half_bands).square())
        else:
            filters = torch.sigmoid((half_bands - distance) / self.edge)
        return filters * self.gains

    @torch.no_grad()
    def apply_constraints(self) -> None:
        """Put learned centres and half bands back inside their limits."""
        self.centers.clamp_(0, 0.5)
        self.half_bands.clamp_(*self.limits)
