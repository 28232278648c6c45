"""Damaged, forged and foreign ONNX files: registries, and the process that tries them.

A new forgery is a function with ``@forgery``: it changes the model of an honest file, whose digest
is then made right again.
"""

import io
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper

from sklearn_speech.export._wire import DIGEST_KEY, UnsafeFileError, file_digest

#: By name, what changes a model so that it cannot be used.
FORGERIES = {}

#: A size that no memory holds.
HUGE = 2**40

#: A size of 5 GB that a large machine could hold.
LARGE = 5 * 2**28

#: What opening and running a file may take, in MB beside the process itself.
MOST_MEMORY = 100

#: Opens a file and runs it on two clips; a process that needs 20 s or 8 GiB is ended.
SETUP = """
import resource
import numpy as np
import onnxruntime
from sklearn_speech import load_onnx
resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
resource.setrlimit(resource.RLIMIT_AS, (2**33, 2**33))
X = np.random.default_rng(0).normal(scale=0.1, size=(2, 600)).astype(np.float32)
def load(path):
    model = load_onnx(path, max_memory=2**26)
    model.predict_proba(X)
    model.predict(X)
"""


def sealed(model):
    """The bytes of a model with a digest that is right."""
    kept = [(e.key, e.value) for e in model.metadata_props if e.key != DIGEST_KEY]
    del model.metadata_props[:]
    for key, value in kept:
        model.metadata_props.add(key=key, value=value)
    content = model.SerializeToString()
    try:
        model.metadata_props.add(key=DIGEST_KEY, value=file_digest(content))
    except UnsafeFileError:  # nothing to seal
        return content
    return model.SerializeToString()


def forged(content, change):
    """The bytes of an honest file after `change` was applied to its model."""
    model = onnx.load_from_string(content)
    change(model)
    return sealed(model)


def forgery(function):
    FORGERIES[function.__name__.replace("_", " ")] = function
    return function


def forgeries(name, variants):
    """One forgery for each of several values."""

    def register(function):
        for label, value in variants.items():
            FORGERIES[f"{name}: {label}"] = lambda model, value=value: function(model, value)
        return function

    return register


def weights(model):
    """The largest weights of a model."""
    floats = [t for t in model.graph.initializer if t.data_type == TensorProto.FLOAT]
    return max(floats, key=lambda tensor: len(tensor.raw_data))


SIZES = {
    "huge": [HUGE],
    "huge, product overflows": [2**32, 2**32],
    "negative": [-1],
    "none": [],
    "zero": [0],
    "one less": None,
}


@forgeries("size of weights", SIZES)
def _(model, size):
    dims = weights(model).dims
    found = [*dims[:-1], dims[-1] - 1] if size is None else size
    del dims[:]
    dims.extend(found)


@forgeries("type of weights", {"whole numbers": 7, "strings": 8, "none": 0, "unknown": 99})
def _(model, kind):
    weights(model).data_type = kind


@forgeries("numbers of weights", {"none": b"", "half": 0.5, "twice": 2, "not finite": np.nan})
def _(model, value):
    tensor = weights(model)
    n_bytes = len(tensor.raw_data)
    if value == b"":
        tensor.raw_data = value
    elif value in (0.5, 2):
        tensor.raw_data = (tensor.raw_data * 2)[: int(value * n_bytes) // 4 * 4]
    else:
        tensor.raw_data = np.full(n_bytes // 4, value, np.float32).tobytes()


def node_with(model, *names):
    """The first node that has an attribute, and the attribute."""
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name in names:
                return node, attribute
    raise LookupError(names)


@forgeries("stride", {"huge": HUGE, "zero": 0, "negative": -1})
def _(model, value):
    attribute = node_with(model, "strides")[1]
    attribute.ints[0] = value


@forgeries("padding", {"huge": HUGE, "negative": -(2**31)})
def _(model, value):
    node, _ = node_with(model, "strides")
    kept = [a for a in node.attribute if a.name not in ("pads", "auto_pad")]
    del node.attribute[:]
    node.attribute.extend([*kept, helper.make_attribute("pads", [value, value])])


@forgery
def an_axis_that_does_not_exist(model):
    node_with(model, "axis")[1].i = 9


@forgery
def an_operator_that_does_not_exist(model):
    model.graph.node[0].op_type = "Nothing"


@forgery
def an_operator_of_too_few_inputs(model):
    node = next(node for node in model.graph.node if len(node.input) > 1)
    del node.input[1:]


@forgery
def an_input_that_nothing_computes(model):
    model.graph.node[-1].input[0] = "nowhere"


@forgery
def a_circle(model):
    model.graph.node[0].input[0] = model.graph.node[-1].output[0]


@forgery
def a_node_twice(model):
    model.graph.node.append(model.graph.node[0])


@forgery
def no_last_node(model):
    del model.graph.node[-1]


@forgery
def no_weights(model):
    model.graph.ClearField("initializer")


@forgery
def another_type_of_input(model):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.DOUBLE


@forgery
def three_axes_of_input(model):
    model.graph.input[0].type.tensor_type.shape.dim.add(dim_value=1)


@forgery
def clips_of_another_number(model):
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 7


@forgery
def a_second_input(model):
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


@forgery
def no_input(model):
    model.graph.ClearField("input")


@forgery
def no_output(model):
    model.graph.ClearField("output")


@forgery
def another_output(model):
    model.graph.output[0].name = model.graph.node[0].output[0]


@forgeries("version of operators", {"zero": 0, "negative": -1, "future": 999})
def _(model, version):
    model.opset_import[0].version = version


@forgery
def no_version_of_operators(model):
    model.ClearField("opset_import")


@forgery
def a_format_of_the_future(model):
    model.ir_version = 999


@forgery
def no_labels(model):
    kept = [entry for entry in model.metadata_props if entry.key != "labels"]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)


@forgery
def labels_twice(model):
    model.metadata_props.add(key="labels", value='["yes", "no"]')


def added_to_answers(model, nodes, **constants):
    """Add the sum of the result of `nodes`, "huge", to what the network answers."""
    (output,) = model.graph.output
    last = next(node for node in model.graph.node if output.name in node.output)
    last.output[0] = "before"
    for name, value in constants.items():
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(value), name))
    model.graph.node.extend(
        [
            *nodes,
            helper.make_node("Cast", ["huge"], ["floats"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["floats"], ["sum"], keepdims=0),
            helper.make_node("Add", ["before", "sum"], [output.name]),
        ]
    )


ONE = np.float32([1.0])
BOMBS = {
    "ConstantOfShape": lambda size: {"shape": [size]},
    "Expand": lambda size: {"of": ONE, "shape": [size]},
    "Tile": lambda size: {"of": ONE, "repeats": [size]},
    "Range": lambda size: {"start": 0, "limit": size, "delta": 1},
    "Pad": lambda size: {"of": ONE, "pads": [0, size]},
    "OneHot": lambda size: {"of": [0], "depth": size, "values": np.float32([0, 1])},
}


@forgeries(
    "result without bounds",
    {f"{name} {size}": (name, size) for name in BOMBS for size in (HUGE, LARGE)},
)
def _(model, bomb):
    name, size = bomb
    inputs = BOMBS[name](size)
    added_to_answers(model, [helper.make_node(name, list(inputs), ["huge"])], **inputs)


@forgeries("random numbers without bounds", {"huge": HUGE, "large": LARGE})
def _(model, size):
    node = helper.make_node("RandomNormal", [], ["huge"], shape=[size])
    added_to_answers(model, [node])


@forgery
def many_results_that_are_large_together(model):
    names = [f"part {i}" for i in range(16)]
    shape = onnx.numpy_helper.from_array(np.array([2**22]), "shape")  # 16 MB
    model.graph.initializer.append(shape)
    for i, name in enumerate(names):  # equal nodes would become one
        value = helper.make_tensor("value", TensorProto.FLOAT, [1], [float(i)])
        node = helper.make_node("ConstantOfShape", ["shape"], [name], value=value)
        model.graph.node.append(node)
    added_to_answers(model, [helper.make_node("Sum", names, ["huge"])])


def archive():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("model/data.pkl", b"\x80\x02}q\x00.")
    return buffer.getvalue()


def identity():
    """A valid ONNX file of another program."""
    x = helper.make_tensor_value_info("waveforms", TensorProto.FLOAT, ["n", "m"])
    y = helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", "m"])
    node = helper.make_node("Identity", ["waveforms"], ["probabilities"])
    return helper.make_model(helper.make_graph([node], "g", [x], [y])).SerializeToString()


#: Contents of files that to_onnx never wrote.
FOREIGN = {
    "nothing": b"",
    "a sentence": b"Not a network, but a sentence.",
    "a pickle": b"\x80\x02}q\x00.",
    "an archive of torch": archive(),
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "a network of onnxruntime's own format": b"\x18\x00\x00\x00ORTM" + bytes(100),
    "weights of safetensors": (8).to_bytes(8, "little") + b"{}      ",
    "zeros": bytes(1000),
    "ones": b"\xff" * 1000,
    "a field of 1 TB": b"\x3a" + b"\x80\x80\x80\x80\x80\x20",
    "a thousand fields in one another": b"\x3a\x7f" * 1000,
    "another program's network": identity(),
}


def files(content, damage, n_copies, rng):
    """By name, the contents of all files that must be refused."""
    found = {f"foreign, {name}": foreign for name, foreign in FOREIGN.items()}
    found |= {f"forged, {name}": forged(content, change) for name, change in FORGERIES.items()}
    for change in damage:
        for i in range(n_copies):
            found[f"damaged, {change.__name__} {i}"] = change(content, rng)
    return found


def sealed_damage(content, damage, n_copies, rng):
    """Contents of damaged files whose digest is right, so that onnxruntime sees the damage."""
    model = onnx.load_from_string(content)
    kept = [entry for entry in model.metadata_props if entry.key != DIGEST_KEY]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    unsealed = model.SerializeToString()
    return [seal_bytes(change(unsealed, rng)) for change in damage for _ in range(n_copies)]


def seal_bytes(content):
    """Append the digest to bytes that may be no ONNX file at all."""
    try:
        digest = file_digest(content)
    except UnsafeFileError:
        return content
    entry = onnx.StringStringEntryProto(key=DIGEST_KEY, value=digest).SerializeToString()
    return content + b"\x72" + bytes([len(entry)]) + entry
