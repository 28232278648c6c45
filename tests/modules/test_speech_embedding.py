"""The architecture of the speech embedding, with random weights."""

import pytest
import torch

from sklearn_speech.modules.embedding_front_end import EmbeddingFrontEnd
from sklearn_speech.modules.speech_embedding import SpeechEmbeddingNet
from tests.test_numerics import WAVEFORMS, ragged

WINDOW, HOP = SpeechEmbeddingNet.window_length, SpeechEmbeddingNet.hop_length


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return SpeechEmbeddingNet()


def modulated_noise(n_clips, n_times):
    """Noise whose level rises and falls."""
    level = torch.sin(torch.arange(n_times) / 3000).abs() + 0.01
    return torch.randn(n_clips, n_times) * 0.1 * level


def test_network_has_the_published_size(net):
    # "330k parameters"; batch normalisation is part of the convolutions here
    assert sum(p.numel() for p in net.parameters()) == 328_128
    assert len(net.convolutions) == 20
    assert (WINDOW, HOP) == (12512, 1280)


def test_a_long_spectrogram_equals_its_windows(net):
    mel = torch.randn(2, 32, 76 + 8 * 6 + 5)
    with torch.no_grad():
        whole = net.embed(mel)
        windows = [net.embed(mel[:, :, 8 * k : 8 * k + 76]) for k in range(7)]
    torch.testing.assert_close(whole, torch.cat(windows, dim=2), rtol=0, atol=1e-5)


def test_a_very_long_spectrogram_gives_equal_output_in_blocks(net, monkeypatch):
    mel = torch.randn(1, 32, 76 + 8 * 10)
    with torch.no_grad():
        whole = net.embed(mel)
        monkeypatch.setattr("sklearn_speech.modules.speech_embedding._BLOCK", 4)
        torch.testing.assert_close(net.embed(mel), whole, rtol=0, atol=1e-6)


def test_output_of_a_clip_is_the_same_in_any_batch(net):
    x = modulated_noise(5, 16000)
    with torch.no_grad():
        together = net(x)
        for size in (1, 2, 3):
            parts = torch.cat([net(part) for part in x.split(size)])
            torch.testing.assert_close(parts, together, rtol=0, atol=1e-6)


def test_gradients_match_finite_differences():
    torch.manual_seed(0)
    net = SpeechEmbeddingNet(torch.float64)
    mel = torch.randn(1, 32, 76, dtype=torch.float64, requires_grad=True)
    weights = torch.randn(1, 96, 1, dtype=torch.float64)
    (net.embed(mel) * weights).sum().backward()
    direction, step = torch.randn_like(mel), 1e-6
    with torch.no_grad():
        ahead, behind = net.embed(mel + step * direction), net.embed(mel - step * direction)
    slope = ((ahead - behind) * weights).sum() / (2 * step)
    torch.testing.assert_close((mel.grad * direction).sum(), slope, rtol=1e-5, atol=1e-8)


def test_weights_of_another_number_or_shape_are_refused(net):
    weights = list(net.convolutions.parameters())
    with pytest.raises(ValueError, match="38 of them, expected 39"):
        net.load_weights(weights[:-1])
    weights[4] = torch.zeros(24, 24, 1, 3)
    with pytest.raises(ValueError, match=r"number 4 has shape \(24, 24, 1, 3\), expected \(24, 24"):
        net.load_weights(weights)


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("rate", [8000, 16000, 22050])
def test_padding_does_not_change_the_output_of_a_clip(net, center, rate):
    front_end = EmbeddingFrontEnd(net, rate, center=center).eval()
    lengths = torch.tensor([10, rate // 2, rate, rate + rate // 3])
    x = modulated_noise(4, int(lengths.max()))
    counts = front_end.n_frames(lengths)
    vectors = front_end(x, lengths)  # the padding is not silent here
    for i, n in enumerate(lengths.tolist()):
        assert counts[i] == front_end.n_frames(n) >= 1
        alone = front_end(x[i : i + 1, :n])[0]
        assert alone.shape == (96, counts[i])
        torch.testing.assert_close(vectors[i, :, : counts[i]], alone, rtol=0, atol=1e-5)
        assert not vectors[i, :, counts[i] :].any()


def test_centring_equals_surrounding_the_clip_with_silence(net):
    x = modulated_noise(2, 16000)
    silence = torch.zeros(2, WINDOW // 2)
    centred = EmbeddingFrontEnd(net, 16000, center=True)(x)
    padded = EmbeddingFrontEnd(net, 16000)(torch.cat([silence, x, silence], dim=1))
    assert centred.shape == (2, 96, 1 + 16000 // HOP)
    torch.testing.assert_close(centred, padded, rtol=0, atol=1e-6)


def test_frozen_weights_are_not_trained_and_stay_in_evaluation_mode():
    frozen = EmbeddingFrontEnd(SpeechEmbeddingNet(), 16000).train()
    assert frozen.training and not frozen.encoder.training
    assert not any(p.requires_grad for p in frozen.parameters())
    assert not frozen(torch.zeros(1, 16000)).requires_grad
    trained = EmbeddingFrontEnd(SpeechEmbeddingNet(), 16000, trained=True).train()
    assert trained.encoder.training and all(p.requires_grad for p in trained.encoder.parameters())


@pytest.mark.parametrize("rate", [8000, 16000])
@pytest.mark.parametrize("name", WAVEFORMS)
def test_vectors_and_gradients_of_unusual_clips_are_finite(name, rate):
    torch.manual_seed(0)
    front_end = EmbeddingFrontEnd(SpeechEmbeddingNet(), rate, center=True, trained=True)
    for clips, lengths in ((WAVEFORMS[name], None), ragged(WAVEFORMS[name])):
        front_end.zero_grad()
        vectors = front_end(clips, lengths)
        assert torch.isfinite(vectors).all()
        torch.tanh(vectors).sum().backward()
        assert all(torch.isfinite(p.grad).all() for p in front_end.parameters())


def test_the_default_dtype_does_not_change_vectors(net):
    x = modulated_noise(2, 16000)
    expected = EmbeddingFrontEnd(net, 8000)(x)
    weights = list(net.convolutions.parameters())
    torch.set_default_dtype(torch.float64)
    try:
        again = SpeechEmbeddingNet(torch.float32).load_weights(weights)
        found = EmbeddingFrontEnd(again, 8000, dtype=torch.float32)(x)
    finally:
        torch.set_default_dtype(torch.float32)
    assert torch.equal(found, expected)
