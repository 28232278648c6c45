"""Training of an autoencoder, layer by layer or at once."""

from collections.abc import Iterator
from typing import Any

import torch

from ..base._batches import ClipDataset, Clips, map_clips, split_inputs
from ..base._training_clips import DatasetPair
from ._levels import LevelDataset


def train_autoencoder(net: Any, data: DatasetPair, lr_schedule: str, continuing: bool) -> None:
    """Train an initialised autoencoder according to its parameters.

    Parameters
    ----------
    net : ConvAutoencoder
    data : DatasetPair
        Training clips and validation clips.
    lr_schedule : {"one_cycle", "cosine", "constant", "swa"}
        Learning rate schedule of each stage.
    continuing : bool
        Whether to continue training an already fitted network. All layers are then
        trained together.
    """
    network = net.module_.eval()
    if not continuing:
        network.calibrate(lambda: _batches(net, data.train))
    inputs = [_normalised(net, part) for part in data if part is not None]
    epochs = net.max_epochs
    in_stages = net.training == "stacked" and not continuing
    try:
        if in_stages:
            _train_stages(net, inputs, lr_schedule)
            epochs = net.fine_tune
        if epochs:
            span = (0, len(network.stages), 0)
            _train_part(net, None, span, inputs, inputs, epochs, lr_schedule, in_stages)
    finally:
        vars(net).pop("_stage", None)
        network.span = None
        network.requires_grad_(True)
        network.eval()
        if in_stages:
            net._initialize_optimizer()  # for partial_fit, which trains all weights


def _train_stages(net: Any, inputs: list[Clips], lr_schedule: str) -> None:
    network, levels = net.module_, inputs
    n_layers = len(network.stages)
    for i, stage in enumerate(network.stages):
        parts = [stage, network.mirrors[i]]
        if network.extra is not None and i + 1 == n_layers:
            parts.append(network.extra)
        target = i if net.stage_target == "hidden" else 0
        span = (i, i + 1, target)
        _train_part(net, parts, span, levels, inputs, net.max_epochs, lr_schedule, True)
        if i + 1 < n_layers:
            stage.eval()
            levels = [map_clips(ClipDataset(X), stage, net.device_) for X in levels]


def _train_part(
    net: Any,
    parts: list[torch.nn.Module] | None,
    span: tuple[int, int, int],
    levels: list[Clips],
    inputs: list[Clips],
    epochs: int,
    lr_schedule: str,
    new_optimizer: bool,
) -> None:
    """Train some modules, or all if `parts` is None, on the outputs of the level before them."""
    network, (first, last, target) = net.module_, span
    network.requires_grad_(parts is None)
    for part in parts or []:
        part.requires_grad_(True)
    net._stage, network.span = last if parts else 0, span
    if new_optimizer:
        net._initialize_optimizer()
    datasets = [LevelDataset(X, X_0 if target < first else None) for X, X_0 in zip(levels, inputs)]
    pair = DatasetPair(datasets[0], datasets[1] if len(datasets) > 1 else None)
    net.fit_loop(pair, epochs=epochs, lr_schedule=lr_schedule)


def _batches(net: Any, data: ClipDataset) -> Iterator[tuple[torch.Tensor, torch.Tensor | None]]:
    for start in range(0, len(data), 64):
        x, _, lengths = split_inputs(data.batch(slice(start, start + 64))[0])
        yield x.to(net.device_), None if lengths is None else lengths.to(net.device_)


def _normalised(net: Any, data: ClipDataset) -> Clips:
    """Input of the first layer, as maps with one channel."""
    network = net.module_
    if not data.ragged and data.X.shape[-1] != network.n_frames:
        data = ClipDataset(list(data.X))  # without lengths, the network assumes clips of n_frames

    def enter(
        x: torch.Tensor, lengths: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        network._check_length(x, lengths)
        return network.input_norm(x, lengths)[:, None], lengths

    X = map_clips(data, enter, net.device_)
    if net.loss == "bce" and any(x.min() < 0 or x.max() > 1 for x in X):
        raise ValueError(
            "loss='bce' needs values in [0, 1], but X has values outside this range; use "
            "MelSpectrogram(normalize='minmax') or loss='mse'"
        )
    return X
