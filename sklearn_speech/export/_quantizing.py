"""Weights and activations of networks in 8 bits, by onnxruntime's own tools."""

import logging
import os
import tempfile
from typing import Any

import numpy as np

from ._header import INPUT

#: Operators that are computed in 8 bits.
_OPERATORS = ["Conv", "Gemm", "MatMul"]
#: Clips that the ranges of activations are measured on at most, and clips at a time.
_MOST_CLIPS, _BATCH = 512, 16


def front_end_nodes(model: Any) -> list[str]:
    """Names of the nodes of front ends, whose levels need more digits than 8 bits have."""
    return [
        node.name
        for node in model.graph.node
        if any("ExportedFrontEnd" in entry.value for entry in node.metadata_props)
    ]


def quantized(model: Any, exempt: list[str], X: np.ndarray) -> Any:
    """A model that computes convolutions and linear layers in 8 bits.

    Parameters
    ----------
    model : ModelProto
    exempt : list of str
        Names of nodes that stay in float32.
    X : ndarray of float32 of shape (n_clips, n_times)
        Clips that the ranges of activations are measured on.

    Returns
    -------
    model : ModelProto
    """
    import onnx
    from onnxruntime import quantization

    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)  # it advises to optimise the model first
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "quantized.onnx")
            quantization.quantize_static(
                model,
                path,
                _Clips(X[:_MOST_CLIPS]),
                quant_format=quantization.QuantFormat.QDQ,
                op_types_to_quantize=_OPERATORS,
                per_channel=True,
                activation_type=quantization.QuantType.QInt8,
                weight_type=quantization.QuantType.QInt8,
                nodes_to_exclude=exempt,
            )
            return onnx.load(path)
    finally:
        root.setLevel(level)


class _Clips:
    """Clips batch by batch, as onnxruntime's calibration reads them."""

    def __init__(self, X: np.ndarray) -> None:
        self.batches = iter([X[i : i + _BATCH] for i in range(0, len(X), _BATCH)])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next batch, None at the end."""
        batch = next(self.batches, None)
        return None if batch is None else {INPUT: batch}
