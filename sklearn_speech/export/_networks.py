"""Networks of this library, with what torch cannot export put into another form."""

from copy import deepcopy
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..feature_extraction._onnx_encoder import OnnxEncoder
from ..modules.deconv_stage import DeconvStage
from ..modules.front_end import FrontEnd
from ..modules.masked_norm import MaskedBatchNorm, SubSpectralNorm
from ._front_end import ExportedFrontEnd
from ._lstm import ExportedLSTM


class ExportedDeconvStage(DeconvStage):
    """A :class:`DeconvStage` of clips of one length, whose operations are those of any size.

    The stage adds as many rows and columns as the size needs, which the operators of ONNX
    cannot. Here one more than is ever needed is added, and cut off.

    Parameters
    ----------
    stage : DeconvStage
        Weights and sizes are shared with it.
    """

    def __init__(self, stage: DeconvStage) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(stage.__dict__)

    def _unpool(self, x: Tensor, n_bands: int, n_frames: Any, lengths: None) -> Tensor:
        if self.pool_size == (1, 1):
            return x
        for axis, size in enumerate(self.pool_size, 2):
            x = x.repeat_interleave(size, dim=axis)
        if self.fixed:
            return x
        bands, frames = self.pool_size
        x = F.pad(x, (0, frames, 0, bands), mode="replicate")
        return x[:, :, : self._conv_size(n_bands, 0), : self._conv_size(n_frames, 1)]

    def _deconvolve(self, x: Tensor, wanted: tuple[int, Any]) -> Tensor:
        x = F.pad(x, (0, 1, 0, 1))
        x = F.conv_transpose2d(x, self.deconv.weight, self.deconv.bias, self.stride)
        (top, _), (left, _) = self.pad
        return x[:, :, top : top + wanted[0], left : left + wanted[1]]


class ExportedNorm(nn.Module):
    """A :class:`MaskedBatchNorm` of clips of one length, in few operations.

    Parameters
    ----------
    norm : MaskedBatchNorm
        In evaluation mode.

    Shape
    -----
    Input and output (n_clips, n_channels, ..., n_steps).
    """

    scale: Tensor
    shift: Tensor

    def __init__(self, norm: MaskedBatchNorm) -> None:
        super().__init__()
        self.norm, self.n_groups = norm, norm.n_groups
        scale = torch.rsqrt(norm.running_var + norm.eps)
        shift = -norm.running_mean * scale
        if norm.affine:
            scale, shift = norm.weight * scale, norm.bias + norm.weight * shift
        self.register_buffer("scale", scale.detach().view(-1, self.n_groups))
        self.register_buffer("shift", shift.detach().view(-1, self.n_groups))

    def folded(self, conv: nn.Module) -> None:
        """Leave the convolution as it is: onnxruntime merges both."""

    def forward(self, x: Tensor, mask: None = None, inplace: bool = False) -> Tensor:
        """Normalised maps."""
        norm = self.norm
        if self.n_groups == 1:
            return F.batch_norm(
                x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
            )
        n_bands = x.shape[2]
        group = torch.tensor([band * self.n_groups // n_bands for band in range(n_bands)])
        return x * self.scale[:, group, None] + self.shift[:, group, None]


#: What is put in the place of which module.
_IN_PLACE: dict[type[nn.Module], type[nn.Module]] = {
    DeconvStage: ExportedDeconvStage,
    FrontEnd: ExportedFrontEnd,
    MaskedBatchNorm: ExportedNorm,
    SubSpectralNorm: ExportedNorm,
    nn.LSTM: ExportedLSTM,
}


def exportable(module: nn.Module) -> Any:
    """A copy of a module on the CPU, in float32 and evaluation mode, for export.

    Raises
    ------
    ValueError
        When it contains an encoder that onnxruntime runs.
    """
    for part in module.modules():
        if isinstance(part, OnnxEncoder):
            raise ValueError(
                f"onnxruntime runs its encoder={part.path!r}, a file that cannot become a part of "
                "another; set encoder= to a torch module with these weights"
            )
    module = deepcopy(module).cpu().float().eval().requires_grad_(False)
    return _replaced(module)


def _replaced(module: nn.Module) -> nn.Module:
    if type(module) in _IN_PLACE:
        return _IN_PLACE[type(module)](module)  # type: ignore[call-arg]
    for name, child in module.named_children():
        setattr(module, name, _replaced(child))
    return module


class Answers(nn.Module):
    """A network and what makes answers of its outputs.

    Parameters
    ----------
    network : torch.nn.Module
    answer : {"softmax", "sigmoid", "log_softmax"}
        Over the last axis.
    """

    def __init__(self, network: nn.Module, answer: str) -> None:
        super().__init__()
        self.network, self.answer = network, answer

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities, or their logarithms."""
        outputs = self.network(x)
        if self.answer == "sigmoid":
            return outputs.sigmoid()
        return outputs.softmax(-1) if self.answer == "softmax" else outputs.log_softmax(-1)


class Numbers(nn.Module):
    """A network of a regressor, in the units of the targets.

    Parameters
    ----------
    network : torch.nn.Module
    mean, scale : ndarray of shape (n_outputs,)
        Of the targets.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, network: nn.Module, mean: Any, scale: Any) -> None:
        super().__init__()
        self.network = network
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("scale", torch.as_tensor(scale, dtype=torch.float32))

    def forward(self, x: Tensor) -> Tensor:
        """Numbers of each clip."""
        return self.network(x) * self.scale + self.mean


class Autoencoder(nn.Module):
    """Codes of spectrograms, and the spectrograms that they give back.

    Parameters
    ----------
    network : ConvAutoencoderNet
    """

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Codes (n_clips, n_rows, n_code_frames), spectrograms (n_clips, n_bands, n_frames)."""
        codes, _ = self.network.encode(x)
        return codes.flatten(1, 2), self.network.decode(codes, x.shape[2])
