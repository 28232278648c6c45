"""SpeechEmbedding with the voice encoder, read from a stand-in for the package."""

import importlib

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_speech import (
    SpectrogramCNNClassifier,
    SpeechEmbedding,
    TemporalPooling,
    TrainableFrontEnd,
    load,
    make_recipe,
    save,
)
from sklearn_speech.modules.voice_encoder import VoiceEncoderNet


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Folder of a package resemblyzer whose weights are random."""
    folder = tmp_path / "resemblyzer"
    folder.mkdir()
    (folder / "__init__.py").write_text("raise ImportError('needs webrtcvad')")
    torch.manual_seed(0)
    weights = {f"lstm.{k}": v for k, v in VoiceEncoderNet(3).lstm.state_dict().items()}
    torch.save({"step": 1, "model_state": weights}, folder / "pretrained.pt")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    return folder


def clips(lengths=(4000, 9000, 4000, 1)):
    rng = np.random.default_rng(0)
    X = np.empty(len(lengths), dtype=object)
    X[:] = [rng.normal(scale=0.1, size=n).astype(np.float32) for n in lengths]
    return X


@pytest.mark.parametrize("layer", [None, 1, 2, 3])
def test_each_layer_gives_the_states_of_that_layer_clip_by_clip(package, layer):
    weights = torch.load(package / "pretrained.pt", weights_only=True)["model_state"]
    net = VoiceEncoderNet(layer or 3).load_weights(weights)
    X = clips()
    S = SpeechEmbedding(encoder="resemblyzer", layer=layer).fit_transform(X)
    for clip, vectors in zip(X, S):
        with torch.no_grad():
            expected = net(torch.from_numpy(clip)[None])[0].numpy()
        np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-6)


def test_a_saved_pipeline_reads_the_package_again(package, tmp_path):
    embedding = SpeechEmbedding(encoder="resemblyzer", layer=2)
    clf = make_pipeline(embedding, TemporalPooling("mean"), LogisticRegression())
    clf.fit(clips(), ["a", "b", "a", "b"])
    save(clf, tmp_path / "m.safetensors")
    found = load(tmp_path / "m.safetensors").predict_proba(clips())
    np.testing.assert_allclose(found, clf.predict_proba(clips()), rtol=0, atol=1e-9)


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"layer": 4}, "layer=4, but the voice encoder has layers 1 to 3"),
        ({"hop_length": 160}, "hop_length=160, but the voice encoder has 1280"),
        ({"window_length": 400}, "window_length=400, but the voice encoder has 0"),
        (
            {"encoder_sample_rate": 8000},
            "encoder_sample_rate=8000, but the voice encoder",
        ),
    ],
)
def test_sizes_are_those_of_the_published_network(package, parameters, said):
    with pytest.raises(ValueError, match=said):
        SpeechEmbedding(encoder="resemblyzer", **parameters).fit(clips())


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda path: path.write_bytes(b"damaged"), "is not a file of torch weights"),
        (lambda path: torch.save([1, 2], path), "'model_state', got list"),
        (lambda path: torch.save({"model_state": {}}, path), "weight_ih_l0 .*got none"),
    ],
)
def test_a_wrong_file_is_refused(package, write, said):
    write(package / "pretrained.pt")
    with pytest.raises(ValueError, match=said):
        SpeechEmbedding(encoder="resemblyzer").fit(clips())


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install --no-deps resemblyzer"):
        SpeechEmbedding(encoder="resemblyzer").fit(clips())


def test_recipe_averages_the_probabilities_of_spectra_and_voices(package):
    X, y = clips((4000, 9000, 5000, 8000)), ["a", "b", "a", "b"]
    clf = make_recipe("best-utterance-pretrained", layers=(), voice_encoder=True, reads="waveforms")
    found = clf.fit(X, y).predict_proba(X)
    voters = clf[-1].named_estimators_
    assert set(voters) == {"spectra", "voices"}
    mean = np.mean([voter.predict_proba(X) for voter in voters.values()], axis=0)
    np.testing.assert_allclose(found, mean, rtol=0, atol=1e-9)


@pytest.mark.parametrize("train", [None, 1, "all"])
@pytest.mark.parametrize("layer", [1, 3])
def test_a_network_with_the_voice_encoder_inside_comes_back(package, tmp_path, layer, train):
    frontend = SpeechEmbedding(encoder="resemblyzer", layer=layer)
    if train is not None:
        frontend = TrainableFrontEnd(frontend, train=train)
    X = np.stack([clip for clip in clips((4000,) * 4)])
    net = SpectrogramCNNClassifier(0, frontend=frontend, max_epochs=1, random_state=0)
    net.fit(X, ["a", "b", "a", "b"])
    save(net, tmp_path / "net.safetensors")
    found = load(tmp_path / "net.safetensors").predict_proba(X)
    np.testing.assert_allclose(found, net.predict_proba(X), rtol=0, atol=1e-6)
