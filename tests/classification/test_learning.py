"""Every classifier learns: its training clips by heart, and with every parameter it has."""

import numpy as np
import pytest
import torch

from sklearn_speech.classification import (
    BCResNetClassifier,
    SpectrogramCNNClassifier,
    SpectrogramLinearClassifier,
    WaveformCNNClassifier,
    WaveformMLPClassifier,
)

SAMPLE_RATE, N_CLASSES = 8000, 4
FIT = {"device": "cpu", "random_state": 0, "batch_size": 20}
#: By the name of the class, so that a new one without a test is noticed.
NETWORKS = {
    "SpectrogramCNNClassifier": {"n_layers": 2, "n_filters": 8},
    "BCResNetClassifier": {"dropout": 0.0},
    "SpectrogramLinearClassifier": {},
    "WaveformCNNClassifier": {"n_layers": 2, "n_filters": 16},
    "WaveformMLPClassifier": {"hidden_units": 64},
}
CLASSES = [
    BCResNetClassifier, SpectrogramCNNClassifier, SpectrogramLinearClassifier,
    WaveformCNNClassifier, WaveformMLPClassifier,
]  # fmt: skip


def clips(kind):
    """40 clips whose labels are drawn by lot: nothing but learning by heart gets them right."""
    rng = np.random.default_rng(0)
    shape = (40, 20, 24) if kind == "spectrogram" else (40, 600)
    return rng.normal(size=shape).astype(np.float32), rng.permutation(np.arange(40) % N_CLASSES)


def test_every_classifier_is_here():
    from sklearn_speech import classification

    networks = set(classification.__all__) - {"AugmentedClassifier", "PrototypeClassifier"}
    assert {cls.__name__ for cls in CLASSES} == set(NETWORKS) == networks


@pytest.mark.parametrize("cls", CLASSES)
def test_forty_clips_are_learned_by_heart(cls):
    X, y = clips(cls.reads)
    clf = cls(
        **{"max_epochs": 30, "lr": 0.01, "weight_decay": 0.0, **FIT}, **NETWORKS[cls.__name__]
    )
    assert clf.fit(X, y).score(X, y) == 1.0


@pytest.mark.parametrize("cls", CLASSES)
def test_the_gradient_reaches_every_parameter(cls):
    X, y = clips(cls.reads)
    clf = cls(max_epochs=0, **FIT, **NETWORKS[cls.__name__]).fit(X, y)
    clf.module_.train()
    logits = clf.module_(torch.from_numpy(X))
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(y)).backward()
    named = clf.module_.named_parameters()
    assert [name for name, p in named if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("cls", CLASSES)
def test_a_stock_skorch_net_trains_the_same_module(cls):
    from skorch import NeuralNetClassifier

    X, y = clips(cls.reads)
    clf = cls(max_epochs=0, **FIT, **NETWORKS[cls.__name__]).fit(X, y)
    net = NeuralNetClassifier(
        type(clf.module_), criterion=torch.nn.CrossEntropyLoss, train_split=None, max_epochs=2,
        verbose=0, **{f"module__{name}": v for name, v in clf.get_params_for("module").items()},
    )  # fmt: skip
    assert net.fit(X, y).predict_proba(X).shape == (40, N_CLASSES)


def pitches(seed, ragged=False):
    """Tones of four pitches, at any loudness and time: what is heard, not when or how loud."""
    rng = np.random.default_rng(seed)
    y = np.arange(80) % N_CLASSES
    n_times = rng.integers(900, 1800, size=80) if ragged else np.full(80, 1600)
    X = [
        10 ** rng.uniform(-2, 0)
        * np.sin(2 * np.pi * (200 * 2.0**label * np.arange(n) / SAMPLE_RATE + rng.uniform()))
        for label, n in zip(y, n_times)
    ]
    X = [x.astype(np.float32) for x in X]
    return (X if ragged else np.stack(X)), y


@pytest.mark.parametrize("ragged", [False, True])
def test_waveform_cnn_tells_pitches_at_any_loudness(ragged):
    X, y = pitches(0, ragged)
    clf = WaveformCNNClassifier(2, n_filters=16, **{**FIT, "max_epochs": 15, "lr": 0.01})
    new_X, new_y = pitches(1, ragged)
    assert clf.fit(X, y).score(new_X, new_y) > 0.95


def test_predictions_of_waveform_networks_do_not_change_with_loudness():
    X, y = pitches(0)
    for clf in (
        WaveformCNNClassifier(1, n_filters=8, **{**FIT, "max_epochs": 2}),
        WaveformMLPClassifier(8, **{**FIT, "max_epochs": 2}),
    ):
        loud = clf.fit(X, y).predict_proba(X)
        np.testing.assert_allclose(clf.predict_proba(1e-3 * X), loud, atol=1e-4)
