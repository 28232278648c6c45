"""Training of an autoencoder, layer by layer or at once."""

from ..base._batches import ClipDataset
from ..base._training import train
from ._levels import LevelDataset, in_chunks


def train_autoencoder(net, data, valid, epochs, schedule, going_on):
    """Train an initialised autoencoder as its parameters say.

    Parameters
    ----------
    net : ConvAutoencoder
    data : ClipDataset
    valid : ClipDataset or None
        Measured after each epoch.
    epochs : int
        Of each stage.
    schedule : {"one_cycle", "cosine", "constant", "swa"}
    going_on : bool
        Whether the weights of an earlier fit are trained further, which is done at once.
    """
    network = net.module_.eval()
    if not going_on:
        network.calibrate(lambda: _batches(net, data))
    inputs = [_normalised(net, part) for part in (data, valid) if part is not None]
    in_stages = net.training == "stacked" and not going_on
    try:
        if in_stages:
            _train_stages(net, inputs, epochs, schedule)
            epochs = net.fine_tune
        if epochs:
            span = (0, len(network.stages), 0)
            _train_part(net, None, span, inputs, inputs, epochs, schedule, in_stages)
    finally:
        vars(net).pop("_stage", None)
        network.span = None
        network.requires_grad_(True)
        network.eval()
        if in_stages:
            net._initialize_optimizer()  # partial_fit goes on with all weights


def _train_stages(net, inputs, epochs, schedule):
    network, levels = net.module_, inputs
    n_layers = len(network.stages)
    for i, stage in enumerate(network.stages):
        parts = [stage, network.mirrors[i]]
        if network.extra is not None and i + 1 == n_layers:
            parts.append(network.extra)
        target = i if net.stage_target == "hidden" else 0
        _train_part(net, parts, (i, i + 1, target), levels, inputs, epochs, schedule, True)
        if i + 1 < n_layers:
            stage.eval()
            levels = [in_chunks(ClipDataset(X), net.device_, stage) for X in levels]


def _train_part(net, parts, span, levels, inputs, epochs, schedule, new_optimizer):
    """Train some modules, or all where `parts` is None, on what the levels before them gave."""
    network, (first, last, target) = net.module_, span
    network.requires_grad_(parts is None)
    for part in parts or []:
        part.requires_grad_(True)
    net._stage, network.span = last if parts else 0, span
    if new_optimizer:
        net._initialize_optimizer()
    datasets = [LevelDataset(X, X_0 if target < first else None) for X, X_0 in zip(levels, inputs)]
    train(net, datasets[0], datasets[1] if len(datasets) > 1 else None, epochs, schedule)


def _batches(net, data):
    for start in range(0, len(data), 64):
        batch = data.batch(slice(start, start + 64))
        lengths = batch.lengths
        yield (
            batch[0].to(net.device_),
            None if lengths is None else lengths.to(net.device_),
        )


def _normalised(net, data):
    """What enters the first layer, as maps with one channel."""
    network = net.module_
    if not data.ragged and data.X.shape[-1] != network.n_frames:
        data = ClipDataset(list(data.X))  # the network knows no other single size

    def enter(x, lengths):
        network._check_length(x, lengths)
        return network.input_norm(x, lengths)[:, None], lengths

    X = in_chunks(data, net.device_, enter)
    if net.loss == "bce" and any(x.min() < 0 or x.max() > 1 for x in X):
        raise ValueError(
            "loss='bce' compares values in [0, 1], but X holds others; use "
            "MelSpectrogram(normalize='minmax') or loss='mse'"
        )
    return X
