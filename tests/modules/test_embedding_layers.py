"""Inner layers of the speech embedding, and training of its last layers, with random weights."""

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sklearn_speech import MelSpectrogram, SpectrogramCNNClassifier, SpeechEmbedding
from sklearn_speech.feature_extraction import TrainableFrontEnd
from sklearn_speech.modules.embedding_front_end import EmbeddingFrontEnd
from sklearn_speech.modules.speech_embedding import N_LAYERS, SpeechEmbeddingNet
from sklearn_speech.utils.validation import make_ragged

RNG = np.random.default_rng(0)
WAVES = RNG.normal(scale=0.1, size=(6, 14000)).astype(np.float32)
RAGGED = make_ragged(clip[:n] for clip, n in zip(WAVES, (14000, 9000, 12000, 3000, 14000, 10000)))
WORDS = ["no", "yes"] * 3


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    return SpeechEmbeddingNet()


@pytest.fixture
def random_weights(net, monkeypatch):
    """SpeechEmbedding without the package that carries its weights."""
    weights = [p.detach() for p in net.convolutions.parameters()]
    module = "sklearn_speech.feature_extraction._speech_embedding"
    monkeypatch.setattr(f"{module}.packaged_embedding", lambda: "random")
    monkeypatch.setattr(f"{module}.published_weights", lambda path: weights)


@pytest.mark.parametrize("n_layers", range(1, N_LAYERS + 1))
def test_every_layer_gives_a_vector_for_each_hop_from_one_window_on(n_layers):
    inner = SpeechEmbeddingNet(n_layers=n_layers)
    window, hop = inner.window_length, inner.hop_length
    for n_times in (window, window + hop - 1, window + hop):
        with torch.no_grad():
            vectors = inner(torch.zeros(1, n_times))
        assert vectors.shape == (1, inner.n_bands, 1 + (n_times - window) // hop)


@pytest.mark.parametrize("n_layers", [1, 7, 13, 19])
def test_further_layers_go_on_from_an_inner_one(net, n_layers):
    inner = SpeechEmbeddingNet(n_layers=n_layers)
    inner.load_weights(list(net.convolutions.parameters()))
    x = torch.from_numpy(WAVES)
    with torch.no_grad():
        vectors = inner(x)
        torch.testing.assert_close(net.further_layers(vectors, n_layers), net(x))


@pytest.mark.parametrize("n_trained", [1, 3, 7, 19])
def test_two_halves_of_a_front_end_give_what_the_whole_gives(net, n_trained):
    front_end = EmbeddingFrontEnd(net, 16000, center=True, trained=n_trained).eval()
    assert front_end.n_constant == N_LAYERS - n_trained
    lengths = torch.tensor([len(clip) for clip in RAGGED])
    padded = torch.zeros(len(RAGGED), int(lengths.max()))
    for row, clip in zip(padded, RAGGED):
        row[: len(clip)] = torch.from_numpy(clip)
    with torch.no_grad():
        for x, n in ((padded, lengths), (padded, None)):
            found, n_found = front_end.finish(*front_end.begin(x, n))
            torch.testing.assert_close(found, front_end(x, n))
            assert n is None or n_found.tolist() == front_end.n_frames(n).tolist()


def network(train, **parameters):
    front_end = TrainableFrontEnd(SpeechEmbedding(), train=train, lr=1e-3)
    return SpectrogramCNNClassifier(
        0,
        frontend=front_end,
        max_epochs=2,
        batch_size=3,
        device="cpu",
        random_state=0,
        **parameters,
    )


@pytest.mark.parametrize("train", [1, 2])
@pytest.mark.parametrize("X", [WAVES, RAGGED], ids=["equal", "ragged"])
def test_last_layers_are_trained_on_outputs_that_are_computed_once(
    random_weights, monkeypatch, train, X
):
    calls = []
    first_layers = SpeechEmbeddingNet.first_layers
    monkeypatch.setattr(
        SpeechEmbeddingNet,
        "first_layers",
        lambda self, mel, n: calls.append(len(mel)) or first_layers(self, mel, n),
    )
    fitted = network(train).fit(X, WORDS)
    assert sum(calls) == len(X)
    start = SpeechEmbedding().to_module().encoder.convolutions
    found = fitted.module_.front_end.encoder.convolutions
    moved = [not torch.equal(a.weight, b.weight) for a, b in zip(start, found)]
    assert moved == [False] * (N_LAYERS - train) + [True] * train
    monkeypatch.setattr(EmbeddingFrontEnd, "n_constant", 0)
    whole = network(train).fit(X, WORDS)
    np.testing.assert_allclose(whole.predict_proba(X), fitted.predict_proba(X), atol=1e-4)


def test_all_layers_are_trained(random_weights):
    fitted = network("all").set_params(max_epochs=1).fit(WAVES[:4], WORDS[:4])
    start = SpeechEmbedding().to_module().encoder.convolutions
    found = fitted.module_.front_end.encoder.convolutions
    assert all(not torch.equal(a.weight, b.weight) for a, b in zip(start, found))


def test_last_layers_of_an_encoder_of_ones_own_are_trained_and_the_others_stay_frozen():
    encoder = torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, -1)), torch.nn.Conv1d(1, 3, 400, stride=160),
        torch.nn.BatchNorm1d(3), torch.nn.Conv1d(3, 2, 1),
    )  # fmt: skip
    embedding = SpeechEmbedding(encoder=encoder, window_length=400, hop_length=160)
    net = network(1).set_params(frontend__transformer=embedding).fit(WAVES, WORDS)
    before, after = encoder.state_dict(), net.module_.front_end.encoder.module.state_dict()
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert moved == {"3.weight", "3.bias"}


@pytest.mark.parametrize(
    ("front_end", "message"),
    [
        (TrainableFrontEnd(SpeechEmbedding(), train=21), "train=21: the encoder has 20 layers"),
        (TrainableFrontEnd(MelSpectrogram(), train=2), "train=2 is for SpeechEmbedding; MelSp"),
        (TrainableFrontEnd(MelSpectrogram(), train="all"), "train='all' is for SpeechEmbedding"),
        (TrainableFrontEnd(SpeechEmbedding(), train=0), "must be"),
        (SpeechEmbedding(layer=21), r"range \[1, 20\]"),
        (
            SpeechEmbedding(encoder=torch.nn.Identity(), layer=3, hop_length=1),
            "layer=3 belongs to the speech embedding",
        ),
        (SpeechEmbedding(layer=3, hop_length=1280), "but the speech embedding has 320"),
    ],
)
def test_what_cannot_be_trained_or_taken_is_named(random_weights, front_end, message):
    with pytest.raises(ValueError, match=message):
        clone(network(1)).set_params(frontend=front_end).fit(WAVES, WORDS)
