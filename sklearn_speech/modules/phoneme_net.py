"""Networks that classify the phone of each frame, for connectionist temporal classification."""

from typing import Any

import torch
from torch import Tensor, nn

from .bc_resnet import BCResNetNet
from .bilstm import BiLSTM
from .conv_stage import ConvStage, per_layer
from .counts import Count
from .input_norm import InputNorm
from .masking import frame_mask

ENCODERS = ("conv-lstm", "linear-lstm", "bcresnet")


class PhonemeNet(nn.Module):
    """Encoder, bidirectional LSTM, and a linear layer with one logit per phone.

    Parameters
    ----------
    n_bands : int
    n_frames : int or None
        Not used; all networks have the same first parameters.
    n_phones : int
        Without blank.
    encoder : {"conv-lstm", "linear-lstm", "bcresnet"}, default="conv-lstm"
        What the LSTM reads: layers of convolutions, each of which halves the bands;
        the frames as they are; or the frames of a
        :class:`~sklearn_speech.modules.bc_resnet.BCResNetNet`.
    hidden_units : int, default=None
        Units of each direction of the LSTM. None is 128 after convolutions, else 32.
    n_lstm_layers : int, default=1
    n_conv_layers : int, default=2
        Layers of convolutions of "conv-lstm", at least one.
    n_filters : int or list of int, default=32
        Filters of each of these layers.
    time_stride : int, default=2
        "conv-lstm" keeps one frame in this many; the other encoders keep all.
    tau : float, default=1
        Width of "bcresnet".
    variant : {"paper", "reference"}, default="paper"
        Of "bcresnet".
    dropout : float, default=0.2
        Dropout before and after each LSTM layer of "conv-lstm" and "linear-lstm"; dropout
        of channels inside "bcresnet".
    input_norm : {None, "batch", "clip", "band"}, default="band"
        See :class:`~sklearn_speech.modules.input_norm.InputNorm`.

    Shape
    -----
    Input (n_clips, n_bands, n_frames), or (n_clips, n_bands) for one frame per clip; output
    (n_clips, n_out_frames, n_phones + 1), blank first. Beyond a clip's own frames the
    output is certainly blank: 0 for blank, ``-inf`` for phones, which changes neither the
    likelihood nor the decoded phones.

    Examples
    --------
    >>> net = PhonemeNet(40, None, 61, encoder="linear-lstm")
    >>> sum(p.numel() for p in net.parameters())
    22974
    >>> net(torch.zeros(2, 40, 9)).shape
    torch.Size([2, 9, 62])
    """

    def __init__(
        self,
        n_bands: int,
        n_frames: int | None,
        n_phones: int,
        encoder: str = "conv-lstm",
        hidden_units: int | None = None,
        n_lstm_layers: int = 1,
        n_conv_layers: int = 2,
        n_filters: int | list[int] = 32,
        time_stride: int = 2,
        tau: float = 1,
        variant: str = "paper",
        dropout: float = 0.2,
        input_norm: str | None = "band",
    ) -> None:
        super().__init__()
        if encoder not in ENCODERS:
            raise ValueError(f"encoder={encoder!r}: expected one of {ENCODERS}")
        self.n_bands, self.encoder = n_bands, encoder
        #: Input frames per output frame; an output frame is centred on the first of them.
        self.time_stride = frames_per_output(encoder, time_stride)
        outside = 0.0 if encoder == "bcresnet" else dropout
        bias = True
        self.encode: Any
        if encoder == "bcresnet":
            self.encode = BCResNetNet(n_bands, None, 1, tau, variant, dropout, None, input_norm)
            del self.encode.classify  # frames are classified, not clips
            width, bias = self.encode.n_features, variant == "paper"
        elif encoder == "conv-lstm":
            filters = per_layer("n_filters", n_filters, n_conv_layers)
            self.encode = _ConvEncoder(n_bands, filters, time_stride, input_norm)
            width = self.encode.n_features
        else:
            self.encode = InputNorm(n_bands, input_norm)
            width = n_bands
        if hidden_units is None:
            hidden_units = 128 if encoder == "conv-lstm" else 32
        self.dropout = nn.Dropout(outside)
        self.lstm = BiLSTM(width, hidden_units, n_lstm_layers, outside)
        self.classify = nn.Linear(2 * hidden_units, n_phones + 1, bias=bias)

    def out_frames(self, n_frames: Count) -> Count:
        """Output frames for a number of input frames, an int or a Tensor."""
        return out_frames(n_frames, self.time_stride)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if x.dim() == 2:
            x = x[:, :, None]
        if x.shape[1] != self.n_bands:
            raise ValueError(f"x has {x.shape[1]} bands, the network was built for {self.n_bands}")
        encode = self.encode.encode if self.encoder == "bcresnet" else self.encode
        x = encode(x, lengths).transpose(1, 2)
        lengths = None if lengths is None else self.out_frames(lengths)
        logits = self.classify(self.dropout(self.lstm(self.dropout(x), lengths)))
        if lengths is None:
            return logits
        inside = frame_mask(lengths.to(x.device), logits.shape[1])[..., None]
        blank = torch.full_like(logits[0, 0], -torch.inf)
        blank[0] = 0.0
        return torch.where(inside, logits, blank)


def frames_per_output(encoder: str, time_stride: int) -> int:
    """Number of input frames per output frame."""
    return time_stride if encoder == "conv-lstm" else 1


def out_frames(n_frames: Count, time_stride: int) -> Count:
    """Frames left when one in `time_stride` is kept; takes an int or a Tensor."""
    return (n_frames + time_stride - 1) // time_stride


class _ConvEncoder(nn.Module):
    """Convolutions, one layer per entry of `n_filters`.

    (n_clips, n_bands, n_frames) to (n_clips, n_features, n_out_frames).
    """

    def __init__(
        self, n_bands: int, n_filters: list[int], time_stride: int, input_norm: str | None
    ) -> None:
        super().__init__()
        self.input_norm = InputNorm(n_bands, input_norm)
        kernel, stride = (5, max(5, 2 * time_stride + 1)), (2, time_stride)
        width = 1
        self.stages = nn.ModuleList()
        for filters in n_filters:
            stage = ConvStage(width, filters, kernel, stride, batch_norm=True, bias=False)
            self.stages.append(stage)
            n_bands = stage.out_bands(n_bands)
            kernel, stride, width = (3, 3), (2, 1), filters
        self.n_features = width * n_bands

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        x = self.input_norm(x, lengths)[:, None]
        for stage in self.stages:
            x, lengths = stage(x, lengths)
        return x.flatten(1, 2)
