"""Files with weights in 8 bits: networks alone, labels kept, refusals that name what to do."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from sklearn_speech import TemporalPooling, load_onnx, to_onnx
from tests.export.cases import exported, front_end, noise_and_tones, traced_before

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")

X, LABELS = noise_and_tones()
NAME = "SpectrogramCNNClassifier"


@pytest.fixture(scope="module")
def fitted():
    with traced_before(NAME):
        yield exported(NAME)[0]


@pytest.fixture(scope="module")
def files(fitted, tmp_path_factory):
    small = tmp_path_factory.mktemp("quantised") / "small.onnx"
    to_onnx(fitted, small, quantize="int8", X=X)
    return exported(NAME)[1], small


def test_the_network_has_8_bits_and_the_front_end_has_not(files):
    exact, small = (onnx.load(path) for path in files)
    (kernel,) = (t for t in exact.graph.initializer if t.dims[1:] == [1, 64])
    readers = [n for n in small.graph.node if kernel.name in n.input]
    assert [node.op_type for node in readers] == ["Conv"]
    (kept,) = (t for t in small.graph.initializer if t.name == kernel.name)
    assert kept.raw_data == kernel.raw_data
    kinds = {t.data_type for t in small.graph.initializer if len(t.dims) == 4}
    assert kinds == {onnx.TensorProto.INT8}


def test_each_weight_is_within_half_a_step_of_its_channel(files):
    exact, small = (onnx.load(path) for path in files)
    weights = {t.name: onnx.numpy_helper.to_array(t) for t in exact.graph.initializer}
    parts = {t.name: onnx.numpy_helper.to_array(t) for t in small.graph.initializer}
    decoders = [n for n in small.graph.node if n.op_type == "DequantizeLinear"]
    assert decoders
    for node in decoders:
        (axis,) = (a.i for a in node.attribute if a.name == "axis")
        rows = np.moveaxis(weights[node.output[0]], axis, 0).reshape(len(parts[node.input[1]]), -1)
        whole = np.moveaxis(parts[node.input[0]], axis, 0).reshape(rows.shape)
        step = np.abs(rows).max(axis=1, keepdims=True) / 127
        assert (np.abs(whole * step - rows) <= 0.5001 * step).all()


def test_labels_are_kept_and_probabilities_are_near(fitted, files):
    exact, small = (load_onnx(path) for path in files)
    assert (exact.predict(X) == LABELS).mean() > 0.9
    assert (small.predict(X) == exact.predict(X)).mean() >= 0.98
    difference = np.abs(small.predict_proba(X) - exact.predict_proba(X))
    assert 0 < difference.max() < 0.05


def test_a_network_that_8_bits_change_is_not_put_in_place(fitted, tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_speech.export._checking.LEAST_AGREEMENT", 1.1)
    with pytest.raises(ValueError, match="changes the labels of 0% of the clips of X"):
        to_onnx(fitted, tmp_path / "small.onnx", quantize="int8", X=X)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"quantize": "int4"}, "quantize='int4': expected None or 'int8'"),
        ({"quantize": "int8"}, "quantize and X belong together"),
        ({"X": X}, "quantize and X belong together"),
    ],
)
def test_options_that_do_not_fit_are_refused(fitted, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        to_onnx(fitted, tmp_path / "small.onnx", **options)
    assert not list(tmp_path.iterdir())


def test_numbers_are_not_written_in_8_bits(tmp_path):
    regressor = make_pipeline(front_end(), TemporalPooling(), Ridge()).fit(X, np.arange(40.0))
    with pytest.raises(ValueError, match="is for classifiers; this is a regressor"):
        to_onnx(regressor, tmp_path / "small.onnx", quantize="int8", X=X)
