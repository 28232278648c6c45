"""Convolutional network on spectrograms."""

import torch
from torch import nn

from .conv_stage import ConvStage, frame_mask, per_layer
from .input_norm import InputNorm


class SpectrogramCNNNet(nn.Module):
    """Convolutional stages, pooling over what is left, dense layers, logits.

    Parameters
    ----------
    n_bands : int
    n_frames : int or None
        None where clips differ in length; ``head="flatten"`` needs a number.
    n_classes : int
    n_layers : int, default=4
    n_filters : int or list, default=[16, 32, 64, 128] cut or continued to n_layers
    kernel_size, stride, padding, pool_size, pool_type, dropout
        One value for all layers, or a list with one entry a layer; see
        :class:`~sklearn_speech.modules.conv_stage.ConvStage`. A `stride` of None
        is (1, 2) in the first layer, which halves the frames, and 1 in the others.
    batch_norm : bool, default=True
    batch_norm_eps : float, default=1e-5
    head : {"mean", "max", "mean_max", "flatten"}, default="mean_max"
        How the last stage's output becomes one vector a clip: averaged over time
        and frequency, its maximum, both side by side, or all of it.
    hidden_units : int, list of int or None, default=None
        Widths of dense ReLU layers before the logits.
    head_dropout : float or list, default=0.0
        Before each dense layer, the last one included.
    input_norm : {None, "batch", "clip", "band"}, default="batch"
        See :class:`~sklearn_speech.modules.input_norm.InputNorm`.

    Shape
    -----
    Input (n_clips, n_bands, n_frames), or (n_clips, n_bands) for one frame a
    clip; output (n_clips, n_classes).
    """

    def __init__(
        self,
        n_bands,
        n_frames,
        n_classes,
        n_layers=4,
        n_filters=None,
        kernel_size=3,
        stride=None,
        padding="same",
        pool_size=2,
        pool_type="max",
        batch_norm=True,
        batch_norm_eps=1e-5,
        dropout=0.0,
        head="mean_max",
        hidden_units=None,
        head_dropout=0.0,
        input_norm="batch",
    ):
        super().__init__()
        if head not in ("mean", "max", "mean_max", "flatten"):
            raise ValueError(f"head={head!r}: expected 'mean', 'max', 'mean_max' or 'flatten'")
        if head == "flatten" and n_frames is None:
            raise ValueError(
                "head='flatten' needs clips of one length, but they differ; "
                "put PadOrTrim before this step or choose head='mean_max'"
            )
        self.n_bands, self.n_frames, self.head = n_bands, n_frames, head
        self.input_norm = InputNorm(n_bands, input_norm)
        filters = default_filters(n_layers) if n_filters is None else n_filters
        widths = per_layer("n_filters", filters, n_layers)
        options = {
            "kernel_size": kernel_size,
            "stride": default_stride(n_layers) if stride is None else stride,
            "padding": padding,
            "pool_size": pool_size,
            "pool_type": pool_type,
            "dropout": dropout,
        }
        columns = {name: per_layer(name, value, n_layers) for name, value in options.items()}
        self.stages = nn.ModuleList(
            ConvStage(
                before,
                after,
                **{name: column[i] for name, column in columns.items()},
                batch_norm=batch_norm,
                batch_norm_eps=batch_norm_eps,
                bias=True,
            )
            for i, (before, after) in enumerate(zip([1, *widths[:-1]], widths))
        )
        bands, frames = n_bands, n_frames
        for stage in self.stages:
            bands = stage.out_bands(bands)
            frames = None if frames is None else stage.out_frames(frames)
        last = widths[-1] if widths else 1
        width = {"mean": last, "max": last, "mean_max": 2 * last}.get(head)
        if head == "flatten":
            width = last * bands * frames
        self.dense = _dense_layers(width, hidden_units, n_classes, head_dropout)
        for stage in self.stages[1:]:
            stage.to(memory_format=torch.channels_last)

    def encode(self, x, lengths=None):
        """Feature maps after the last stage, and the frames that each clip has there."""
        if x.dim() == 2:
            x = x[:, :, None]
        x = self._laid_out(self.input_norm(x, lengths)[:, None])
        for stage in self.stages:
            x, lengths = stage(x, lengths)
        return x, lengths

    def _laid_out(self, x):
        """Channels last, in which few channels are convolved and pooled 1.5 times faster.

        Not where the first convolution leaves one column: torch 2.13 reads
        memory that it never wrote in the backward pass of that case.
        """
        if not self.stages or self.stages[0].conv_frames(x.shape[-1]) == 1:
            return x
        return x.contiguous(memory_format=torch.channels_last)

    def forward(self, x, lengths=None):
        if self.head == "flatten":
            self._check_length(x, lengths)
            lengths = None
        x, lengths = self.encode(x, lengths)
        return self.dense(_pool(x, lengths, self.head))

    def _check_length(self, x, lengths):
        n_frames = 1 if x.dim() == 2 else x.shape[-1]
        if n_frames != self.n_frames or (
            lengths is not None and bool((lengths != self.n_frames).any())
        ):
            raise ValueError(
                f"head='flatten' was built for clips of {self.n_frames} frames, got "
                f"{n_frames if lengths is None else lengths.tolist()}; put PadOrTrim before "
                "this step or choose head='mean_max'"
            )


def default_filters(n_layers):
    """16 filters in the first layer, doubling up to 128.

    Examples
    --------
    >>> default_filters(5)
    [16, 32, 64, 128, 128]
    """
    return [min(16 * 2**i, 128) for i in range(n_layers)]


def default_stride(n_layers):
    """Every second frame in the first layer, all of them afterwards.

    Examples
    --------
    >>> default_stride(3)
    [(1, 2), 1, 1]
    """
    return [(1, 2), *[1] * (n_layers - 1)][:n_layers]


def _dense_layers(width, hidden_units, n_classes, dropout):
    hidden = [] if hidden_units is None else hidden_units
    hidden = list(hidden) if isinstance(hidden, (list, tuple)) else [hidden]
    rates = per_layer("head_dropout", dropout, len(hidden) + 1)
    layers = []
    for i, (before, after) in enumerate(zip([width, *hidden], [*hidden, n_classes])):
        if rates[i]:
            layers.append(nn.Dropout(rates[i]))
        layers.append(nn.Linear(before, after))
        if i < len(hidden):
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def _pool(x, lengths, head):
    """One vector a clip from feature maps (n_clips, n_filters, n_bands, n_frames)."""
    if head == "flatten":
        return x.flatten(1)
    if lengths is None:
        mean, peak = x.mean((2, 3)), x.amax((2, 3))
    else:
        mean = x.sum((2, 3)) / (x.shape[2] * lengths[:, None].to(x.dtype))
        inside = frame_mask(lengths, x.shape[-1])[:, None, None]
        peak = x.masked_fill(~inside, -torch.inf).amax((2, 3))
    return {"mean": mean, "max": peak}.get(head) if head != "mean_max" else _join(mean, peak)


def _join(mean, peak):
    return torch.cat([mean, peak], dim=1)
