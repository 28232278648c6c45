"""Convolutional network on raw samples."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .backbone import BackboneModule, numbered
from .conv_stage import per_layer
from .convolution import Conv1d, in_place, normalised
from .counts import Count, at_least
from .dropout import Dropout
from .loudness import equalize_loudness
from .masked_norm import MaskedBatchNorm
from .masking import check_fixed_length, frame_mask, mask_frames
from .precision import at_least_single


class WaveformCNNNet(BackboneModule):
    """A strided convolution over raw samples, convolutional stages, pooling, logits.

    The defaults suit words at 8 to 16 kHz: the first convolution sees 5 to 10 ms
    at a time, residual stages follow, and the network's output does not depend on
    a clip's loudness.

    With `lengths`, a clip in a padded batch gives what it gives alone: padding is
    zeroed before each convolution, and left out of the statistics of batch norm
    and of the pooling over time. Clips shorter than the first kernel, or than a
    pooling window, are zero-padded to it at the end.

    Parameters
    ----------
    n_times : int or None
        Samples of each clip. None where clips differ in length; ``head="flatten"``
        needs a number.
    n_classes : int
        Number of outputs: classes, labels, or numbers to predict.
    n_layers : int, default=4
        Stages after the first convolution.
    n_filters : int or list, default=None
        Filters of each stage. None is 32 in the first stage, doubling up to 128.
    kernel_size : int or list, default=3
        Kernel of each stage's convolution, in steps; the sequence keeps its length, and
        an even kernel reaches further ahead than back, as in Keras.
    pool_size : int or list, default=4
        Window of each stage's max pooling; leftover steps at the end are dropped.
    first_filters : int or None, default=None
        Filters of the first convolution. None is the number of the first stage.
    first_kernel_size : int, default=80
        In samples.
    first_stride : int, default=4
        In samples. The first kernel and stride are 10 ms and 0.5 ms at 8 kHz.
    residual : bool, default=True
        Whether each stage is two convolutions with a shortcut round them, or one.
    bias : bool, default=False
        Whether convolutions have a bias, which has no effect before batch norm.
    batch_norm_eps : float, default=1e-5
    batch_norm_momentum : float, default=0.1
        Keras uses 1e-3 and, in torch's convention, 0.01.
    dropout : float or list, default=0.0
        Probability of dropping a channel after each stage.
    head : {"mean", "max", "mean_max", "flatten"}, default="mean_max"
        How the last stage's output becomes one vector per clip: its mean over time, its
        maximum, both side by side, or all values.
    head_dropout : float, default=0.0
        Dropout probability before the last, linear layer.
    equal_loudness : bool, default=True
        Whether each clip is first brought to the same loudness, see
        :func:`~sklearn_speech.modules.loudness.equalize_loudness`.
    first_stages : list of dict, default=None
        Arguments of stages that come before the `n_layers` ones: the ``stage_settings`` of
        another network of this class. The default `n_filters` continue from these.

    Shape
    -----
    Input (n_clips, n_times), output (n_clips, n_classes).

    References
    ----------
    J. Lee, J. Park, K. L. Kim and J. Nam, "Sample-level deep convolutional neural
    networks for music auto-tagging using raw waveforms", SMC 2017 (arXiv
    1703.01789): ``first_kernel_size=3, first_stride=3, pool_size=3,
    residual=False``, last stage with ``kernel_size`` and ``pool_size`` 1.

    Examples
    --------
    >>> import torch
    >>> net = WaveformCNNNet(n_times=8000, n_classes=10)
    >>> net(torch.zeros(2, 8000)).shape
    torch.Size([2, 10])
    """

    #: An nn.ModuleList of stages, which no annotation can say.
    stages: Any

    def __init__(
        self,
        n_times: int | None,
        n_classes: int,
        n_layers: int = 4,
        n_filters: int | list[int] | None = None,
        kernel_size: int | list[int] = 3,
        pool_size: int | list[int] = 4,
        first_filters: int | None = None,
        first_kernel_size: int = 80,
        first_stride: int = 4,
        residual: bool = True,
        bias: bool = False,
        batch_norm_eps: float = 1e-5,
        batch_norm_momentum: float = 0.1,
        dropout: float | list[float] = 0.0,
        head: str = "mean_max",
        head_dropout: float = 0.0,
        equal_loudness: bool = True,
        first_stages: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        if head not in ("mean", "max", "mean_max", "flatten"):
            raise ValueError(f"head={head!r}: expected 'mean', 'max', 'mean_max' or 'flatten'")
        if head == "flatten" and n_times is None:
            raise ValueError(
                "head='flatten' needs clips of one length, but these "
                "may differ (a list of clips); "
                "put PadOrTrim before this step or choose head='mean_max'"
            )
        self.n_times, self.head, self.equal_loudness = n_times, head, equal_loudness
        given = list(first_stages or [])
        depth = len(given) + n_layers
        if n_filters is None:
            n_filters = [min(32 * 2**i, 128) for i in range(len(given), depth)]
        widths = per_layer("n_filters", n_filters, n_layers)
        kernels = per_layer("kernel_size", kernel_size, n_layers)
        pools = per_layer("pool_size", pool_size, n_layers)
        rates = per_layer("dropout", dropout, n_layers)
        if first_filters is None:
            first_filters = widths[0] if widths else 32
        before = given[-1]["out_channels"] if given else first_filters
        norm: dict[str, Any] = {"eps": batch_norm_eps, "momentum": batch_norm_momentum}

        self.first = Conv1d(1, first_filters, first_kernel_size, first_stride, bias=bias)
        self.first_norm = MaskedBatchNorm(first_filters, **norm)
        #: Arguments of each stage, to build the same elsewhere.
        self.stage_settings = given + [
            {
                "residual": residual,
                "in_channels": n_in,
                "out_channels": n_out,
                "kernel_size": kernel,
                "pool_size": pool,
                "dropout": rate,
                "bias": bias,
                "norm": norm,
            }
            for n_in, n_out, kernel, pool, rate in zip(
                [before, *widths[:-1]], widths, kernels, pools, rates
            )
        ]
        self.stages = nn.ModuleList(_make_stage(**settings) for settings in self.stage_settings)
        width = widths[-1] if widths else before
        if head == "flatten" and n_times is not None:
            width *= self.out_steps(n_times)
        elif head == "mean_max":
            width *= 2
        self.head_dropout = Dropout(head_dropout)
        self.classify = nn.Linear(width, n_classes)

    def backbone(self) -> dict[str, nn.Module]:
        """The first convolution with its batch norm, and the stages, by name."""
        layers = {"first": self.first, "first_norm": self.first_norm}
        return {**layers, **numbered("stages", self.stages)}

    def out_steps(self, lengths: Count) -> Count:
        """Steps that leave the last stage for samples that enter; takes an int or a Tensor."""
        steps = _first_steps(lengths, self.first)
        for stage in self.stages:
            steps = _pooled_steps(steps, stage.pool_size)
        return steps

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Features after the last stage, and how many steps of them each clip has.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_times)
        lengths : Tensor of shape (n_clips,), default=None
            Valid samples of each clip.

        Returns
        -------
        features : Tensor of shape (n_clips, n_filters, n_steps)
        lengths : Tensor of shape (n_clips,) or None
        """
        if lengths is not None:
            lengths = lengths.to(x.device)
            x = mask_frames(x, lengths)
        if self.equal_loudness:
            x = equalize_loudness(x, lengths)
        x = _pad_end(x[:, None], self.first.kernel_size[0])
        n_steps = _first_steps(x.shape[-1], self.first)
        lengths = None if lengths is None else _first_steps(lengths, self.first)
        mask = None if lengths is None else frame_mask(lengths, n_steps)
        x = mask_frames(in_place(F.relu, normalised(self.first, self.first_norm, x, mask)), lengths)
        for stage in self.stages:
            x, lengths = stage(x, lengths)
        return x, lengths

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if self.head == "flatten":
            check_fixed_length(x, lengths, self.n_times, "samples", "head='flatten'")
            lengths = None
        x, lengths = self.encode(x, lengths)
        return self.classify(self.head_dropout(_pool(x, lengths, self.head)))


class PlainStage(nn.Module):
    """Convolution, batch norm, ReLU, max pooling.

    Parameters
    ----------
    in_channels, out_channels, kernel_size, pool_size : int
    dropout : float
        Probability of dropping a channel.
    bias : bool
    norm : dict
        `eps` and `momentum` of the batch norm.

    Shape
    -----
    Input (n_clips, in_channels, n_steps), zero in the padding; output
    (n_clips, out_channels, n_steps // pool_size), and the clips' lengths there.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        pool_size: int,
        dropout: float,
        bias: bool,
        norm: dict[str, Any],
    ) -> None:
        super().__init__()
        self.pool_size = pool_size
        self.conv = SameConv1d(in_channels, out_channels, kernel_size, bias=bias)
        self.norm = MaskedBatchNorm(out_channels, **norm)
        self.dropout = nn.Dropout1d(dropout)

    def convolve(self, x: Tensor, lengths: Tensor | None, mask: Tensor | None) -> Tensor:
        return normalised(self.conv, self.norm, x, mask)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        mask = None if lengths is None else frame_mask(lengths, x.shape[-1])
        x = mask_frames(in_place(F.relu, self.convolve(x, lengths, mask)), lengths)
        if self.pool_size > 1:  # zeros are neutral here: nothing is negative after ReLU
            x = F.max_pool1d(_pad_end(x, self.pool_size), self.pool_size)
            lengths = None if lengths is None else _pooled_steps(lengths, self.pool_size)
            x = mask_frames(x, lengths)
        return self.dropout(x), lengths


class ResidualStage(PlainStage):
    """Two convolutions, each with batch norm, with a shortcut round them; ReLU, max pooling.

    Parameters are those of :class:`PlainStage`. The shortcut is a convolution of
    one step where the number of channels changes.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        pool_size: int,
        dropout: float,
        bias: bool,
        norm: dict[str, Any],
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, pool_size, dropout, bias, norm)
        self.second_conv = SameConv1d(out_channels, out_channels, kernel_size, bias=bias)
        self.second_norm = MaskedBatchNorm(out_channels, **norm)
        self.shortcut = (
            nn.Conv1d(in_channels, out_channels, 1, bias=False)
            if in_channels != out_channels
            else nn.Identity()
        )

    def convolve(self, x: Tensor, lengths: Tensor | None, mask: Tensor | None) -> Tensor:
        y = mask_frames(in_place(F.relu, super().convolve(x, lengths, mask)), lengths)
        return normalised(self.second_conv, self.second_norm, y, mask) + self.shortcut(x)


class SameConv1d(Conv1d):
    """Convolution that keeps the length; an even kernel is padded more at the end."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, bias: bool) -> None:
        super().__init__(in_channels, out_channels, kernel_size, bias=bias)
        if kernel_size % 2:  # the convolution's own padding takes no copy of the steps
            self.padding = (kernel_size // 2,)

    def convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        missing = self.kernel_size[0] - 1 - 2 * int(self.padding[0])
        x = F.pad(x, (missing // 2, missing - missing // 2)) if missing else x
        return super().convolve(x, weight, bias)


def _make_stage(residual: bool, **settings: Any) -> PlainStage:
    return (ResidualStage if residual else PlainStage)(**settings)


def _pad_end(x: Tensor, n_steps: int) -> Tensor:
    missing = n_steps - x.shape[-1]
    return F.pad(x, (0, missing)) if missing > 0 else x


def _first_steps(lengths: Count, conv: nn.Conv1d) -> Count:
    return at_least((lengths - conv.kernel_size[0]) // conv.stride[0] + 1, 1)


def _pooled_steps(lengths: Count, pool_size: int) -> Count:
    return at_least(lengths // pool_size, 1)


def _pool(x: Tensor, lengths: Tensor | None, head: str) -> Tensor:
    """One vector per clip from features (n_clips, n_filters, n_steps), zero in the padding."""
    if head == "flatten":
        return x.flatten(1)
    x, parts = at_least_single(x), []  # sums and lengths need more digits than half precision
    if "mean" in head:
        count = x.shape[-1] if lengths is None else lengths[:, None]
        parts.append(x.sum(-1) / count)
    if "max" in head:
        parts.append(x.amax(-1))  # nothing is negative after ReLU, so zeros do not count
    return torch.cat(parts, 1)
