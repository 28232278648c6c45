"""Initial weights, and their effect on quiet clips."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_speech import ConvAutoencoder, SpectrogramCNNClassifier, WaveformMLPClassifier
from sklearn_speech.modules.weight_init import initialize_weights

LAYERS = {
    "dense": (nn.Linear(300, 200), 300, 200),
    "convolution": (nn.Conv2d(16, 32, 5), 16 * 25, 32 * 25),
    "transposed": (nn.ConvTranspose2d(16, 32, 5), 32 * 25, 16 * 25),
    "in time": (nn.Conv1d(20, 64, 7), 20 * 7, 64 * 7),
}


@pytest.mark.parametrize("name", LAYERS)
def test_glorot_is_uniform_with_the_published_variance(name):
    layer, fan_in, fan_out = LAYERS[name]
    initialize_weights(nn.Sequential(layer), "glorot_uniform")
    weight, limit = layer.weight.detach(), np.sqrt(6 / (fan_in + fan_out))
    assert not layer.bias.any()
    assert weight.abs().max() <= limit
    assert weight.abs().max() > 0.99 * limit
    np.testing.assert_allclose(weight.var(), limit**2 / 3, rtol=0.05)


@pytest.mark.parametrize("name", LAYERS)
def test_lecun_is_normal_with_the_published_variance(name):
    layer, fan_in, _ = LAYERS[name]
    initialize_weights(nn.Sequential(layer), "lecun_normal")
    weight = layer.weight.detach().flatten()
    assert not layer.bias.any()
    np.testing.assert_allclose(weight.var(), 1 / fan_in, rtol=0.05)
    kurtosis = (weight**4).mean() / weight.var() ** 2
    np.testing.assert_allclose(kurtosis, 3, rtol=0.15)  # 1.8 for a uniform distribution


def test_torch_init_draws_nothing_and_recurrent_layers_stay_unchanged():
    network = nn.Sequential(nn.Linear(3, 4), nn.LSTM(4, 2))
    before, state = [p.clone() for p in network.parameters()], torch.random.get_rng_state()
    initialize_weights(network, "torch")
    assert torch.equal(state, torch.random.get_rng_state())
    initialize_weights(network, "glorot_uniform")
    changed = [not torch.equal(p, q) for p, q in zip(network.parameters(), before)]
    assert changed == [True, True, False, False, False, False]


def predictions(scale, weight_init):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 16, 12)).astype(np.float32), np.arange(40) % 4
    classifier = SpectrogramCNNClassifier(
        2, input_norm=None, batch_norm=False, hidden_units=8, weight_init=weight_init,
        max_epochs=0, random_state=0, device="cpu",
    )  # fmt: skip
    return classifier.fit(X, y).predict(scale * X)


def test_with_zero_biases_predictions_do_not_depend_on_loudness():
    loud, quiet = predictions(1, "glorot_uniform"), predictions(1e-3, "glorot_uniform")
    assert len(np.unique(loud)) > 1
    np.testing.assert_array_equal(loud, quiet)
    assert len(np.unique(predictions(1e-3, "torch"))) == 1  # the biases dominate


@pytest.mark.parametrize("estimator", [WaveformMLPClassifier, SpectrogramCNNClassifier])
def test_unknown_initialisations_are_refused(estimator):
    with pytest.raises(ValueError, match="weight_init"):
        estimator(weight_init="keras").fit(np.zeros((4, 8, 8)), [0, 1, 0, 1])


def test_pretrained_layers_start_with_the_weights_of_the_pretrainer():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 16, 12)).astype(np.float32), np.arange(12) % 2
    classifier = SpectrogramCNNClassifier(
        1, pretrainer=ConvAutoencoder(1, max_epochs=1, device="cpu"), max_epochs=0,
        weight_init="glorot_uniform", random_state=0, device="cpu",
    ).fit(X, y)  # fmt: skip
    learned = classifier.pretrainer_.module_.stages[0].state_dict()
    first, second = classifier.module_.stages
    for name, value in learned.items():
        torch.testing.assert_close(first.state_dict()[name], value, rtol=0, atol=0)
    assert not second.conv.bias.any()
