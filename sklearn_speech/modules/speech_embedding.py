"""Google's speech embedding: a convolutional network over mel spectrograms of 16 kHz speech."""

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .counts import Count
from .front_end import FrontEnd

#: Amplitude of a full-scale sample of 16 bits: the network was trained on such samples.
_FULL_SCALE = 32768.0
#: What the published network does with decibels.
_DECIBEL_SCALE, _DECIBEL_SHIFT = 0.1, 2.0
#: Slope of the activation below 0, and its least value.
_SLOPE, _FLOOR = 0.2, -0.4
#: Number of convolutions.
N_LAYERS = 20
#: Number of vectors of a long clip that are computed at a time, without gradients.
_BLOCK = 256

#: Channels of the blocks after the first, and the pooling size after each: frames, bands.
_BLOCKS = ((48, (1, 2)), (72, (2, 2)), (96, (1, 2)), (96, (2, 2)))


class SpeechEmbeddingNet(nn.Module):
    """Vectors of 96 numbers, one every 80 ms, from 16 kHz speech [1]_.

    A mel spectrogram of 32 bands from 60 to 3800 Hz, 20 convolutions along time or
    frequency, and five poolings. Nothing is padded along time, so that each vector depends
    on a window of 76 mel frames (782 ms) alone, and a longer clip gives one vector for each
    further 8 frames: the same numbers as window by window. Only one step depends on the
    whole clip: mel energies more than 80 dB below the largest of the clip are raised to
    that level.

    Weights are random until :meth:`load_weights` is called.

    Parameters
    ----------
    dtype : torch.dtype, default=torch.float32
        Type in which the network computes.
    n_layers : int, default=20
        Convolutions to compute. With fewer than 20, the output is that of an inner layer, after
        activation and pooling: the channels of each of its bands side by side.

    Attributes
    ----------
    n_bands : int
        Size of a vector, 96 after all layers.
    sample_rate, window_length, hop_length : int
        16000 Hz; samples that one vector depends on (12512 after all layers), and samples
        from one vector to the next (1280).
    window_frames, hop_frames : int
        The same in mel frames, 76 and 8.

    Shape
    -----
    Input (n_clips, n_times), output
    (n_clips, n_bands, 1 + (n_times - window_length) // hop_length).

    References
    ----------
    .. [1] J. Lin, K. Kilgour, D. Roblek, M. Sharifi (2020). "Training keyword spotters
       with limited and synthesized speech data". ICASSP, arXiv:2002.01322.

    Examples
    --------
    >>> SpeechEmbeddingNet()(torch.zeros(2, 16000)).shape
    torch.Size([2, 96, 3])
    """

    sample_rate = 16000
    n_bands, window_frames, hop_frames = 96, 76, 8
    window_length = 512 + (window_frames - 1) * 160
    hop_length = hop_frames * 160
    #: Half a window of the last layer, for inner ones too: a closely cut word begins with it.
    silence = window_length // 2
    #: An nn.ModuleList of convolutions, which no annotation can say.
    convolutions: Any

    def __init__(self, dtype: torch.dtype = torch.float32, n_layers: int = N_LAYERS) -> None:
        super().__init__()
        if not 1 <= n_layers <= N_LAYERS:
            raise ValueError(f"n_layers={n_layers!r}: expected 1 to {N_LAYERS}")
        self.mel = FrontEnd(
            self.sample_rate,
            n_fft=512,
            win_length=400,
            hop_length=160,
            center=False,
            n_mels=32,
            fmin=60.0,
            fmax=3800.0,
            scaling="db",
            ref=_FULL_SCALE**-2,
            amin=1e-10 * _FULL_SCALE**-2,
            top_db=80.0,
            dtype=dtype,
        )
        convolutions: list[nn.Conv2d] = [
            nn.Conv2d(1, 24, 3, padding=(0, 1)),
            *_across_bands_and_frames(24, 24),
        ]
        self.pools = {len(convolutions): (2, 2)}
        channels = 24
        for wider, pool in _BLOCKS:
            convolutions += _across_bands_and_frames(channels, wider)
            convolutions += _across_bands_and_frames(wider, wider)
            self.pools[len(convolutions)] = pool
            channels = wider
        convolutions.append(nn.Conv2d(channels, channels, (3, 1), bias=False))
        convolutions = convolutions[:n_layers]
        self.convolutions = nn.ModuleList(convolutions)
        self.n_bands, self.window_frames, self.hop_frames = self.sizes(n_layers)
        self.window_length = 512 + (self.window_frames - 1) * 160
        self.hop_length = self.hop_frames * 160
        # torch annotates no memory_format
        self.to(dtype=dtype, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def sizes(self, n_layers: int) -> tuple[int, int, int]:
        """Size of a vector of the first layers, its mel frames, and those to the next vector."""
        bands, window, hop = 32, 1, 1
        layers: list[Any] = list(self.convolutions)[:n_layers]
        for i, convolution in enumerate(layers):
            window += (convolution.kernel_size[0] - 1) * hop
            frames, across = self.pools.get(i + 1, (1, 1))
            window += (frames - 1) * hop
            hop, bands = hop * frames, bands // across
        return layers[-1].out_channels * bands, window, hop

    def load_weights(self, weights: list[Tensor]) -> Self:
        """Load the weights of the published network.

        Parameters
        ----------
        weights : list of Tensor
            Weight and bias of each convolution in turn, the last of all without bias, with
            batch normalisation folded in. Those of further layers are left out.

        Returns
        -------
        self : SpeechEmbeddingNet

        Raises
        ------
        ValueError
            When their number or shapes differ.
        """
        parameters = list(self.convolutions.parameters())
        if len(self.convolutions) < N_LAYERS:
            weights = weights[: len(parameters)]
        expected = [tuple(p.shape) for p in parameters]
        found = [tuple(w.shape) for w in weights]
        if found != expected:
            where = next((i for i, (f, e) in enumerate(zip(found, expected)) if f != e), None)
            difference = (
                f"{len(found)} of them, expected {len(expected)}"
                if where is None
                else f"number {where} has shape {found[where]}, expected {expected[where]}"
            )
            raise ValueError(f"these are not the weights of the speech embedding: {difference}")
        with torch.no_grad():
            for parameter, weight in zip(parameters, weights):
                parameter.copy_(weight)
        return self

    def n_frames(self, n_samples: Count) -> Count:
        """Vectors of clips of `n_samples` samples (int or Tensor), at least one window long."""
        return 1 + (n_samples - self.window_length) // self.hop_length

    def spectrogram(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Mel spectrograms on the scale that the network was trained on.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_times)
            Amplitude in [-1, 1], 16 kHz.
        lengths : int64 Tensor of shape (n_clips,), default=None
            Samples of each clip.

        Returns
        -------
        mel : Tensor of shape (n_clips, 32, n_frames)
        """
        return self.mel(waveforms, lengths) * _DECIBEL_SCALE + _DECIBEL_SHIFT

    def embed(self, mel: Tensor) -> Tensor:
        """Vectors of mel spectrograms.

        Parameters
        ----------
        mel : Tensor of shape (n_clips, 32, n_frames)
            At least `window_frames` frames.

        Returns
        -------
        vectors : Tensor of shape (n_clips, n_bands, 1 + (n_frames - window_frames) // hop_frames)
        """
        x = mel.transpose(1, 2).unsqueeze(1)
        n_vectors = 1 + (mel.shape[2] - self.window_frames) // self.hop_frames
        if torch.is_grad_enabled() or n_vectors <= _BLOCK:
            return self._convolve(x)
        parts = []
        for first in range(0, n_vectors, _BLOCK):
            last = min(first + _BLOCK, n_vectors) - 1
            begin, end = first * self.hop_frames, last * self.hop_frames + self.window_frames
            parts.append(self._convolve(x[:, :, begin:end]))
        return torch.cat(parts, dim=2)

    def first_layers(self, mel: Tensor, n_layers: int) -> Tensor:
        """Output of the first layers, of shape (n_clips, n_channels * n_bands, n_frames)."""
        return self._convolve(mel.transpose(1, 2).unsqueeze(1), 0, n_layers)

    def further_layers(self, x: Tensor, n_layers: int) -> Tensor:
        """Vectors, from the output of :meth:`first_layers`."""
        n_channels = self.convolutions[n_layers - 1].out_channels
        x = x.unflatten(1, (n_channels, -1)).transpose(2, 3)
        return self._convolve(x.contiguous(memory_format=torch.channels_last), n_layers)

    def _convolve(self, x: Tensor, first: int = 0, stop: int = N_LAYERS) -> Tensor:
        n_clips = x.shape[0]
        if n_clips == 1 and x.device.type == "cpu":
            # on one thread, torch convolves a single clip with another library than several
            # clips: slower than two clips with the usual one, and with different rounding
            x = x.expand(2, -1, -1, -1)
        for i, convolution in enumerate(self.convolutions[first:stop], first):
            # the channels-last layout makes convolutions five times as fast on a CPU; an input of
            # one channel does not determine a layout, so every output is given it
            x = convolution(x).contiguous(memory_format=torch.channels_last)
            if i + 1 == N_LAYERS:
                break
            # the activation never falls, so maxima may be taken before it
            if i + 1 in self.pools:
                x = F.max_pool2d(x, self.pools[i + 1])
            if x.requires_grad:
                x = F.leaky_relu(x, _SLOPE).clamp(min=_FLOOR)
            else:
                x = F.leaky_relu_(x, _SLOPE).clamp_(min=_FLOOR)
        return x[:n_clips].transpose(2, 3).flatten(1, 2)

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Vectors of a batch.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_times)
            Amplitude in [-1, 1], 16 kHz, at least `window_length` samples.
        lengths : int64 Tensor of shape (n_clips,), default=None
            Samples of each clip, at least `window_length`; None is the whole width.

        Returns
        -------
        vectors : Tensor of shape (n_clips, n_bands, n_frames)
            What lies beyond a clip's own vectors has no meaning.
        """
        return self.embed(self.spectrogram(waveforms, lengths))


def _across_bands_and_frames(n_in: int, n_out: int) -> list[nn.Conv2d]:
    """A convolution across bands, padded, and one along time, which is not."""
    return [
        nn.Conv2d(n_in, n_out, (1, 3), padding=(0, 1)),
        nn.Conv2d(n_out, n_out, (3, 1)),
    ]
