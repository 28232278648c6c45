"""Reading the weights of the encoder of Moonshine from a model in the format of onnxruntime."""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ._onnx_files import import_onnx

#: Linear layers of a transformer layer: their names in the file, and here.
_LINEAR = {
    "self_attn/q_proj": "query",
    "self_attn/k_proj": "key",
    "self_attn/v_proj": "value",
    "self_attn/o_proj": "output",
    "mlp/fc1": "widen",
    "mlp/fc2": "narrow",
}

_NORMS = {"input_layernorm": "attention_norm", "post_attention_layernorm": "feed_forward_norm"}


def read_moonshine_weights(path: Path) -> dict[str, torch.Tensor]:
    """Weights of the encoder by the names of :class:`MoonshineEncoderNet`.

    The linear layers are stored in 8 bits; they are returned in 32.

    Raises
    ------
    ImportError
        When onnx or onnxruntime is not installed; the message tells how to install it.
    ValueError
        When the file does not hold them.
    """
    graph = as_onnx(str(path)).graph
    to_array = import_onnx("onnx", path).numpy_helper.to_array
    stored = {tensor.name: to_array(tensor) for tensor in graph.initializer}
    try:
        weights = _named(graph, stored)
    except (KeyError, IndexError, ValueError) as error:
        raise ValueError(f"{path} does not hold the encoder of Moonshine: {error!r}") from error
    return {name: torch.from_numpy(np.array(array)) for name, array in weights.items()}


def as_onnx(path: str) -> Any:
    """The model of onnxruntime in a file, rewritten as ONNX.

    Raises
    ------
    ImportError, ValueError
        As :func:`read_moonshine_weights`.
    """
    onnxruntime, onnx = import_onnx("onnxruntime", path), import_onnx("onnx", path)
    with tempfile.TemporaryDirectory() as folder:
        copy = os.path.join(folder, "encoder.onnx")
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.optimized_model_filepath = copy
        options.add_session_config_entry("session.save_model_format", "ONNX")
        options.log_severity_level = 3  # a warning that a rewritten file suits one machine only
        try:
            onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception as error:
            raise ValueError(f"{path} is not a model of onnxruntime: {error}") from error
        return onnx.load(copy)


def _named(graph: Any, stored: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """Weights by their names here, from arrays by their names in the file."""
    weights = {"last_norm.weight": stored["layer_norm.weight"]}
    for number in range(3):
        weights[f"convolutions.{number}.weight"] = stored[f"conv{number + 1}.weight_add_tensor"]
    for number in (1, 2):
        weights[f"convolutions.{number}.bias"] = stored[f"conv{number + 1}.bias"]
    for node in graph.node:
        if node.name in ("/groupnorm/Mul", "/groupnorm/Add"):
            part = "weight" if node.name.endswith("Mul") else "bias"
            weights[f"norm.{part}"] = stored[node.input[1]].ravel()
        elif node.name.endswith("/MatMul_quant"):
            _, layer, block, linear, _ = node.name.split("/")
            name = f"{layer}.{_LINEAR[f'{block}/{linear}']}"
            weights[f"{name}.weight"] = _in_32_bits(node, stored).T
            if block == "mlp":
                weights[f"{name}.bias"] = stored[f"{layer}.{block}.{linear}.bias"]
    layers = {name.rsplit(".", 2)[0] for name in weights if name.startswith("layers.")}
    for layer in layers:
        for norm, name in _NORMS.items():
            weights[f"{layer}.{name}.weight"] = stored[f"{layer}.{norm}.weight"]
    return weights


def _in_32_bits(node: Any, stored: dict[str, NDArray[Any]]) -> NDArray[Any]:
    """The matrix of a node, stored as whole numbers with a scale and a zero."""
    (quantised,) = (i for i in node.input if i in stored and i.endswith("_quantized"))
    name = quantised.removesuffix("_quantized")
    zero = stored[f"{name}_zero_point"].astype(np.float32)
    return (stored[quantised].astype(np.float32) - zero) * stored[f"{name}_scale"]
