"""LSTMs in files: every layer, direction and state; the voice encoder; refusals."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from torch import nn

from sklearn_speech import (
    SpectrogramCNNClassifier,
    SpeechEmbedding,
    TemporalPooling,
    load_onnx,
    make_recipe,
    to_onnx,
)
from sklearn_speech.export._lstm import ExportedLSTM
from sklearn_speech.export._sklearn_graphs import OPSET
from tests.export.cases import waveforms
from tests.feature_extraction.test_voice_encoder import package  # noqa: F401 - a fixture

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="the extra onnx is not installed")


def by_onnxruntime(operator, inputs, attributes, *, dtypes, shapes):
    """What a placeholder stands for, computed at once."""
    names = ["" if tensor is None else f"input {i}" for i, tensor in enumerate(inputs)]
    given = {name: t.numpy() for name, t in zip(names, inputs, strict=True) if name}
    info = onnx.helper.make_tensor_value_info
    outputs = [info(f"output {i}", 1, shape) for i, shape in enumerate(shapes)]
    node = onnx.helper.make_node(operator, names, [o.name for o in outputs], **attributes)
    inputs = [info(name, 1, value.shape) for name, value in given.items()]
    model = onnx.helper.make_model(
        onnx.helper.make_graph([node], "one operator", inputs, outputs),
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=10,
    )
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found = [torch.from_numpy(values) for values in session.run(None, given)]
    assert [values.shape for values in found] == [torch.Size(shape) for shape in shapes]
    return found


@pytest.mark.parametrize("shape", [(5, 7, 3), (7, 3)], ids=["clips", "one clip"])
@pytest.mark.parametrize("first", [False, True], ids=["from 0", "from a state"])
@pytest.mark.parametrize("batch_first", [False, True], ids=["steps first", "clips first"])
@pytest.mark.parametrize("bias", [False, True], ids=["no bias", "bias"])
@pytest.mark.parametrize("bidirectional", [False, True], ids=["one way", "both ways"])
@pytest.mark.parametrize("num_layers", [1, 2, 3])
def test_outputs_and_last_states_are_those_of_torch(
    num_layers, bidirectional, bias, batch_first, first, shape, monkeypatch
):
    monkeypatch.setattr(torch.onnx.ops, "symbolic_multi_out", by_onnxruntime)
    options = {"bidirectional": bidirectional, "bias": bias, "batch_first": batch_first}
    lstm = nn.LSTM(3, 4, num_layers, dropout=0.5 * (num_layers > 1), **options).eval()
    n_clips = [] if len(shape) == 2 else [shape[0 if batch_first else 1]]
    state = torch.randn(2, num_layers * (1 + bidirectional), *n_clips, 4)
    x, hx = torch.randn(shape), tuple(state) if first else None
    with torch.no_grad():
        torch.testing.assert_close(ExportedLSTM(lstm)(x, hx), lstm(x, hx), atol=1e-6, rtol=0)


class Recurrent(nn.Module):
    """An encoder of levels of filters, with an LSTM."""

    def __init__(self, **options):
        super().__init__()
        self.filters = nn.Conv1d(1, 8, 40, stride=20)
        self.lstm = nn.LSTM(8, 6, **options)

    def levels(self, x):
        return self.filters(x.unsqueeze(1)).permute(2, 0, 1)

    def forward(self, x):
        return self.lstm(self.levels(x))[0].permute(1, 2, 0)


class ManyStates(Recurrent):
    """First states of the right sizes, and last ones beside the outputs."""

    def forward(self, x):
        lstm = self.lstm
        lstm.flatten_parameters()
        n_states = lstm.num_layers * (1 + lstm.bidirectional)
        first = torch.full((n_states, x.shape[0], lstm.hidden_size), 0.5)
        out, last = lstm(self.levels(x), (first, -first))
        last = torch.cat(last).permute(1, 2, 0).flatten(1).unsqueeze(2)
        return torch.cat([out.permute(1, 2, 0), last.expand(-1, -1, out.shape[0])], 1)


class Packed(Recurrent):
    def levels(self, x):
        levels = super().levels(x)
        n_steps = torch.full((levels.shape[1],), levels.shape[0])
        return nn.utils.rnn.pack_padded_sequence(levels, n_steps)

    def forward(self, x):
        out = nn.utils.rnn.pad_packed_sequence(self.lstm(self.levels(x))[0])[0]
        return out.permute(1, 2, 0)


class LastStates(Recurrent):
    """One vector a clip."""

    def forward(self, x):
        return self.lstm(self.levels(x).transpose(0, 1))[1][0].transpose(0, 1).flatten(1)


def embedding(encoder):
    one_per_clip = isinstance(encoder, LastStates)
    hop = {} if one_per_clip else {"window_length": 40, "hop_length": 20}
    return SpeechEmbedding(8000, encoder=encoder, encoder_sample_rate=8000, **hop)


def check_file(estimator, X, tmp_path):
    """The file answers as the estimator does on other clips than those of the export."""
    to_onnx(estimator, tmp_path / "model.onnx")
    model = load_onnx(tmp_path / "model.onnx")
    method = "predict_proba" if hasattr(estimator, "predict_proba") else "transform"
    found, expected = getattr(model, method)(X), getattr(estimator, method)(X)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    "encoder",
    [
        Recurrent(num_layers=2),
        ManyStates(num_layers=2, bidirectional=True, bias=False),
        LastStates(batch_first=True, bidirectional=True),
    ],
    ids=lambda encoder: type(encoder).__name__,
)
def test_an_encoder_of_ones_own_may_use_all_of_an_lstm(encoder, tmp_path):
    X = waveforms(4, 1000)
    check_file(embedding(encoder).fit(X), X, tmp_path)


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.usefixtures("package")
def test_every_layer_of_the_voice_encoder_is_in_a_file(layer, tmp_path):
    X = waveforms(3, 4000)
    check_file(SpeechEmbedding(encoder="resemblyzer", layer=layer).fit(X), X, tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("package")
def test_the_voice_encoder_is_in_the_file_of_a_network(tmp_path):
    X, y = waveforms(6, 8000), [0, 1] * 3
    front_end = SpeechEmbedding(encoder="resemblyzer", layer=2)
    net = SpectrogramCNNClassifier(frontend=front_end, max_epochs=1, random_state=0)
    check_file(net.fit(X, y), X, tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("package")
def test_the_voice_encoder_is_in_the_file_of_the_recipe(tmp_path):
    # clips that begin alike have features that differ by rounding alone, which a scaler enlarges
    X, y = np.random.default_rng(0).normal(scale=0.1, size=(6, 8000)), [0, 1] * 3
    X = X.astype(np.float32)
    recipe = make_recipe(
        "best-utterance-pretrained", layers=(), voice_encoder=True, reads="waveforms"
    )
    check_file(recipe.fit(X, y), X, tmp_path)


# torch says of projections that a quick kernel lacks them
@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize(
    ("encoder", "said"),
    [
        (Recurrent(proj_size=3), "speechembedding cannot be exported: proj_size=3 of an nn.LSTM"),
        (Packed(), "an nn.LSTM gets a PackedSequence; only tensors"),
    ],
    ids=["projections", "packed"],
)
def test_what_the_operator_lacks_is_refused_by_name(encoder, said, tmp_path):
    X, y = waveforms(4, 1000), [0, 1, 0, 1]
    clf = make_pipeline(embedding(encoder), TemporalPooling(), LogisticRegression()).fit(X, y)
    with pytest.raises(ValueError, match=said):
        to_onnx(clf, tmp_path / "model.onnx")
    assert not list(tmp_path.iterdir())
