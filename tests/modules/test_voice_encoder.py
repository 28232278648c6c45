"""The architecture of the voice encoder, with random weights."""

import numpy as np
import pytest
import torch

from sklearn_speech.modules.voice_encoder import VoiceEncoderNet

librosa = pytest.importorskip("librosa")


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return VoiceEncoderNet(2).eval()


def noise(n_times, level=0.1):
    return np.random.default_rng(n_times).normal(scale=level, size=n_times).astype(np.float32)


@pytest.mark.parametrize("n_times", [400, 1279, 1280, 16000, 20001])
@pytest.mark.parametrize("level", [0.001, 0.1])
def test_vectors_are_states_of_an_lstm_on_librosas_mel_energies(net, n_times, level):
    x = noise(n_times, level)
    gain = max(1.0, 10 ** (-30 / 20) / np.sqrt(np.mean(x.astype(np.float64) ** 2)))
    mel = librosa.feature.melspectrogram(y=x * gain, sr=16000, n_fft=400, hop_length=160, n_mels=40)
    with torch.no_grad():
        states = net.lstm(torch.from_numpy(mel.T.astype(np.float32))[None])[0][0, ::8].T
        vectors = net(torch.from_numpy(x)[None])[0]
    assert vectors.shape == (256, 1 + n_times // 1280)
    torch.testing.assert_close(vectors, states, rtol=0, atol=1e-5)


def test_soft_clips_are_amplified_and_loud_ones_are_not(net):
    x = torch.from_numpy(noise(8000, 0.005))[None]
    with torch.no_grad():
        torch.testing.assert_close(net(x), net(x / 50), rtol=0, atol=1e-5)
        assert (net(x * 20) - net(x * 40)).abs().max() > 0.01


def test_silence_gives_finite_vectors(net):
    with torch.no_grad():
        assert net(torch.zeros(1, 4000)).isfinite().all()


def test_first_layers_are_those_of_the_whole_network(net):
    torch.manual_seed(1)
    whole = VoiceEncoderNet(3)
    weights = {f"lstm.{name}": value for name, value in whole.lstm.named_parameters()}
    first = VoiceEncoderNet(2).load_weights({**weights, "linear.bias": torch.zeros(256)})
    for name, value in first.lstm.named_parameters():
        torch.testing.assert_close(value, weights[f"lstm.{name}"], rtol=0, atol=0)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w.pop("lstm.bias_hh_l1"), r"lstm\.bias_hh_l1 of shape \(1024,\), got none"),
        (
            lambda w: w.update({"lstm.weight_ih_l0": torch.zeros(1024, 41)}),
            r"weight_ih_l0 of shape \(1024, 40\), got \(1024, 41\)",
        ),
    ],
)
def test_wrong_weights_are_named(net, change, said):
    weights = {f"lstm.{name}": value for name, value in net.lstm.named_parameters()}
    change(weights)
    with pytest.raises(ValueError, match=said):
        VoiceEncoderNet().load_weights(weights)


@pytest.mark.parametrize("n_layers", [0, 4])
def test_there_are_three_layers(n_layers):
    with pytest.raises(ValueError, match=f"n_layers={n_layers}: the voice encoder has 1 to 3"):
        VoiceEncoderNet(n_layers)
