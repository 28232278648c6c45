"""Training of an autoencoder, layer by layer or at once."""

from ..base._batches import ClipDataset, map_clips, split_inputs
from ..base._fitting import DatasetPair
from ._levels import LevelDataset


def train_autoencoder(net, data, lr_schedule, going_on):
    """Train an initialised autoencoder as its parameters say.

    Parameters
    ----------
    net : ConvAutoencoder
    data : DatasetPair
        Clips to train on, and clips that each epoch is measured on.
    lr_schedule : {"one_cycle", "cosine", "constant", "swa"}
        Of each stage.
    going_on : bool
        Whether the weights of an earlier fit are trained further, which is done at once.
    """
    network = net.module_.eval()
    if not going_on:
        network.calibrate(lambda: _batches(net, data.train))
    inputs = [_normalised(net, part) for part in data if part is not None]
    epochs = net.max_epochs
    in_stages = net.training == "stacked" and not going_on
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
            net._initialize_optimizer()  # partial_fit goes on with all weights


def _train_stages(net, inputs, lr_schedule):
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


def _train_part(net, parts, span, levels, inputs, epochs, lr_schedule, new_optimizer):
    """Train some modules, or all where `parts` is None, on what the levels before them gave."""
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


def _batches(net, data):
    for start in range(0, len(data), 64):
        x, _, lengths = split_inputs(data.batch(slice(start, start + 64))[0])
        yield x.to(net.device_), None if lengths is None else lengths.to(net.device_)


def _normalised(net, data):
    """What enters the first layer, as maps with one channel."""
    network = net.module_
    if not data.ragged and data.X.shape[-1] != network.n_frames:
        data = ClipDataset(list(data.X))  # the network knows no other single size

    def enter(x, lengths):
        network._check_length(x, lengths)
        return network.input_norm(x, lengths)[:, None], lengths

    X = map_clips(data, enter, net.device_)
    if net.loss == "bce" and any(x.min() < 0 or x.max() > 1 for x in X):
        raise ValueError(
            "loss='bce' compares values in [0, 1], but X holds others; use "
            "MelSpectrogram(normalize='minmax') or loss='mse'"
        )
    return X
