"""The mirror of a convolutional stage: from its output back to the size of its input."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .conv_stage import ConvStage
from .counts import Count, at_least
from .masked_norm import MaskedBatchNorm
from .masking import frame_mask, mask_frames, zero_padding

#: Activations by name.
ACTIVATIONS = {"linear": lambda x: x, "relu": F.relu, "sigmoid": torch.sigmoid}


class DeconvStage(nn.Module):
    """Nearest upsampling where the stage pools, transposed convolution, batch norm, activation.

    A stage of stride s loses the remainder of a division by s. Either the wanted size
    decides what is added at the end (like torch's ``output_padding``), so that any size can
    be mirrored; or the kernel is enlarged by the remainder of one fixed size, so that every
    output value is computed from the code.

    Parameters
    ----------
    stage : ConvStage
        The stage to mirror; its weights are not touched.
    fixed_size : (int, int) tuple, default=None
        Input size of the stage, in bands and frames, that the kernel is made for. None
        mirrors any size.
    batch_norm : bool, default=False
    batch_norm_eps : float, default=1e-5
    activation : {"linear", "relu", "sigmoid"}, default="relu"

    Shape
    -----
    Input (n_clips, out_channels of the stage, *its out_size), output (n_clips,
    in_channels of the stage, n_bands, n_frames).
    """

    def __init__(
        self,
        stage: ConvStage,
        fixed_size: tuple[int, int] | None = None,
        batch_norm: bool = False,
        batch_norm_eps: float = 1e-5,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation={activation!r}: expected one of {sorted(ACTIVATIONS)}")
        self.kernel_size, self.stride = stage.kernel_size, stage.stride
        self.pad, self.pool_size = stage.pad, stage.pool_size
        self.activation, self.fixed = activation, fixed_size is not None
        kernel = list(self.kernel_size)
        if fixed_size is not None:
            for axis, (size, code) in enumerate(
                zip(fixed_size, (stage.out_bands(fixed_size[0]), stage.out_frames(fixed_size[1])))
            ):
                reached = self._size_back(code * self.pool_size[axis], axis, kernel[axis])
                kernel[axis] += max(0, size - reached)
        channels = stage.conv.in_channels
        self.deconv = nn.ConvTranspose2d(
            stage.conv.out_channels, channels, (kernel[0], kernel[1]), stride=self.stride
        )
        self.norm = MaskedBatchNorm(channels, eps=batch_norm_eps) if batch_norm else None

    def _size_back(self, size: int, axis: int, kernel: int) -> int:
        return (size - 1) * self.stride[axis] + kernel - sum(self.pad[axis])

    def _conv_size(self, size: Count, axis: int) -> Count:
        """Rows or columns that the stage has between convolution and pooling."""
        padded = size + sum(self.pad[axis])
        return at_least((padded - self.kernel_size[axis]) // self.stride[axis] + 1, 1)

    def forward(
        self, x: Tensor, n_bands: int, n_frames: int, lengths: Tensor | None = None
    ) -> Tensor:
        """Maps of the size that entered the stage.

        Parameters
        ----------
        x : Tensor of shape (n_clips, out_channels, n_bands_out, n_frames_out)
            Zero where it is padding.
        n_bands, n_frames : int
            Output size.
        lengths : Tensor of shape (n_clips,), default=None
            Output frames of each clip; beyond them the result is zero.

        Returns
        -------
        x : Tensor of shape (n_clips, in_channels, n_bands, n_frames)
        """
        x = self._deconvolve(self._unpool(x, n_bands, n_frames, lengths), (n_bands, n_frames))
        mask = None if lengths is None else frame_mask(lengths, n_frames)
        if self.norm is not None:
            x = self.norm(x, mask)
        return zero_padding(ACTIVATIONS[self.activation](x), mask)

    def _unpool(self, x: Tensor, n_bands: int, n_frames: int, lengths: Tensor | None) -> Tensor:
        if self.pool_size == (1, 1):
            return x
        code_frames = x.shape[3]
        x = F.interpolate(x, scale_factor=tuple(map(float, self.pool_size)), mode="nearest")
        if self.fixed:
            return x
        # rows and columns that pooling dropped are taken to equal their neighbours
        x = _fit(x, self._conv_size(n_bands, 0), self._conv_size(n_frames, 1))
        if lengths is None:
            return x
        frames = self._conv_size(lengths, 1)
        last = (frames // self.pool_size[1]).clamp(1, code_frames) * self.pool_size[1] - 1
        index = torch.arange(x.shape[3], device=x.device).minimum(last[:, None])
        return mask_frames(x.gather(3, index[:, None, None].expand_as(x)), frames)

    def _deconvolve(self, x: Tensor, wanted: tuple[int, int]) -> Tensor:
        symmetric = all(before == after for before, after in self.pad)
        cut = [before if symmetric else 0 for before, _ in self.pad]
        skipped = [0 if symmetric else before for before, _ in self.pad]
        missing = []
        for axis in (0, 1):
            full = (x.shape[2 + axis] - 1) * self.stride[axis] + self.deconv.kernel_size[axis]
            missing.append(max(0, wanted[axis] + skipped[axis] - (full - 2 * cut[axis])))
        x = F.conv_transpose2d(
            x, self.deconv.weight, self.deconv.bias, self.stride, tuple(cut), tuple(missing)
        )
        (top, left), (n_bands, n_frames) = skipped, wanted
        return x[:, :, top : top + n_bands, left : left + n_frames]


def _fit(x: Tensor, n_bands: int, n_frames: int) -> Tensor:
    """Cut, or repeat the last row and column, until x has this size."""
    x = x[:, :, :n_bands, :n_frames]
    missing = n_bands - x.shape[2], n_frames - x.shape[3]
    return F.pad(x, (0, missing[1], 0, missing[0]), mode="replicate") if any(missing) else x
