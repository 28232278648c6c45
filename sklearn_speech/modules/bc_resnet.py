"""Broadcasting-residual network."""

import numbers

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .backbone import BackboneModule
from .convolution import Conv2d, in_place, normalised
from .input_norm import InputNorm
from .masked_norm import MaskedBatchNorm, SubSpectralNorm
from .masking import frame_mask, zero_padding
from .precision import at_least_single
from .separable import DepthwiseConv1d, FrequencyConv2d, PointwiseConv1d, PointwiseConv2d

#: Bands that the last frequency convolution spans, and groups of the sub-spectral norm.
N_LAST_BANDS = 5
#: Limit of gradients between blocks, far above those of clips that vary. On clips that do not
#: vary, each batch norm multiplies gradients by 1 / sqrt(eps) = 316, and two dozen of them would
#: lead to infinity.
_MAX_GRADIENT = 1e15
#: Blocks of each stage, their stride in frequency and their dilation in time.
STAGES = ((2, 1, 1), (2, 2, 2), (4, 2, 4), (4, 1, 8))


class BCResNetNet(BackboneModule):
    """Broadcasting-residual network, BC-ResNet.

    Convolutions over frequency work on maps of bands and frames; those over time
    on the average of all bands, whose result is added to every band.

    The networks of the paper have 40 mel bands. Here any number is possible: where
    fewer than five bands are left, the outermost ones are repeated until there
    are five, as the last frequency convolution and the sub-spectral norm need;
    bands that are left at the end are averaged.

    With `lengths`, padding frames take no part in convolutions over time, averages and
    batch statistics.

    Parameters
    ----------
    n_bands : int
    n_frames : int or None
        Not used; all networks have the same first parameters.
    n_classes : int
        Number of outputs: classes, labels, or numbers to predict.
    tau : float, default=1
        Width: the stages have 8, 12, 16 and 20 times `tau` channels. The paper uses 1, 1.5,
        2, 3, 6 and 8.
    variant : {"paper", "reference"}, default="paper"
        "paper" is the published network, 9,232 parameters for 12 classes at width 1.
        "reference" is the network of the reference system with trainable front ends, 9,160
        parameters: without batch norm and ReLU after the first and the second-to-last
        convolution, and with other biases.
    dropout : float, default=0.1
        Probability of dropping a channel at the end of each block.
    transition_dropout : float or None, default=None
        Likewise, in the blocks that change the number of channels. None is `dropout` in the
        paper's variant and 0.5 in the reference's.
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        See :class:`~sklearn_speech.modules.input_norm.InputNorm`.

    Shape
    -----
    Input (n_clips, n_bands, n_frames), or (n_clips, n_bands) for one frame a
    clip; output (n_clips, n_classes).

    References
    ----------
    B. Kim, S. Chang, J. Lee and D. Sung, "Broadcasted residual learning for
    efficient keyword spotting", Interspeech 2021.

    Examples
    --------
    >>> import torch
    >>> net = BCResNetNet(n_bands=40, n_frames=101, n_classes=12)
    >>> sum(p.numel() for p in net.parameters())
    9232
    >>> net(torch.zeros(2, 40, 101)).shape
    torch.Size([2, 12])
    """

    def __init__(
        self,
        n_bands: int,
        n_frames: int | None,
        n_classes: int,
        tau: float = 1,
        variant: str = "paper",
        dropout: float = 0.1,
        transition_dropout: float | None = None,
        input_norm: str | None = "clip",
    ) -> None:
        super().__init__()
        if variant not in ("paper", "reference"):
            raise ValueError(f"variant={variant!r}: expected 'paper' or 'reference'")
        if not isinstance(tau, (float, numbers.Real)) or not float(tau) >= 0.25:
            raise ValueError(f"tau={tau!r}: expected a number of at least 0.25")
        paper = variant == "paper"
        if transition_dropout is None:
            transition_dropout = dropout if paper else 0.5
        self.n_bands = n_bands
        self.input_norm = InputNorm(n_bands, input_norm)
        head, *widths, last = channels(tau)
        #: Features per frame in the output of `encode`.
        self.n_features = last

        self.head = Conv2d(1, head, 5, stride=(2, 1), padding=2, bias=not paper)
        self.head_norm = MaskedBatchNorm(head) if paper else None
        blocks: list[nn.Module] = []
        before = head
        for width, (n_blocks, stride, dilation) in zip(widths, STAGES):
            blocks.append(TransitionBlock(before, width, stride, dilation, transition_dropout))
            blocks += [NormalBlock(width, dilation, dropout) for _ in range(n_blocks - 1)]
            before = width
        self.blocks = nn.ModuleList(blocks)
        self.tail = nn.Conv2d(
            before, before, N_LAST_BANDS, padding=(0, 2), groups=before, bias=not paper
        )
        self.expand = PointwiseConv2d(before, last)
        self.expand_norm = MaskedBatchNorm(last) if paper else None
        self.classify = nn.Linear(last, n_classes, bias=paper)

    def backbone(self) -> dict[str, nn.Module]:
        """All layers but the last, by name."""
        return {name: layer for name, layer in self.named_children() if name != "classify"}

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Features of each frame, before they are averaged over time.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_bands, n_frames)
        lengths : Tensor of shape (n_clips,), default=None
            Valid frames of each clip.

        Returns
        -------
        features : Tensor of shape (n_clips, n_features, n_frames)
            Zero in the padding.
        """
        if x.dim() == 2:
            x = x[:, :, None]
        if x.shape[1] != self.n_bands:
            raise ValueError(f"x has {x.shape[1]} bands, the network was built for {self.n_bands}")
        mask = None if lengths is None else frame_mask(lengths.to(x.device), x.shape[-1])
        x = zero_padding(self.input_norm(x, lengths), mask)[:, None]
        if self.head_norm is None:
            x = self.head(x)
        else:
            x = in_place(F.relu, normalised(self.head, self.head_norm, x, mask))
        for block in self.blocks:
            x = block(x, mask)
            if self.training and x.requires_grad:
                x.register_hook(_limit)
        x = self.tail(zero_padding(_at_least_five_bands(x), mask))
        if self.expand_norm is None:
            x = self.expand(x)
        else:
            x = in_place(F.relu, normalised(self.expand, self.expand_norm, x, mask))
        return zero_padding(x.mean(2), mask)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        features = at_least_single(self.encode(x, lengths))  # for sums and lengths
        n_frames = features.shape[-1] if lengths is None else lengths.to(features.device)[:, None]
        return self.classify(features.sum(-1) / n_frames)


class _BroadcastedResidual(nn.Module):
    """What both kinds of block share: convolutions over frequency, and over time on the mean."""

    def __init__(self, n_channels: int, stride: int, dilation: int, dropout: float) -> None:
        super().__init__()
        self.frequency = FrequencyConv2d(n_channels, 3, stride)
        self.frequency_norm = SubSpectralNorm(n_channels, N_LAST_BANDS)
        self.time = DepthwiseConv1d(n_channels, 3, dilation)
        self.time_norm = MaskedBatchNorm(n_channels)
        self.mix = PointwiseConv1d(n_channels, n_channels)
        self.dropout = nn.Dropout1d(dropout)

    def residual(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Output of the frequency branch plus the broadcasted output of the time branch."""
        maps = _at_least_five_bands(self.frequency(x))
        maps = self.frequency_norm(maps, mask)
        temporal = normalised(self.time, self.time_norm, zero_padding(maps.mean(2), mask), mask)
        temporal = self.mix(in_place(F.silu, temporal))
        return maps + self.dropout(temporal)[:, :, None]


class NormalBlock(_BroadcastedResidual):
    """Broadcasted residual block: keeps channels and bands, adds its input to the result.

    Parameters
    ----------
    n_channels : int
    dilation : int
        Dilation of the convolution over time.
    dropout : float
    """

    def __init__(self, n_channels: int, dilation: int, dropout: float) -> None:
        super().__init__(n_channels, 1, dilation, dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        return in_place(F.relu, _at_least_five_bands(x) + self.residual(x, mask))


class TransitionBlock(_BroadcastedResidual):
    """Broadcasted residual block that changes channels, and bands where `stride` is 2.

    Parameters
    ----------
    in_channels, out_channels : int
    stride : int
        Stride of the convolution over frequency.
    dilation : int
        Dilation of the convolution over time.
    dropout : float
    """

    def __init__(
        self, in_channels: int, out_channels: int, stride: int, dilation: int, dropout: float
    ) -> None:
        super().__init__(out_channels, stride, dilation, dropout)
        self.widen = PointwiseConv2d(in_channels, out_channels)
        self.widen_norm = MaskedBatchNorm(out_channels)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = in_place(F.relu, normalised(self.widen, self.widen_norm, x, mask))
        return in_place(F.relu, self.residual(x, mask))


def channels(tau: float) -> list[int]:
    """Channels of the first convolution, of the four stages, and of the features.

    Examples
    --------
    >>> channels(1)
    [16, 8, 12, 16, 20, 32]
    """
    base = int(8 * tau)
    return [max(1, int(base * factor)) for factor in (2, 1, 1.5, 2, 2.5, 4)]


def _limit(gradient: Tensor) -> Tensor:
    return gradient.clamp(-_MAX_GRADIENT, _MAX_GRADIENT)


def _at_least_five_bands(x: Tensor) -> Tensor:
    """Repeat the outermost bands of (n_clips, n_channels, n_bands, n_frames) up to five."""
    missing = N_LAST_BANDS - x.shape[2]
    if missing <= 0:
        return x
    low, high = x[:, :, :1], x[:, :, -1:]
    below = missing // 2
    return torch.cat([low] * below + [x] + [high] * (missing - below), dim=2)
