"""SpeechEmbedding with the encoder of Moonshine, read from the installed package."""

import importlib.util
import shutil

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
    make_spoken_digits,
    save,
)
from sklearn_speech.feature_extraction._moonshine_weights import (
    as_onnx,
    read_moonshine_weights,
)
from sklearn_speech.feature_extraction._packaged_encoders import PACKAGED
from sklearn_speech.modules.moonshine import MoonshineEncoderNet

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")
if importlib.util.find_spec("moonshine_voice") is None:
    pytest.skip("moonshine-voice is not installed", allow_module_level=True)

RATE = 16000


@pytest.fixture(scope="module")
def path():
    return PACKAGED["moonshine"].path()


def speech(n_clips=3, rate=RATE):
    digits = make_spoken_digits(n_speakers=1, n_takes=1, sample_rate=rate, random_state=0)
    return digits.data[:n_clips]


def clips(lengths=(4000, 9000, 4000, 1)):
    X = np.empty(len(lengths), dtype=object)
    X[:] = [np.resize(speech(1)[0], n).astype(np.float32) for n in lengths]
    return X


def session(model, optimised=True):
    options = onnxruntime.SessionOptions()
    if not optimised:  # it would compute products in 8 bits again
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def answer(session, x):
    mask = np.ones((1, len(x)), dtype=np.int64)
    (found,) = session.run(None, {"input_values": x[None], "attention_mask": mask})
    return found[0].T


def unrounded(path):
    """The published network with products of 32 instead of 8 bits: rounding has no part then."""
    model = as_onnx(str(path))
    graph = model.graph
    inputs = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "DynamicQuantizeLinear"}
    nodes = []
    for node in graph.node:
        if node.op_type not in ("DynamicQuantizeMatMul", "MatMulIntegerToFloat"):
            nodes.append(node)
            continue
        values = list(node.input)
        if node.op_type == "DynamicQuantizeMatMul":
            x, matrix, scale, zero, *bias = values
        else:
            x, matrix, _, scale, _, zero, *bias = values
            x = inputs[x]
        out, added = node.output[0], [name for name in bias if name]
        product = f"{out}_product" if added else out
        make = onnx.helper.make_node
        nodes.append(make("DequantizeLinear", [matrix, scale, zero], [f"{out}_matrix"]))
        nodes.append(make("MatMul", [x, f"{out}_matrix"], [product]))
        nodes += [make("Add", [product, name], [out]) for name in added]
    del graph.node[:]
    graph.node.extend(nodes)
    return model.SerializeToString()


def test_the_network_is_the_published_one(path):
    published = session(unrounded(path), optimised=False)
    net = MoonshineEncoderNet().load_weights(read_moonshine_weights(path)).eval()
    for clip in [*speech(), speech(1)[0][:895], np.zeros(5000)]:
        clip = clip.astype(np.float32)
        with torch.no_grad():
            found = net(torch.from_numpy(clip)[None])[0].numpy()
        np.testing.assert_allclose(found, answer(published, clip), rtol=0, atol=1e-4)


def test_the_published_file_differs_by_its_rounding_only(path):
    rounded = session(str(path))
    X = speech()
    for clip, vectors in zip(
        X, SpeechEmbedding(encoder="moonshine", center=False).fit_transform(X)
    ):
        expected = answer(rounded, clip.astype(np.float32))
        assert np.linalg.norm(vectors - expected) < 0.1 * np.linalg.norm(expected)


@pytest.mark.parametrize("layer", [None, 1, 4, 6])
def test_each_layer_gives_the_states_of_that_layer_clip_by_clip(path, layer):
    net = MoonshineEncoderNet(layer or 6).load_weights(read_moonshine_weights(path)).eval()
    X = clips()
    S = SpeechEmbedding(encoder="moonshine", layer=layer).fit_transform(X)
    for clip, vectors in zip(X, S):
        x = np.pad(clip, MoonshineEncoderNet.silence)
        with torch.no_grad():
            expected = net(torch.from_numpy(x)[None])[0].numpy()
        np.testing.assert_allclose(vectors, expected, rtol=0, atol=1e-4)


def test_double_precision_goes_through_the_network(path):
    net = MoonshineEncoderNet(1).load_weights(read_moonshine_weights(path)).double()
    X = np.array(speech(1)[0])[None, :4000].astype(np.float64)
    found = SpeechEmbedding(encoder="moonshine", layer=1, center=False).fit_transform(X)
    with torch.no_grad():
        expected = net(torch.from_numpy(X)).numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10)


def test_vector_10_is_centred_on_the_first_sample():
    click = np.zeros((1, 8000), dtype=np.float32)
    click[0, 0] = 0.5
    net = MoonshineEncoderNet
    assert net.silence == 447 + 10 * net.hop_length
    S = SpeechEmbedding(encoder="moonshine", layer=1).fit(click)
    changed = np.abs(S.transform(click) - S.transform(click * 0))[0].max(axis=0)
    assert abs(changed.argmax() - 10) <= 1


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"layer": 7}, "layer=7, but the Moonshine encoder has layers 1 to 6"),
        ({"hop_length": 160}, "hop_length=160, but the Moonshine encoder has 384"),
        ({"window_length": 400}, "window_length=400, but the Moonshine encoder has 895"),
        ({"encoder_sample_rate": 8000}, "encoder_sample_rate=8000, but the Moonshine encoder"),
    ],
)
def test_sizes_that_are_not_its_own_are_refused(parameters, said):
    with pytest.raises(ValueError, match=said):
        SpeechEmbedding(encoder="moonshine", **parameters).fit(clips())


def test_a_saved_pipeline_reads_the_package_again(tmp_path):
    embedding = SpeechEmbedding(encoder="moonshine", layer=1)
    clf = make_pipeline(embedding, TemporalPooling("mean"), LogisticRegression())
    clf.fit(clips(), ["a", "b", "a", "b"])
    save(clf, tmp_path / "m.safetensors")
    assert (tmp_path / "m.safetensors").stat().st_size < 100_000
    found = load(tmp_path / "m.safetensors").predict_proba(clips())
    np.testing.assert_allclose(found, clf.predict_proba(clips()), rtol=0, atol=1e-6)


@pytest.mark.parametrize("train", [1, "all"])
def test_its_last_layers_train_inside_a_network(tmp_path, train):
    X = np.stack([x[:4000] for x in speech(4)])
    y = ["a", "b", "a", "b"]
    embedding = SpeechEmbedding(encoder="moonshine", layer=2, center=False)
    clf = SpectrogramCNNClassifier(
        n_layers=0,
        frontend=TrainableFrontEnd(embedding, train=train),
        head="bands",
        max_epochs=1,
        random_state=0,
    )
    clf.fit(X, y)
    before, after = embedding.to_module().state_dict(), clf.module_.front_end.state_dict()
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    if train == "all":
        assert {name.split(".")[2] for name in changed} == {"convolutions", "norm", "layers"}
    else:
        assert changed == {name for name in before if ".layers.1." in name}
    save(clf, tmp_path / "net.safetensors")
    found = load(tmp_path / "net.safetensors").predict_proba(X)
    np.testing.assert_allclose(found, clf.predict_proba(X), rtol=0, atol=1e-5)


def test_there_are_nine_stages_to_train():
    front_end = TrainableFrontEnd(SpeechEmbedding(encoder="moonshine"), train=10)
    with pytest.raises(ValueError, match="train=10: the encoder has 9 layers with weights"):
        SpectrogramCNNClassifier(frontend=front_end, max_epochs=1).fit(speech(2), ["a", "b"])


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said = r"encoder='moonshine'\).*moonshine_voice, which is not.*<0\.1.*recognizer=False"
    with pytest.raises(ImportError, match=said):
        SpeechEmbedding(encoder="moonshine").fit(clips())


def test_a_package_without_the_weights_is_named(tmp_path, monkeypatch):
    (tmp_path / "moonshine_voice").mkdir()
    spec = importlib.util.spec_from_loader("moonshine_voice", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path / "moonshine_voice")]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(ImportError, match=r"installed without that file.*0\.0\.44,<0\.1"):
        SpeechEmbedding(encoder="moonshine").fit(clips())


def test_a_damaged_file_is_named(path, tmp_path):
    damaged = tmp_path / "encoder_model.ort"
    damaged.write_bytes(path.read_bytes()[:100_000])
    with pytest.raises(ValueError, match=r"encoder_model\.ort is not a model of onnxruntime"):
        read_moonshine_weights(damaged)


def test_another_network_is_named(path, tmp_path):
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("Neg", ["x"], ["y"])],
        "another",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None])],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [None])],
    )
    other = tmp_path / "other.onnx"
    versions = [onnx.helper.make_opsetid("", 17)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=versions, ir_version=8), other)
    with pytest.raises(ValueError, match=r"other\.onnx does not hold the encoder of Moonshine"):
        read_moonshine_weights(other)


def test_nothing_stays_in_the_folder_of_the_package(path, tmp_path):
    copy = tmp_path / "encoder_model.ort"
    shutil.copy(path, copy)
    read_moonshine_weights(copy)
    assert [file.name for file in tmp_path.iterdir()] == ["encoder_model.ort"]
