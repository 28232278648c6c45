"""A file is read without torch, and refused where it is damaged or made to do harm."""

import pickle
import subprocess
import sys
import time
from copy import deepcopy

import numpy as np
import pandas as pd
import pytest
import torch

from sklearn_speech import load_onnx
from sklearn_speech.export import OnnxEstimator
from sklearn_speech.export._header import KINDS, Header
from tests.export.cases import RATE, exported, waveforms

onnx = pytest.importorskip("onnx", reason="the extra onnx is not installed")
pytest.importorskip("onnxscript", reason="the extra onnx is not installed")
from tests.export import hostile  # noqa: E402

TensorProto, helper = onnx.TensorProto, onnx.helper

NAME = "SpectrogramLinearClassifier"


@pytest.fixture
def file():
    return exported(NAME)[1]


def forged(file, tmp_path, change):
    """A copy of a file after `change` was applied to its model; its digest is right."""
    path = tmp_path / "forged.onnx"
    path.write_bytes(hostile.forged(file.read_bytes(), change))
    return path


def with_metadata(key, value):
    def change(model):
        for entry in model.metadata_props:
            if entry.key == key:
                entry.value = value

    return change


# What a file says


def test_kind_rate_and_labels_stand_in_the_metadata_for_programs_in_any_language(file):
    metadata = {e.key: e.value for e in onnx.load(file).metadata_props}
    assert metadata["kind"] == "classifier"
    assert metadata["sample_rate"] == str(RATE)
    assert metadata["labels"] == '["no", "yes"]'


def test_a_file_is_valid_onnx_without_other_files_and_without_paths_of_this_machine(file):
    model = onnx.load(file, load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    assert all(t.data_location == TensorProto.DEFAULT for t in model.graph.initializer)
    assert [p.name for p in file.parent.iterdir()] == [file.name]
    assert b"site-packages" not in file.read_bytes()
    assert b".py" not in file.read_bytes()


def test_the_sizes_of_clips_and_batches_are_free(file):
    (entry,) = onnx.load(exported("WaveformCNNRegressor")[1]).graph.input
    axes = entry.type.tensor_type.shape.dim
    assert [axis.dim_param for axis in axes] == ["n_clips", "n_times"]


#: What reading and running a file may take; torch alone takes some 2 s and 200 MB.
MOST_SECONDS, MOST_MEGABYTES = 1.5, 120


def test_reading_and_running_a_file_loads_neither_torch_nor_scikit_learn(file, tmp_path):
    np.save(tmp_path / "X.npy", waveforms(3))
    code = f"""
import sys, time
import numpy as np
from sklearn_speech import load_onnx
model = load_onnx({str(file)!r})
labels = model.predict(np.load({str(tmp_path / "X.npy")!r}))
heavy = {{"torch", "skorch", "sklearn", "scipy", "onnx", "optuna"}} & set(sys.modules)
sys.stdout.write(" ".join([*labels, *sorted(heavy)]))
sys.stdout.write(f"\\n{{time.process_time()}} ")
if sys.platform == "linux":
    with open("/proc/self/status") as status:
        peak = next(line for line in status if line.startswith("VmHWM"))
    sys.stdout.write(str(int(peak.split()[1]) / 1024))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    labels, cost = done.stdout.splitlines()
    assert labels.split() == load_onnx(file).predict(waveforms(3)).tolist()
    bounds = (MOST_SECONDS, MOST_MEGABYTES)
    assert all(float(found) < most for found, most in zip(cost.split(), bounds))


@pytest.mark.parametrize(
    ("labels", "dtype"),
    [([3, 1], "int64"), (["a", "é"], "str"), ([False, True], "bool"), ([0.5, 1.5], "float64")],
)
def test_labels_come_back_with_their_dtype(labels, dtype):
    header = Header("classifier", 8000, labels=labels, label_dtype=dtype)
    again = Header.from_metadata(header.to_metadata())
    assert again == header
    assert again.label_array().tolist() == labels
    assert again.label_array().dtype == np.array(labels).dtype


METHODS = {
    "classifier": {"predict", "predict_proba"},
    "classifier without probabilities": {"predict", "decision_function"},
    "multilabel classifier": {"predict", "predict_proba"},
    "regressor": {"predict"},
    "autoencoder": {"transform", "reconstruct"},
    "recognizer": {"predict", "predict_log_proba"},
    "transformer": {"transform"},
}


class Session:
    """A session of which only the shape of the output is known."""

    def get_outputs(self):
        return [type("Output", (), {"shape": ["n_clips", 3]})]

    def run(self, names, inputs):
        """Levels of the clips as scores of two classes, one the negative of the other."""
        (waveforms,) = inputs.values()
        return [np.column_stack([-waveforms.mean(axis=1), waveforms.mean(axis=1)])]


@pytest.mark.parametrize("kind", KINDS)
def test_an_estimator_has_the_methods_of_its_kind_and_no_others(kind):
    header = Header(kind, 8000, labels=["a", "b", "c"])
    estimator = OnnxEstimator(Session(), header, "path")
    every = set.union(*METHODS.values())
    assert {method for method in every if hasattr(estimator, method)} == METHODS[kind]
    assert hasattr(estimator, "classes_") == ("classifier" in kind)
    assert hasattr(estimator, "phones_") == (kind == "recognizer")


def test_of_two_classes_the_score_of_the_second_is_the_decision():
    header = Header("classifier without probabilities", 8000, labels=["a", "b"])
    estimator = OnnxEstimator(Session(), header, "path")
    X = np.outer([0.5, -0.25, 0.0], np.ones(4))
    assert estimator.decision_function(X).tolist() == [0.5, -0.25, 0.0]
    assert estimator.predict(X).tolist() == ["b", "a", "a"]


# What it takes


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (np.zeros(600), r"X has shape \(600,\), expected \(n_clips, n_times\)"),
        (np.zeros((2, 0)), "clip 0 of X has 0 samples"),
        (np.zeros((0, 600)), "X has no clips"),
        ([], "X has no clips"),
        (np.full((2, 600), np.nan), "clip 0 of X contains NaN"),
        ([np.zeros(600), np.full(600, np.inf)], "clip 1 of X contains infinity"),
        (np.zeros((2, 600), np.int16), "dtype int16.*divide them by 32768"),
        (["a.wav"], "clip 0 of X is 'a.wav'.*not paths"),
        ([np.zeros(600), np.zeros((2, 600))], r"clip 1 of X has shape \(2, 600\)"),
        ([np.zeros(600), ["a"] * 600], "clip 1 of X (is not an array of numbers|has dtype)"),
        (np.zeros((2, 600)) + 1j, "X has dtype complex128"),
        ([np.zeros(600), np.zeros(600, bool)], "clip 1 of X has dtype bool"),
        (np.ma.masked_all((2, 600)), "X is masked at 1200 of 1200 values"),
        (np.full((2, 600), 1e300), "clip 0 of X contains infinity"),
    ],
)
def test_bad_input_is_named(X, message):
    with pytest.raises(ValueError, match=message):
        exported("WaveformCNNRegressor")[2].predict(X)


FORMS = {
    "list of lists": lambda X: X.tolist(),
    "tensor": lambda X: torch.from_numpy(X).requires_grad_(),
    "tensors": lambda X: list(torch.from_numpy(X)),
    "table": pd.DataFrame,
    "series": lambda X: pd.Series(list(X), index=[7, 5, 3]),
    "reversed": lambda X: X[:, ::-1].copy()[:, ::-1],
    "read-only": lambda X: np.frombuffer(X.tobytes(), X.dtype).reshape(X.shape),
    "columns first": np.asfortranarray,
    "big-endian": lambda X: X.astype(">f4"),
    "float64": lambda X: X.astype(float),
}


@pytest.mark.parametrize("form", FORMS)
def test_clips_in_any_form_have_the_same_answer(form):
    model, X = exported("WaveformCNNRegressor")[2], waveforms(3)
    assert np.array_equal(model.predict(FORMS[form](X)), model.predict(X))


def test_a_clip_below_the_shortest_is_refused_by_its_number():
    model = exported("WaveformCNNRegressor")[2]
    short = np.zeros(max(model.least_times_ - 1, 0))
    with pytest.raises(ValueError, match=r"clip 1 of X has \d+ samples; .* takes at least \d+"):
        model.predict([np.zeros(600), short])


@pytest.mark.parametrize("n_threads", [0, True, 1.5])
def test_a_number_of_threads_is_checked(file, n_threads):
    with pytest.raises(ValueError, match=r"n_threads=.*expected a whole number"):
        load_onnx(file, n_threads=n_threads)


@pytest.mark.parametrize("max_memory", [0, -1, True, 1e9, "1 GB", None])
def test_a_bound_of_memory_is_checked(file, max_memory):
    with pytest.raises(ValueError, match=r"max_memory=.*expected a whole number of bytes"):
        load_onnx(file, max_memory=max_memory)


def test_each_file_has_a_bound_of_memory_of_its_own(file):
    X = waveforms(2)
    models = [load_onnx(file, max_memory=size) for size in (2**26, 2**14, 2**26)]
    expected = models[0].predict_proba(X)
    with pytest.raises(
        ValueError, match=r"needs more memory than load_onnx allowed it for 2 clips"
    ):
        models[1].predict_proba(X)
    assert np.array_equal(models[2].predict_proba(X), expected)


def test_a_result_of_several_gigabytes_is_refused_by_default(file, tmp_path):
    bomb = hostile.FORGERIES[f"result without bounds: Expand {hostile.LARGE}"]
    model = load_onnx(forged(file, tmp_path, bomb))
    with pytest.raises(ValueError, match="needs more memory than load_onnx allowed"):
        model.predict_proba(waveforms(2))


# Damage and harm


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nothing\.onnx"):
        load_onnx(tmp_path / "nothing.onnx")
    with pytest.raises(OSError, match=str(tmp_path)):
        load_onnx(tmp_path)


@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999])
def test_a_truncated_file_is_refused(file, tmp_path, share):
    content = file.read_bytes()
    path = tmp_path / "short.onnx"
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"short\.onnx (is not opened|cannot be used)"):
        load_onnx(path)


def test_a_flipped_bit_anywhere_is_noticed(file, tmp_path):
    content = file.read_bytes()
    path = tmp_path / "flipped.onnx"
    rng = np.random.default_rng(0)
    places = [*range(100), *rng.integers(len(content), size=100)]
    for place in [*places, *range(len(content) - 600, len(content), 3)]:  # labels and digest
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"flipped\.onnx"):
            load_onnx(path)


def test_a_network_of_another_program_is_refused(file, tmp_path):
    path = forged(file, tmp_path, lambda model: model.ClearField("metadata_props"))
    with pytest.raises(ValueError, match="not one that to_onnx wrote"):
        load_onnx(path)


def outside(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def outside_in_an_attribute(model):
    node = helper.make_node("Constant", [], ["hidden"])
    tensor = TensorProto(dims=[1], data_type=TensorProto.FLOAT, name="hidden")
    tensor.external_data.add(key="location", value="weights.bin")
    node.attribute.append(helper.make_attribute("value", tensor))
    model.graph.node.append(node)


def foreign_operator(model):
    model.graph.node.append(helper.make_node("PyOp", [], ["x"], domain="com.microsoft"))


def loop(model):
    body = helper.make_graph([], "body", [], [])
    model.graph.node.append(helper.make_node("Loop", [], ["x"], body=body))


def function(model):
    opset = [helper.make_opsetid("", 18)]
    model.functions.append(helper.make_function("local", "f", ["x"], ["y"], [], opset))


def second_graph(model):
    model.graph.ClearField("node")


HARMFUL = {
    outside: "weights lie in another file",
    outside_in_an_attribute: "weights lie in another file",
    foreign_operator: "operators of 'com.microsoft'",
    loop: "loops or branches",
    function: "functions",
    second_graph: "no network",
}


@pytest.mark.parametrize("change", HARMFUL, ids=lambda change: change.__name__)
def test_harm_is_refused_before_a_runtime_sees_the_file(file, tmp_path, change):
    with pytest.raises(ValueError, match=f"forged.onnx is not opened: .*{HARMFUL[change]}"):
        load_onnx(forged(file, tmp_path, change))


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sklearn_speech.format", "99", "has format '99'"),
        ("kind", "oracle", "kind='oracle'"),
        ("sample_rate", "-1", "sample_rate=-1"),
        ("sample_rate", "NaN", "sample_rate=nan"),
        ("sample_rate", "true", "sample_rate=True"),
        ("labels", "{}", "labels={}"),
        ("labels", "[1, 2]", "no list of 'str'"),
        ("labels", '["a", "a"]', "not all different"),
        ("labels", "[" * 100_000, "which is no JSON"),
        ("labels", '["a", "b", "c"]', "gives 2 values a clip, but has 3 labels"),
        ("label_dtype", "datetime64[s]", "no list of"),
        ("n_times", "0", "n_times=0"),
        ("least_times", "1.5", "least_times=1.5"),
        ("flat", "1", "flat=1"),
        ("kind", "regressor", "expected 'waveforms'"),
    ],
)
def test_metadata_that_make_no_sense_are_named(file, tmp_path, key, value, message):
    path = forged(file, tmp_path, with_metadata(key, value))
    with pytest.raises(ValueError, match=message.replace("{", r"\{")):
        load_onnx(path).predict(waveforms(2))


def test_a_file_beyond_the_largest_size_is_not_read(file, monkeypatch):
    monkeypatch.setattr("sklearn_speech.export._load_onnx.MAX_FILE", 100)
    with pytest.raises(ValueError, match=r"has \d+ bytes; at most 100 are read"):
        load_onnx(file)


@pytest.mark.parametrize(
    ("bound", "message"),
    [("MAX_NODES", "more than 10 nodes"), ("MAX_METADATA", "more than 10 bytes of metadata")],
)
def test_nodes_and_metadata_are_bounded(file, monkeypatch, bound, message):
    monkeypatch.setattr(f"sklearn_speech.export._wire.{bound}", 10)
    with pytest.raises(ValueError, match=message):
        load_onnx(file)


def test_an_estimator_is_copied_and_pickled_whole(file):
    model, X = load_onnx(file), waveforms(3)
    for again in (pickle.loads(pickle.dumps(model)), deepcopy(model)):
        assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
        assert repr(again) == repr(model)
    with pytest.raises(TypeError, match="was not made by load_onnx and cannot be pickled"):
        pickle.dumps(OnnxEstimator(Session(), Header("transformer", 8000), "path"))


def test_short_clips_run_in_batches_of_bounded_size():
    sizes = []

    class Counting(Session):
        def run(self, names, inputs):
            sizes.extend(len(waveforms) for waveforms in inputs.values())
            return super().run(names, inputs)

    header = Header("classifier", 8000, labels=["a", "b"])
    model = OnnxEstimator(Counting(), header, "path")
    X = np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)
    np.testing.assert_allclose(model.predict_proba(X)[:, 1], X.mean(axis=1), atol=1e-6)
    assert sum(sizes) == 1000 and max(sizes) <= 256


def slow(model):
    """Matrices multiplied one after the other, for some seconds."""
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array([700, 700]), "sizes"))
    value = helper.make_tensor("value", TensorProto.FLOAT, [1], [1e-3])
    nodes = [helper.make_node("ConstantOfShape", ["sizes"], ["power 0"], value=value)]
    nodes += [
        helper.make_node("MatMul", [f"power {i}", "power 0"], [f"power {i + 1}"])
        for i in range(500)
    ]
    nodes.append(helper.make_node("Identity", ["power 500"], ["huge"]))
    hostile.added_to_answers(model, nodes)


def test_a_run_ends_after_the_seconds_that_it_may_take(file, tmp_path):
    X = waveforms(2)
    model = load_onnx(forged(file, tmp_path, slow), max_seconds=0.05)
    started = time.perf_counter()
    with pytest.raises(TimeoutError, match="takes longer than the max_seconds of load_onnx for 2"):
        model.predict(X)
    assert time.perf_counter() - started < 2
    patient = load_onnx(file, max_seconds=60)
    assert np.array_equal(patient.predict_proba(X), load_onnx(file).predict_proba(X))


@pytest.mark.parametrize("seconds", [0, -1, np.nan, np.inf, "1", True])
def test_seconds_are_a_number_above_0(file, seconds):
    with pytest.raises(ValueError, match=r"max_seconds=.*: expected a number of seconds above 0"):
        load_onnx(file, max_seconds=seconds)
