"""Weights of networks in 8 bits; what is computed with them stays in float32."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import numpy as np

#: Inputs of an operator that are weights, and their axis of output channels.
_WEIGHTS = {"Conv": {1: 0}, "ConvTranspose": {1: 1}, "LSTM": {1: 1, 2: 1}}
#: Numbers in the smallest weights that are written in 8 bits; scales would outweigh the gain.
_LEAST_SIZE = 64
#: Largest whole number of 8 bits that has its negative too.
_LARGEST = 127


def exempt_nodes(model: Any) -> set[str]:
    """Names of the nodes whose weights stay in float32.

    Spectra of quiet bands are sums that nearly cancel: in front ends they need more digits
    than 8 bits have.
    """
    return {
        node.name
        for node in model.graph.node
        if any("ExportedFrontEnd" in entry.value for entry in node.metadata_props)
    }


def quantized(model: Any, exempt: set[str]) -> Any:
    """A model whose weights of convolutions, linear layers and LSTMs have 8 bits.

    Each weight is a whole number from -127 to 127 times the scale of its output channel. An
    operator DequantizeLinear of the ONNX standard makes float32 of it, so that activations have
    no ranges that unheard voices could leave.

    Parameters
    ----------
    model : ModelProto
    exempt : set of str
        Names of nodes whose weights stay in float32.

    Returns
    -------
    model : ModelProto

    Raises
    ------
    ValueError
        When no weights are there to be written in 8 bits.
    """
    from onnx import helper, numpy_helper

    model = deepcopy(model)
    graph = model.graph
    axes = _channel_axes(graph, exempt)
    kept, decoded = [], []
    for tensor in graph.initializer:
        axis = axes.get(tensor.name)
        values = numpy_helper.to_array(tensor)
        if axis is None or values.dtype != np.float32 or values.size < _LEAST_SIZE:
            kept.append(tensor)
            continue
        others = tuple(i for i in range(values.ndim) if i != axis)
        largest = np.abs(values).max(axis=others, keepdims=True)
        scales = np.where(largest > 0, largest / _LARGEST, 1).astype(np.float32)
        parts: dict[str, np.ndarray] = {
            "in_8_bits": np.rint(values / scales).astype(np.int8),
            "scale": scales.ravel(),
            "zero": np.zeros(scales.size, np.int8),
        }
        names = [f"{tensor.name}.{part}" for part in parts]
        kept += [numpy_helper.from_array(a, n) for a, n in zip(parts.values(), names, strict=True)]
        node_name = f"{tensor.name}.decode"
        decoded.append(
            helper.make_node("DequantizeLinear", names, [tensor.name], name=node_name, axis=axis)
        )
    if not decoded:
        raise ValueError(
            "quantize='int8': the pipeline has no convolution, linear layer or LSTM with "
            f"{_LEAST_SIZE} weights or more, so that nothing would become smaller"
        )
    nodes = [*decoded, *graph.node]
    del graph.initializer[:]
    del graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return model


def _channel_axes(graph: Any, exempt: set[str]) -> dict[str, int]:
    """Axis of output channels of each of the weights that only suitable nodes read."""
    n_axes = {tensor.name: len(tensor.dims) for tensor in graph.initializer}
    axes: dict[str, int] = {}
    unsuitable = {output.name for output in graph.output}
    for node in graph.node:
        for name, axis in _inputs_with_axes(node, n_axes):
            if name not in n_axes:
                continue
            if axis is None or node.name in exempt or axes.get(name, axis) != axis:
                unsuitable.add(name)
            else:
                axes[name] = axis
    return {name: axis for name, axis in axes.items() if name not in unsuitable}


def _inputs_with_axes(node: Any, n_axes: dict[str, int]) -> Iterator[tuple[str, int | None]]:
    """Inputs of a node with their axis of output channels, None where they are no weights."""
    places: dict[int, int] = dict(_WEIGHTS.get(node.op_type, {}))
    if node.op_type == "Gemm":
        is_transposed = any(a.name == "transB" and a.i for a in node.attribute)
        places = {1: 0 if is_transposed else 1}
    elif node.op_type == "MatMul" and n_axes.get(node.input[1], 0) >= 2:
        places = {1: n_axes[node.input[1]] - 1}
    for place, name in enumerate(node.input):
        yield name, places.get(place)
