"""Convolutional network on spectrograms."""

from typing import Any

import torch
from torch import Tensor, nn

from .backbone import BackboneModule, numbered
from .conv_stage import ConvStage, Padding, Size, per_layer
from .dropout import Dropout
from .input_norm import InputNorm
from .masking import check_fixed_length, fill_padding, steps_mask

#: Ways to turn feature maps into one vector per clip.
HEADS = ("mean", "max", "mean_max", "bands", "flatten")


class SpectrogramCNNNet(BackboneModule):
    """Convolutional stages, pooling over the remaining bands and frames, dense layers, logits.

    Parameters
    ----------
    n_bands : int
    n_frames : int or None
        None where clips differ in length; ``head="flatten"`` needs a number.
    n_classes : int
        Number of outputs: classes, labels, or numbers to predict.
    n_layers : int, default=4
    n_filters, kernel_size, stride, pool_size : default=None
        One value for all layers, or a list with one entry per layer; see
        :class:`~sklearn_speech.modules.conv_stage.ConvStage`. None takes the values of
        :func:`default_layers`.
    padding, pool_type, dropout
        Likewise.
    batch_norm : bool, default=True
    batch_norm_eps : float, default=1e-5
    head : {"mean", "max", "mean_max", "bands", "flatten"}, default="mean_max"
        How the last stage's output becomes one vector per clip: its mean over time and
        frequency, its maximum, both side by side, both over time alone, so that bands stay
        separate, or all values.
    hidden_units : int, list of int or None, default=None
        Widths of dense ReLU layers before the logits.
    head_dropout : float or list, default=0.0
        Dropout probability before each dense layer, including the last.
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        See :class:`~sklearn_speech.modules.input_norm.InputNorm`.
    first_stages : list of dict, default=None
        Arguments of stages that come before the `n_layers` ones, such as the
        ``stage_settings`` of another network of this class, or of a
        :class:`~sklearn_speech.modules.conv_autoencoder.ConvAutoencoderNet`. The defaults
        of further layers continue from these.

    Shape
    -----
    Input (n_clips, n_bands, n_frames), or (n_clips, n_bands) for one frame a
    clip; output (n_clips, n_classes).
    """

    #: An nn.ModuleList of ConvStage, which no annotation can say.
    stages: Any

    def __init__(
        self,
        n_bands: int,
        n_frames: int | None,
        n_classes: int,
        n_layers: int = 4,
        n_filters: int | list[int] | None = None,
        kernel_size: Size | list[Size] | None = None,
        stride: Size | list[Size] | None = None,
        padding: Padding | list[Padding] = "same",
        pool_size: Size | list[Size] | None = None,
        pool_type: str | list[str] = "max",
        batch_norm: bool = True,
        batch_norm_eps: float = 1e-5,
        dropout: float | list[float] = 0.0,
        head: str = "mean_max",
        hidden_units: int | list[int] | None = None,
        head_dropout: float | list[float] = 0.0,
        input_norm: str | None = "clip",
        first_stages: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"head={head!r}: expected one of {', '.join(map(repr, HEADS))}")
        if head == "flatten" and n_frames is None:
            raise ValueError(
                "head='flatten' needs clips of one length, but these "
                "may differ (a list of clips); "
                "put PadOrTrim before this step or choose head='mean_max'"
            )
        self.n_bands, self.n_frames, self.head = n_bands, n_frames, head
        self.input_norm = InputNorm(n_bands, input_norm)
        first = list(first_stages or [])
        depth = len(first) + n_layers
        options: dict[str, Any] = {
            "n_filters": n_filters,
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "pool_size": pool_size,
            "pool_type": pool_type,
            "dropout": dropout,
        }
        for name, values in default_layers(depth).items():
            if options[name] is None:
                options[name] = values[len(first) :]
        columns = {name: per_layer(name, value, n_layers) for name, value in options.items()}
        widths = columns.pop("n_filters")
        channels = first[-1]["out_channels"] if first else 1
        #: Arguments of each stage, to build the same elsewhere.
        self.stage_settings = first + [
            {
                "in_channels": before,
                "out_channels": after,
                **{name: column[i] for name, column in columns.items()},
                "batch_norm": batch_norm,
                "batch_norm_eps": batch_norm_eps,
            }
            for i, (before, after) in enumerate(zip([channels, *widths[:-1]], widths))
        ]
        self.stages = nn.ModuleList(ConvStage(**settings) for settings in self.stage_settings)
        bands, frames = n_bands, n_frames
        for stage in self.stages:
            bands = stage.out_bands(bands)
            frames = None if frames is None else stage.out_frames(frames)
        last = widths[-1] if widths else channels
        per_filter = {"mean": 1, "max": 1, "mean_max": 2, "bands": 2 * bands}
        if head == "flatten" and frames is not None:
            per_filter[head] = bands * frames
        self.dense = _dense_layers(last * per_filter[head], hidden_units, n_classes, head_dropout)
        self.stages.to(memory_format=torch.channels_last)  # faster, above all for pooling

    def backbone(self) -> dict[str, nn.Module]:
        """The normalisation of the input and the stages, by name."""
        return {"input_norm": self.input_norm, **numbered("stages", self.stages)}

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Feature maps after the last stage, and each clip's number of frames there."""
        if x.dim() == 2:
            x = x[:, :, None]
        x = self.input_norm(x, lengths)[:, None]
        for stage in self.stages:
            x, lengths = stage(x, lengths)
        return x, lengths

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if x.dim() == 2:
            x = x[:, :, None]
        if self.head == "flatten":
            check_fixed_length(
                x,
                lengths,
                self.n_frames,
                "frames",
                "head='flatten'",
                "put PadOrTrim before this step or choose head='mean_max'",
            )
            lengths = None
        x, lengths = self.encode(x, lengths)
        return self.dense(_pool(x, lengths, self.head))


def default_layers(n_layers: int) -> dict[str, list[Any]]:
    """Default sizes of the layers.

    The first layer would take most of the time, so its large kernel has a stride of 2 and
    its pooling halves the frames again.

    Examples
    --------
    >>> default_layers(3)["n_filters"]
    [24, 48, 96]
    """
    rest = max(n_layers - 1, 0)
    layers = {
        "n_filters": [min(24 * 2**i, 128) for i in range(n_layers)],
        "kernel_size": [5] + [3] * rest,
        "stride": [2] + [1] * rest,
        "pool_size": [(1, 2)] + [2] * rest,
    }
    return {name: values[:n_layers] for name, values in layers.items()}


def _dense_layers(
    width: int, hidden_units: int | list[int] | None, n_classes: int, dropout: float | list[float]
) -> nn.Sequential:
    hidden = [] if hidden_units is None else hidden_units
    hidden = list(hidden) if isinstance(hidden, (list, tuple)) else [hidden]
    rates = per_layer("head_dropout", dropout, len(hidden) + 1)
    layers: list[nn.Module] = []
    for i, (before, after) in enumerate(zip([width, *hidden], [*hidden, n_classes])):
        if rates[i]:
            layers.append(Dropout(rates[i]))
        layers.append(nn.Linear(before, after))
        if i < len(hidden):
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def _pool(x: Tensor, lengths: Tensor | None, head: str) -> Tensor:
    """One vector per clip from feature maps (n_clips, n_filters, n_bands, n_frames)."""
    if head == "flatten":
        return x.flatten(1)
    over = (3,) if head == "bands" else (2, 3)
    parts = []
    if head != "max":
        parts.append(x.mean(over) if lengths is None else _mean(x, lengths, over))
    if head != "mean":
        if lengths is not None:
            x = fill_padding(x, steps_mask(lengths, x), -torch.inf)
        parts.append(x.amax(over))
    return torch.cat([part.flatten(1) for part in parts], dim=1)


def _mean(x: Tensor, lengths: Tensor, over: tuple[int, ...]) -> Tensor:
    """Mean over time, or frequency and time, of maps whose padding is 0."""
    count = lengths.to(x.dtype)
    if 2 in over:
        count = count * x.shape[2]
    total = x.sum(over)
    return total / count.view(-1, *[1] * (total.dim() - 1))
