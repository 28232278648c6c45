"""Adapter that makes an encoder of any module that turns waveforms into vectors."""

from itertools import chain

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from .counts import Count


class ClipwiseEncoder(nn.Module):
    """Vectors of clips, each computed as if it were alone in its batch.

    An unknown module may look at whole clips, so clips are encoded together only if they
    have the same length. A module that gives one vector per clip is applied to overlapping
    windows if `hop_length` is set.

    Parameters
    ----------
    module : torch.nn.Module
        ``module(waveforms)``, waveforms of shape (n_clips, n_times), gives vectors of shape
        (n_clips, n_bands, n_frames), or (n_clips, n_bands).
    sample_rate : int
        Sampling rate of the waveforms that it takes, in Hz.
    window_length : int, default=None
        Samples that one vector needs; clips are at least this long. 0 means that the
        encoder itself pads clips by half a window. None is `hop_length`, or 1 without one.
    hop_length : int, default=None
        Samples from one vector to the next; None means one vector per clip.
    silence : int, default=None
        Samples of silence that clips with centred windows get at both ends. None is half a window.
    vector_shape : (int, int or None), default=None
        Size of a vector, and anything for a frame axis, None without one. If it or `hop_length`
        is None, both are found by a run on silence, for which a window may be too short.

    Attributes
    ----------
    n_bands : int
        Size of a vector.

    Raises
    ------
    ValueError
        When the module's output has an unexpected shape, or a number of frames that
        contradicts `window_length` and `hop_length`; or when it has weights that only its
        first call draws.
    """

    def __init__(
        self,
        module: nn.Module,
        sample_rate: int,
        window_length: int | None = None,
        hop_length: int | None = None,
        silence: int | None = None,
        vector_shape: tuple[int, int | None] | None = None,
    ) -> None:
        super().__init__()
        _refuse_missing_weights(module)
        self.module = module
        self.sample_rate = sample_rate
        self.window_length = (hop_length or 1) if window_length is None else window_length
        self.hop_length = hop_length
        self.silence = self.window_length // 2 if silence is None else silence
        self.whole_clip = window_length is None
        if vector_shape is None or hop_length is None:
            vector_shape = self._find_shape()
        self.n_bands, n_vectors = vector_shape
        self.by_window = n_vectors is None and hop_length is not None
        if n_vectors not in (None, 1) and hop_length is None:
            raise ValueError(
                f"the encoder gives {n_vectors} vectors for a clip of {self._trial_length()} "
                "samples; set hop_length, the number of samples from one vector to the next"
            )
        if self.by_window and (self.whole_clip or self.window_length < 1):
            raise ValueError(
                "the encoder gives one vector per clip: set window_length, the number of samples "
                "of the windows to apply it to, or leave hop_length=None"
            )

    def _trial_length(self) -> int:
        return self.sample_rate if self.whole_clip else max(self.window_length, 1)

    def _find_shape(self) -> tuple[int, int | None]:
        """Size of a vector, and number of vectors for silence; None without a frame axis."""
        was_training = self.module.training
        # a network may be built without memory for its weights, on the device "meta"
        with torch.no_grad(), torch.device("cpu"):
            silence = torch.zeros(1, self._trial_length(), dtype=self._dtype())
            found = self.module.eval()(silence)
        self.module.train(was_training)
        n_vectors = None if self._check_rank(found) else found.shape[2]
        return found.shape[1], n_vectors

    def _dtype(self) -> torch.dtype:
        """The dtype of the module's weights, or of its buffers if it has none."""
        tensors = chain(self.module.parameters(), self.module.buffers())
        floats = (tensor.dtype for tensor in tensors if tensor.is_floating_point())
        return next(floats, torch.float32)

    def _check_rank(self, vectors: object) -> bool:
        """Whether the output has no frame axis: one vector per clip or window."""
        if not isinstance(vectors, torch.Tensor) or vectors.ndim not in (2, 3):
            what = (
                f"a tensor of shape {tuple(vectors.shape)}"
                if isinstance(vectors, torch.Tensor)
                else type(vectors).__name__
            )
            raise ValueError(
                f"the encoder gives {what}; expected a tensor of shape (n_clips, n_dims, "
                "n_frames) or (n_clips, n_dims)"
            )
        return vectors.ndim == 2

    def n_frames(self, n_samples: Count) -> Count:
        """Vectors of clips of `n_samples` samples (int or Tensor)."""
        if self.hop_length is None:
            return n_samples - n_samples + 1
        return 1 + (n_samples - self.window_length) // self.hop_length

    def forward(self, waveforms: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Vectors of a batch; see :class:`EmbeddingFrontEnd`."""
        if lengths is None or bool((lengths == waveforms.shape[1]).all()):
            return self._encode(waveforms)
        n_frames = self.n_frames(waveforms.shape[1])
        groups = [((lengths == n).nonzero().flatten(), n) for n in lengths.unique().tolist()]
        encoded = [self._encode(waveforms[rows, :length]) for rows, length in groups]
        out = encoded[0].new_zeros(len(waveforms), self.n_bands, n_frames)
        for (rows, _), vectors in zip(groups, encoded):
            out = out.index_put((rows,), _widened(vectors, n_frames))
        return out

    def _encode(self, waveforms: Tensor) -> Tensor:
        """Vectors of clips of one length."""
        n_clips, n_times = waveforms.shape
        expected = self.n_frames(n_times)
        dtype = waveforms.dtype
        waveforms = waveforms.to(self._dtype())
        if self.by_window and self.hop_length is not None:
            windows = waveforms.unfold(1, self.window_length, self.hop_length)
            vectors = self.module(windows.reshape(-1, self.window_length).contiguous())
            self._check_rank(vectors)
            return vectors.reshape(n_clips, expected, -1).transpose(1, 2).to(dtype)
        vectors = self.module(waveforms)
        if self._check_rank(vectors):
            vectors = vectors.unsqueeze(2)
        if vectors.shape != (n_clips, self.n_bands, expected):
            raise ValueError(
                f"the encoder gives an array of shape {tuple(vectors.shape)} for {n_clips} clips "
                f"of {n_times} samples; window_length={self.window_length} and "
                f"hop_length={self.hop_length} imply ({n_clips}, {self.n_bands}, {expected})"
            )
        return vectors.to(dtype)


def _widened(vectors: Tensor, n_frames: int) -> Tensor:
    return torch.nn.functional.pad(vectors, (0, n_frames - vectors.shape[2]))


def _refuse_missing_weights(module: nn.Module) -> None:
    """Refuse a module that would draw other weights in each of its copies."""
    for name, weight in [*module.named_parameters(), *module.named_buffers()]:
        if is_lazy(weight):
            raise ValueError(
                f"the encoder has no weights yet in {name!r}: call it once on waveforms, such as "
                "encoder(torch.zeros(1, 16000)), before you pass it"
            )
