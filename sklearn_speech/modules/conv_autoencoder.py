"""Convolutional autoencoder of spectrograms."""

from collections.abc import Callable, Iterable
from typing import Any, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .backbone import numbered
from .conv_stage import ConvStage, Padding, Size, as_pair, per_layer
from .counts import Count
from .deconv_stage import DeconvStage
from .input_norm import InputNorm
from .masking import check_fixed_length, mask_frames, steps_mask
from .spectrogram_cnn import default_layers

#: Batches after which the running statistics of a batch norm forget exponentially.
_SETTLED = 10


class ConvAutoencoderNet(nn.Module):
    """Stages of convolution down to a code, and mirrored stages back up.

    The encoder's ``stages`` are those of a
    :class:`~sklearn_speech.modules.spectrogram_cnn.SpectrogramCNNNet`, so that
    weights move there by ``load_state_dict``.

    Parameters
    ----------
    n_bands : int
    n_frames : int or None
        None where clips differ in length; ``mirror="kernel"`` needs a number.
    n_layers : int, default=3
    n_filters : int or list, default=[24, 48, 96, 128] cut or continued to n_layers
    kernel_size, stride, padding, pool_type
        One value for all layers, or a list with one entry per layer. With
        ``down="pool"`` the stride is that of pooling windows, not of kernels.
    down : {"stride", "pool"}, default="stride"
        Strided convolution mirrored by transposed convolution, or pooling
        mirrored by nearest upsampling and convolution.
    batch_norm : bool, default=True
        After each convolution but the last of the decoder.
    batch_norm_eps : float, default=1e-5
    mirror : {"output_padding", "kernel"}, default="output_padding"
        How the decoder restores sizes that a stride does not divide, see
        :class:`~sklearn_speech.modules.deconv_stage.DeconvStage`.
    extra_conv : bool, default=False
        One more convolution in the decoder, on the code.
    output_activation : {"linear", "relu", "sigmoid"}, default="linear"
        Activation after the last layer.
    input_norm : {None, "batch", "clip", "band"}, default="batch"
        See :class:`~sklearn_speech.modules.input_norm.InputNorm`. The decoder's output and
        the loss are on the normalised scale; ``forward`` undoes it.
    noise : float, default=0.0
        Standard deviation of the noise added to the input in training, as a fraction of
        each clip's own.
    masking : float, default=0.0
        Fraction of the input that is masked in training, in patches.
    mask_size : int or (frequency, time) tuple, default=8
        Size of these patches, in bands and frames.

    Shape
    -----
    Input and output (n_clips, n_bands, n_frames).
    """

    #: An nn.ModuleList of ConvStage, which no annotation can say.
    stages: Any
    typical_shift: torch.Tensor
    typical_spread: torch.Tensor

    def __init__(
        self,
        n_bands: int,
        n_frames: int | None,
        n_layers: int = 3,
        n_filters: int | list[int] | None = None,
        kernel_size: Size | list[Size] = 3,
        stride: Size | list[Size] = 2,
        padding: Padding | list[Padding] = "same",
        down: str = "stride",
        pool_type: str | list[str] = "max",
        batch_norm: bool = True,
        batch_norm_eps: float = 1e-5,
        mirror: str = "output_padding",
        extra_conv: bool = False,
        output_activation: str = "linear",
        input_norm: str | None = "batch",
        noise: float = 0.0,
        masking: float = 0.0,
        mask_size: Size = 8,
    ) -> None:
        super().__init__()
        if down not in ("stride", "pool"):
            raise ValueError(f"down={down!r}: expected 'stride' or 'pool'")
        if mirror not in ("output_padding", "kernel"):
            raise ValueError(f"mirror={mirror!r}: expected 'output_padding' or 'kernel'")
        if mirror == "kernel" and n_frames is None:
            raise ValueError(
                "mirror='kernel' makes kernels for clips of one length, but these "
                "may differ (a list of clips); "
                "put PadOrTrim before this step or choose mirror='output_padding'"
            )
        self.n_bands, self.n_frames, self.mirror = n_bands, n_frames, mirror
        self.noise, self.masking = noise, masking
        self.mask_size = as_pair("mask_size", mask_size)
        self.input_norm = InputNorm(n_bands, input_norm)
        self.register_buffer("typical_shift", torch.zeros(n_bands, 1))
        self.register_buffer("typical_spread", torch.ones(n_bands, 1))
        given: dict[str, Any] = {
            "out_channels": default_layers(n_layers)["n_filters"]
            if n_filters is None
            else n_filters,
            "kernel_size": kernel_size,
            "stride" if down == "stride" else "pool_size": stride,
            "padding": padding,
            "pool_type": pool_type,
        }
        names = {"out_channels": "n_filters", "pool_size": "stride"}
        columns = {k: per_layer(names.get(k, k), v, n_layers) for k, v in given.items()}
        #: Arguments of each stage, to build the same elsewhere.
        self.stage_settings: list[dict[str, Any]] = []
        channels = 1
        for i in range(n_layers):
            settings = {name: column[i] for name, column in columns.items()}
            self.stage_settings.append(
                {
                    "in_channels": channels,
                    **settings,
                    "batch_norm": batch_norm,
                    "batch_norm_eps": batch_norm_eps,
                }
            )
            channels = settings["out_channels"]
        self.stages = nn.ModuleList(ConvStage(**settings) for settings in self.stage_settings)
        self.stages.to(memory_format=torch.channels_last)  # faster, above all for pooling
        sizes: list[Any] = [None] * n_layers
        if mirror == "kernel" and n_frames is not None:
            sizes = self.sizes(n_frames)
        self.mirrors = nn.ModuleList(
            DeconvStage(
                stage,
                fixed_size=size,
                batch_norm=batch_norm and i > 0,
                batch_norm_eps=batch_norm_eps,
                activation=output_activation if i == 0 else "relu",
            )
            for i, (stage, size) in enumerate(zip(self.stages, sizes))
        )
        kernel = self.stages[-1].kernel_size
        options: dict[str, Any] = {"batch_norm": batch_norm, "batch_norm_eps": batch_norm_eps}
        self.extra = ConvStage(channels, channels, kernel, **options) if extra_conv else None
        #: Levels (first, last, target) that training runs, on maps of level `first`; or None.
        self.span: tuple[int, int, int] | None = None
        #: Source of noise and masks, on the device of the clips; None is torch's global generator.
        self.generator: torch.Generator | None = None

    def backbone(self) -> dict[str, nn.Module]:
        """The normalisation of the input and the stages of the encoder, by name."""
        return {"input_norm": self.input_norm, **numbered("stages", self.stages)}

    def sizes(self, n_frames: Count) -> list[tuple[int, Count]]:
        """Bands and frames at each level, from the input to the code; takes an int or a Tensor."""
        sizes = [(self.n_bands, n_frames)]
        for stage in self.stages:
            bands, frames = sizes[-1]
            sizes.append((stage.out_bands(bands), stage.out_frames(frames)))
        return sizes

    def least_frames(self, code_frames: int) -> int:
        """The smallest number of input frames that gives this many code frames."""
        for stage in reversed(self.stages):
            if code_frames > 1:
                code_frames = (
                    (code_frames * stage.pool_size[1] - 1) * stage.stride[1] + stage._needed(1)
                )  # fmt: skip
            code_frames = max(code_frames, 1)  # padding alone may give this many
        return code_frames

    @property
    def code_rows(self) -> int:
        """Filters times bands of the code."""
        return self.stage_settings[-1]["out_channels"] * self.sizes(1)[-1][0]

    def train(self, mode: bool = True) -> Self:
        """As in torch, but the statistics of the input and of frozen layers stay as they are."""
        super().train(mode)
        self.input_norm.eval()
        for module in [*self.stages, *self.mirrors]:
            if not any(parameter.requires_grad for parameter in module.parameters()):
                module.eval()
        return self

    # Scale of the input

    def calibrate(self, batches: Callable[[], Iterable[tuple[Tensor, Tensor | None]]]) -> None:
        """Learn the statistics of the input.

        Parameters
        ----------
        batches : callable
            Gives a new iterator of ``(x, lengths)`` at each call.
        """
        if self.input_norm.kind is None:
            return
        count, mean = 0, torch.zeros((), dtype=torch.float64)
        for x, lengths in batches():
            count += x.shape[0] * x.shape[2] if lengths is None else int(lengths.sum())
            mean = mean + mask_frames(x, lengths).double().sum((0, 2))
        mean = mean / count
        variance = torch.zeros_like(mean)
        for x, lengths in batches():
            variance = variance + mask_frames((x.double() - mean[:, None]).square(), lengths).sum(
                (0, 2)
            )
        norm = self.input_norm.norm
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(variance / count)
        norm.num_batches_tracked.fill_(_SETTLED)
        shifts, spreads = [], []
        for x, lengths in batches():
            shift, spread = self.clip_ranges(x, lengths)
            shifts.append(shift)
            spreads.append(spread)
        self.typical_shift.copy_(torch.cat(shifts).mean(0))
        self.typical_spread.copy_(torch.cat(spreads).mean(0))

    def clip_ranges(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Shift and spread that the input's normalisation removes from each clip.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_bands, n_frames)
        lengths : Tensor of shape (n_clips,), default=None

        Returns
        -------
        shift, spread : Tensor of shape (n_clips, n_bands, 1)
            ``x = normalised * spread + shift``.
        """
        shape = (len(x), self.n_bands, 1)
        if self.input_norm.kind is None:
            return x.new_zeros(shape), x.new_ones(shape)
        norm = self.input_norm.norm
        by_batch = norm.running_mean[:, None], torch.sqrt(norm.running_var + norm.eps)[:, None]
        if self.input_norm.kind == "batch" or x.shape[2] == 1:
            return by_batch[0].expand(shape), by_batch[1].expand(shape)
        # the normalisation of a clip is a straight line: find its slope and intercept
        frames = torch.full((len(x),), x.shape[2], device=x.device) if lengths is None else lengths
        inside = steps_mask(frames, x).to(x.dtype)
        z = self.input_norm(x, lengths)
        mean_x, mean_z = ((v * inside).sum(2, keepdim=True) / frames.view(-1, 1, 1) for v in (x, z))
        range_x = ((x - mean_x).abs() * inside).sum((1, 2), keepdim=True)
        range_z = ((z - mean_z).abs() * inside).sum((1, 2), keepdim=True)
        flat = self.input_norm.eps**0.5
        spread = torch.where(range_z > 0, range_x / range_z.clamp(min=1e-12), flat).expand(shape)
        shift = mean_x - mean_z * spread
        single = frames.view(-1, 1, 1) == 1
        return torch.where(single, by_batch[0], shift), torch.where(single, by_batch[1], spread)

    # Encoding and decoding

    def encode(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Code maps (n_clips, n_filters, n_bands, n_frames), and each clip's frames there."""
        if x.dim() == 2:
            x = x[:, :, None]
        self._check_length(x, lengths)
        return self._down(self.input_norm(x, lengths)[:, None], lengths)

    def decode(
        self,
        code: Tensor,
        n_frames: int,
        lengths: Tensor | None = None,
        ranges: tuple[Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Spectrograms from code maps.

        Parameters
        ----------
        code : Tensor of shape (n_clips, n_filters, n_bands, n_code_frames)
        n_frames : int
            Number of output frames: those of the longest clip.
        lengths : Tensor of shape (n_clips,), default=None
            Output frames of each clip.
        ranges : (Tensor, Tensor) of shape (n_clips, n_bands, 1), default=None
            Shift and spread of each clip; None uses those of a typical clip.

        Returns
        -------
        x : Tensor of shape (n_clips, n_bands, n_frames)
        """
        x = self._up(code, n_frames, lengths)[:, 0]
        shift, spread = (self.typical_shift, self.typical_spread) if ranges is None else ranges
        return mask_frames(x * spread + shift, lengths)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if x.dim() == 4:  # maps of a level in training; spectrograms pass all stages
            return self._train_span(x, lengths)
        if x.dim() == 2:
            x = x[:, :, None]
        code, _ = self.encode(x, lengths)
        return self.decode(code, x.shape[2], lengths, self.clip_ranges(x, lengths))

    def _down(
        self, h: Tensor, lengths: Tensor | None, first: int = 0, last: int | None = None
    ) -> tuple[Tensor, Tensor | None]:
        for stage in self.stages[first:last]:
            h, lengths = stage(h, lengths)
        return h, lengths

    def _up(
        self,
        h: Tensor,
        n_frames: int,
        lengths: Tensor | None,
        last: int | None = None,
        target: int = 0,
        level: int = 0,
    ) -> Tensor:
        """From level `last` to level `target`; frames are those of level `level`."""
        last = len(self.stages) if last is None else last
        sizes = {level: (None, n_frames, lengths)}
        bands = [bands for bands, _ in self.sizes(1)]
        for i, stage in enumerate(self.stages[level:last], level):
            _, n_frames, lengths = sizes[i]
            n_frames = stage.out_frames(n_frames)
            sizes[i + 1] = None, n_frames, None if lengths is None else stage.out_frames(lengths)
        if self.extra is not None and last == len(self.stages):
            h, _ = self.extra(h, sizes[last][2])
        for i in reversed(range(target, last)):
            _, n_frames, lengths = sizes[i]
            h = self.mirrors[i](h, bands[i], n_frames, lengths)
        return h

    def _train_span(self, h: Tensor, lengths: Tensor | None) -> Tensor:
        """Output for the training loss: from level `first` to `last` and back to `target`.

        `lengths` has two columns, frames at the first and at the target level.
        """
        if self.span is None:
            raise ValueError("4-D input is read in training only, with `span` set")
        first, last, target = self.span
        at_first = at_target = None
        if lengths is not None:
            at_first, at_target = lengths.unbind(1)
            n_frames = int(at_target.max())
        else:  # all clips have one length, which the network was built for
            n_frames = h.shape[3] if target == first else cast(int, self.n_frames)
        h = self.corrupt(h, at_first, first) if self.training else h
        h, _ = self._down(h, at_first, first, last)
        return self._up(h, n_frames, at_target, last, target, level=target)

    def corrupt(self, h: Tensor, lengths: Tensor | None = None, level: int = 0) -> Tensor:
        """Corrupt maps for denoising: hide patches of each clip, and add noise to the rest.

        Parameters
        ----------
        h : Tensor of shape (n_clips, n_channels, n_bands, n_frames)
        lengths : Tensor of shape (n_clips,), default=None
        level : int, default=0
            Number of stages already passed; patches shrink with their strides.

        Returns
        -------
        h : Tensor of the same shape
        """
        if self.noise:
            deviation = h.flatten(1).std(1, correction=0).view(-1, 1, 1, 1)
            noise = torch.empty_like(h).normal_(generator=self.generator)
            h = mask_frames(h + self.noise * deviation * noise, lengths)
        if self.masking:
            shrunk = [1, 1]
            for stage in self.stages[:level]:
                for axis in (0, 1):
                    shrunk[axis] *= stage.stride[axis] * stage.pool_size[axis]
            size = [max(1, whole // part) for whole, part in zip(self.mask_size, shrunk)]
            grid = [-(-n // s) for n, s in zip(h.shape[2:], size)]
            draws = torch.empty(len(h), 1, *grid, device=h.device, dtype=torch.float32)
            kept = (draws.uniform_(generator=self.generator) >= self.masking).to(h.dtype)
            kept = F.interpolate(kept, scale_factor=tuple(map(float, size)), mode="nearest")
            h = h * kept[:, :, : h.shape[2], : h.shape[3]]
        return h

    def _check_length(self, x: Tensor, lengths: Tensor | None) -> None:
        if self.mirror == "kernel":
            check_fixed_length(
                x,
                lengths,
                self.n_frames,
                "frames",
                "mirror='kernel'",
                "put PadOrTrim before this step or choose mirror='output_padding'",
            )
