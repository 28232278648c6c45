"""The encoder of the Moonshine speech recogniser."""

from collections.abc import Mapping
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .named_weights import load_named_weights

#: Number of transformer layers.
N_LAYERS = 6
#: Size of a vector, hidden units of the feed-forward layers, heads of the attention.
_N_STATES, _N_HIDDEN, _N_HEADS = 288, 1152, 8
#: Kernel sizes and strides of the convolutions over the samples.
_KERNELS, _STRIDES = (127, 7, 3), (64, 3, 2)
#: Numbers of a head, of 36, that the position rotates.
_N_ROTATED = 32
#: The longest wavelength of the positions, in vectors, over 2 pi.
_LONGEST = 10000.0


class MoonshineEncoderNet(nn.Module):
    """States of the encoder of the tiny Moonshine speech recogniser [1]_, one every 24 ms.

    Three convolutions over the samples, then transformer layers whose attention sees the whole
    clip: a clip must not be padded inside a batch.

    Weights are random until :meth:`load_weights` is called.

    Parameters
    ----------
    n_layers : int, default=6
        Transformer layers to compute, 1 to 6. The states of the sixth are normalised, as the
        recogniser's decoder gets them.

    Attributes
    ----------
    n_bands : int
        Size of a vector, 288.
    sample_rate, window_length, hop_length : int
        16000 Hz; samples that the convolutions need for a vector, 895; samples from one vector to
        the next, 384.

    Shape
    -----
    Input (n_clips, n_times), output (n_clips, 288, 1 + (n_times - 895) // 384).

    References
    ----------
    .. [1] N. Jeffries, E. King, M. Kudlur, G. Nicholson, J. Wang, P. Warden (2024). "Moonshine:
       Speech recognition for live transcription and voice commands". arXiv:2410.15608.

    Examples
    --------
    >>> MoonshineEncoderNet()(torch.zeros(2, 16000)).shape
    torch.Size([2, 288, 40])
    """

    sample_rate = 16000
    n_bands = _N_STATES
    #: Size of a vector, and a second axis of any length.
    vector_shape = _N_STATES, 0
    window_length = 895
    hop_length = 384
    #: Half a window and ten vectors, a quarter of a second: the recogniser learned from longer
    #: sounds than closely cut words.
    silence = window_length // 2 + 10 * hop_length

    def __init__(self, n_layers: int = N_LAYERS) -> None:
        super().__init__()
        if n_layers not in range(1, N_LAYERS + 1):
            raise ValueError(f"n_layers={n_layers!r}: the Moonshine encoder has 1 to {N_LAYERS}")
        widths = 1, _N_STATES, 2 * _N_STATES, _N_STATES
        self.convolutions = nn.ModuleList(
            nn.Conv1d(n_in, n_out, kernel, stride, bias=n_in > 1)
            for n_in, n_out, kernel, stride in zip(widths, widths[1:], _KERNELS, _STRIDES)
        )
        self.norm = nn.GroupNorm(1, _N_STATES)
        self.layers = nn.ModuleList(_Layer() for _ in range(n_layers))
        self.last_norm = _norm() if n_layers == N_LAYERS else nn.Identity()

    def trainable_stages(self) -> list[nn.Module]:
        """What follows each other, to train the last of them: convolutions and layers."""
        first, *convolutions = self.convolutions
        *layers, last = self.layers
        begin, end = nn.ModuleList([first, self.norm]), nn.ModuleList([last, self.last_norm])
        return [begin, *convolutions, *layers, end]

    def load_weights(self, weights: Mapping[str, Tensor]) -> Self:
        """Load the weights of the computed layers.

        Parameters
        ----------
        weights : mapping of str to Tensor
            By the names of ``state_dict``; further names are left out.

        Returns
        -------
        self : MoonshineEncoderNet

        Raises
        ------
        ValueError
            When weights are missing or have another shape.
        """
        load_named_weights(self, weights, "Moonshine encoder")
        return self

    def forward(self, waveforms: Tensor) -> Tensor:
        """Vectors of clips of one length.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_times)
            At 16 kHz, amplitude in [-1, 1].

        Returns
        -------
        vectors : Tensor of shape (n_clips, 288, 1 + (n_times - 895) // 384)
        """
        first, second, third = self.convolutions
        x = self.norm(first(waveforms.unsqueeze(1)).tanh())
        x = F.gelu(third(F.gelu(second(x)))).transpose(1, 2)
        rotation = _rotation(x)
        for layer in self.layers:
            x = layer(x, rotation)
        return self.last_norm(x).transpose(1, 2)


class _Layer(nn.Module):
    """Attention over the whole clip, then two linear layers, each added to its input."""

    def __init__(self) -> None:
        super().__init__()
        self.attention_norm, self.feed_forward_norm = _norm(), _norm()
        self.query, self.key, self.value, self.output = (
            nn.Linear(_N_STATES, _N_STATES, bias=False) for _ in range(4)
        )
        self.widen = nn.Linear(_N_STATES, _N_HIDDEN)
        self.narrow = nn.Linear(_N_HIDDEN, _N_STATES)

    def forward(self, x: Tensor, rotation: Tensor) -> Tensor:
        normed = self.attention_norm(x)
        query, key, value = (
            linear(normed).unflatten(2, (_N_HEADS, -1)).transpose(1, 2)
            for linear in (self.query, self.key, self.value)
        )
        seen = F.scaled_dot_product_attention(
            _rotated(query, rotation), _rotated(key, rotation), value
        )
        x = x + self.output(seen.transpose(1, 2).flatten(2))
        return x + self.narrow(F.gelu(self.widen(self.feed_forward_norm(x))))


def _norm() -> nn.LayerNorm:
    return nn.LayerNorm(_N_STATES, bias=False)


def _rotation(x: Tensor) -> Tensor:
    """Cosines and sines, shape (2, n_frames, _N_ROTATED / 2), of the angles of the positions."""
    dtype = torch.float64 if x.dtype == torch.float64 else torch.float32
    # half precision cannot tell positions of long clips apart
    with torch.autocast(x.device.type, enabled=False):
        positions = torch.arange(x.shape[1], device=x.device, dtype=dtype)
        exponents = torch.arange(0, _N_ROTATED, 2, device=x.device, dtype=dtype) / _N_ROTATED
        angles = positions.unsqueeze(1) * _LONGEST**-exponents
        return torch.stack([angles.cos(), angles.sin()])


def _rotated(x: Tensor, rotation: Tensor) -> Tensor:
    """Turn each pair of the first numbers of each head by the angle of its position."""
    cosine, sine = rotation
    even, odd = x[..., 0:_N_ROTATED:2], x[..., 1:_N_ROTATED:2]
    turned = torch.stack([even * cosine - odd * sine, odd * cosine + even * sine], dim=-1)
    return torch.cat([turned.flatten(-2), x[..., _N_ROTATED:]], dim=-1)
