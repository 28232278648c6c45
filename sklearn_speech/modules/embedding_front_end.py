"""A speech encoder as the front end of a network."""

from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .clipwise_encoder import ClipwiseEncoder
from .counts import Count, at_least
from .masking import frame_mask
from .moonshine import MoonshineEncoderNet
from .resampler import Resampler
from .speech_embedding import SpeechEmbeddingNet


class EmbeddingFrontEnd(nn.Module):
    """Waveforms of any sampling rate and length to the vectors of an encoder.

    Clips are resampled to the rate of the encoder and padded with silence: at both ends if
    windows are centred, and at the end if they are still shorter than one window, so that
    each clip gives at least one vector.

    Parameters
    ----------
    encoder : torch.nn.Module
        ``encoder(waveforms, lengths)`` gives (n_clips, n_bands, n_frames), for
        clips of at least ``encoder.window_length`` samples at
        ``encoder.sample_rate`` Hz; ``encoder.n_frames(lengths)`` tells how many of
        the frames belong to a clip, and ``encoder.n_bands`` the size of a vector.
    sample_rate : int
        Sampling rate of the waveforms, in Hz.
    center : bool, default=False
        Whether each clip gets ``encoder.silence`` samples of silence at both ends. With half a
        window, vector t is centred on sample ``t * encoder.hop_length``; with more, the first
        vectors are centred before the clip. An encoder without a hop gives one vector per clip,
        and its clips are not padded.
    trained : bool or int, default=False
        Whether the weights of the encoder are learned; a number means those of its last
        layers, in the order in which the encoder lists them. Other layers stay in evaluation
        mode.
    dtype : torch.dtype, default=torch.float32
        Type of the waveforms that the encoder takes.

    Attributes
    ----------
    n_bands : int
        Size of a vector.

    Shape
    -----
    Input (n_clips, n_times), output (n_clips, n_bands, n_frames).

    Examples
    --------
    >>> from sklearn_speech.modules.speech_embedding import SpeechEmbeddingNet
    >>> front_end = EmbeddingFrontEnd(SpeechEmbeddingNet(), sample_rate=8000)
    >>> front_end(torch.zeros(2, 8000)).shape
    torch.Size([2, 96, 3])
    >>> front_end.n_frames(100)
    1
    """

    encoder: ClipwiseEncoder | SpeechEmbeddingNet

    def __init__(
        self,
        encoder: ClipwiseEncoder | SpeechEmbeddingNet,
        sample_rate: int,
        *,
        center: bool = False,
        trained: bool | int = False,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__()
        self.resampler = Resampler(sample_rate, encoder.sample_rate, dtype)
        self.encoder = encoder.requires_grad_(trained is True)
        self.n_bands = encoder.n_bands
        self.sample_rate = sample_rate
        centred = center and encoder.hop_length is not None
        self.silence = encoder.silence if centred else 0
        self.trained = trained
        self.dtype = dtype
        for layer in self._last_layers():
            layer.requires_grad_(True)
        self.train()

    def _last_layers(self) -> list[nn.Module]:
        """The layers that are trained, if not all are."""
        if isinstance(self.trained, bool):
            return []
        layers = _stages(self.encoder)
        if not 1 <= self.trained <= len(layers):
            raise ValueError(
                f"train={self.trained}: the encoder has {len(layers)} layers with weights"
            )
        return layers[-self.trained :]

    @property
    def n_constant(self) -> int:
        """Layers before the trained ones whose output can be computed once; 0 if unknown."""
        if isinstance(self.trained, bool) or not isinstance(self.encoder, SpeechEmbeddingNet):
            return 0
        return len(self.encoder.convolutions) - self.trained

    def train(self, mode: bool = True) -> Self:
        """Set the mode; an encoder that is not trained stays in evaluation mode."""
        super().train(mode)
        self.encoder.train(mode and self.trained is True)
        for layer in self._last_layers():
            layer.train(mode)
        return self

    def n_frames(self, lengths: Count) -> Count:
        """Number of vectors of clips of `lengths` samples (int or Tensor)."""
        return self.encoder.n_frames(self.n_encoded(lengths))

    def frame_times(self) -> tuple[float, float]:
        """Seconds from one vector to the next, and to the centre of the first one.

        Raises
        ------
        ValueError
            When the encoder gives one vector per clip.
        """
        encoder = self.encoder
        if encoder.hop_length is None:
            raise ValueError("the encoder gives one vector per clip: vectors have no times")
        centre = encoder.window_length // 2 - self.silence
        return encoder.hop_length / encoder.sample_rate, centre / encoder.sample_rate

    def n_encoded(self, lengths: Count) -> Count:
        """Samples that reach the encoder for clips of `lengths` samples (int or Tensor)."""
        n_resampled = self.resampler.n_out(lengths) + 2 * self.silence
        return at_least(n_resampled, self.encoder.window_length)

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Vectors of a batch.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_times)
            Waveforms, amplitude in [-1, 1]; the padding may hold anything.
        lengths : int64 Tensor of shape (n_clips,), default=None
            Samples of each clip; None is the whole width.

        Returns
        -------
        vectors : Tensor of shape (n_clips, n_bands, n_frames)
            Frames beyond a clip's own are 0.
        """
        x, lengths = self._enter(waveforms, lengths)
        vectors = self.encoder(x, lengths)
        if lengths is None:
            return vectors
        return _zero_beyond(vectors, self.encoder.n_frames(lengths))

    def begin(
        self, waveforms: Tensor, lengths: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Output of the `n_constant` first layers, and its number of frames for each clip.

        Parameters
        ----------
        waveforms : Tensor of shape (n_clips, n_times)
        lengths : int64 Tensor of shape (n_clips,), default=None

        Returns
        -------
        x : Tensor of shape (n_clips, n_channels * n_bands, n_inner_frames)
        lengths : int64 Tensor of shape (n_clips,) or None
        """
        encoder: Any = self.encoder
        x, lengths = self._enter(waveforms, lengths)
        x = encoder.first_layers(encoder.spectrogram(x, lengths), self.n_constant)
        if lengths is None:
            return x, None
        _, window, hop = encoder.sizes(self.n_constant)
        n_inner = 1 + (lengths - encoder.window_length) // encoder.hop_length * encoder.hop_frames
        return x, 1 + (n_inner - 1 + encoder.window_frames - window) // hop

    def finish(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Vectors, and their numbers, from what :meth:`begin` returns."""
        encoder: Any = self.encoder
        vectors = encoder.further_layers(x, self.n_constant)
        if lengths is None:
            return vectors, None
        _, window, hop = encoder.sizes(self.n_constant)
        n_frames = 1 + (lengths - 1 - (encoder.window_frames - window) // hop) // (
            encoder.hop_frames // hop
        )
        return _zero_beyond(vectors, n_frames), n_frames

    def _enter(self, waveforms: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """What enters the encoder: resampled and padded waveforms, and their lengths."""
        x = waveforms.to(self.dtype)
        n_encoded = self.n_encoded(x.shape[1])
        if lengths is None:
            x = self.resampler(x)
        else:
            lengths = lengths.to(x.device)
            # silence the padding before the filter, and after it, since it rings beyond the end
            x = self.resampler(_silent_beyond(x, lengths))
            x = _silent_beyond(x, self.resampler.n_out(lengths))
            lengths = self.n_encoded(lengths)
        return F.pad(x, (self.silence, n_encoded - self.silence - x.shape[1])), lengths


def _stages(encoder: nn.Module) -> list[nn.Module]:
    """Parts of an encoder, in turn."""
    if isinstance(encoder, ClipwiseEncoder) and isinstance(encoder.module, MoonshineEncoderNet):
        return encoder.module.trainable_stages()
    return [m for m in encoder.modules() if next(m.parameters(False), None) is not None]


def _zero_beyond(vectors: Tensor, n_frames: Tensor) -> Tensor:
    valid = frame_mask(n_frames, vectors.shape[2])
    return torch.where(valid.unsqueeze(1), vectors, vectors.new_zeros(()))


def _silent_beyond(x: Tensor, lengths: Tensor) -> Tensor:
    return torch.where(frame_mask(lengths, x.shape[1]), x, x.new_zeros(()))
