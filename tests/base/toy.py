"""Clips that a small network learns in a moment, and a callback that looks on."""

import numpy as np
from skorch.callbacks import Callback

from sklearn_speech.base._batches import split_inputs
from sklearn_speech.classification import SpectrogramCNNClassifier

LABELS = np.array(["no", "up", "yes"])


def toy_spectrograms(n_clips=48, n_bands=6, n_frames=9, seed=0):
    """Spectrograms with stripes across, along or both, labels, and speakers in blocks."""
    rng = np.random.default_rng(seed)
    codes = np.arange(n_clips) % 3
    X = rng.normal(size=(n_clips, n_bands, n_frames)).astype(np.float32)
    across, along = (-1.0) ** np.arange(n_bands)[:, None], (-1.0) ** np.arange(n_frames)
    for code, stripes in enumerate((across + 0 * along, along + 0 * across, across * along)):
        X[codes == code] += stripes
    speakers = np.array([f"speaker{i}" for i in np.arange(n_clips) * 4 // n_clips])
    return X, LABELS[codes], speakers


def quick(**parameters):
    """A network of one layer that learns the toy clips in a second."""
    defaults = {
        "n_layers": 1, "n_filters": 4, "max_epochs": 3, "batch_size": 16, "lr": 0.03,
        "device": "cpu", "random_state": 0,
    }  # fmt: skip
    return SpectrogramCNNClassifier(**{**defaults, **parameters})


def weights(net):
    """All trained numbers of a fitted net in one array."""
    return np.concatenate([p.detach().numpy().ravel() for p in net.module_.parameters()])


class Spy(Callback):
    """Notes which clips come in which batch, and what is put aside.

    Clips are recognised by the number in their first corner, see `numbered`.
    """

    def __init__(self):
        self.batches, self.train, self.valid = [], None, None

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.train = _numbers(dataset_train.X)
        self.valid = None if dataset_valid is None else _numbers(dataset_valid.X)

    def on_batch_begin(self, net, batch=None, training=None, **kwargs):
        if training:
            self.batches.append(_numbers(split_inputs(batch[0])[0]))


def _numbers(X):
    return X[:, 0, 0].int().tolist()


def numbered(X):
    """X with the number of each clip in its first corner."""
    X = X.copy()
    X[:, 0, 0] = np.arange(len(X))
    return X
