"""Weights and activations of networks in 8 bits, by onnxruntime's own tools."""

import logging
import os
import tempfile
from typing import Any

import numpy as np

from ._header import INPUT
from ._onnx_estimator import OnnxEstimator

#: Operators that are computed in 8 bits.
_OPERATORS = ["Conv", "Gemm", "MatMul"]
#: Clips that the ranges of activations are measured on at most.
_MOST_CLIPS = 512


def exempt_nodes(model: Any) -> list[str]:
    """Names of the nodes that stay in float32.

    Levels in front ends, and products of two activations, such as the means of input
    normalisation, need more digits than 8 bits have.
    """
    weights = {tensor.name for tensor in model.graph.initializer}
    return [
        node.name
        for node in model.graph.node
        if not weights & set(node.input)
        or any("ExportedFrontEnd" in entry.value for entry in node.metadata_props)
    ]


def quantized(model: Any, exempt: list[str], file: OnnxEstimator, X: Any) -> Any:
    """A model that computes convolutions and linear layers in 8 bits.

    Parameters
    ----------
    model : ModelProto
    exempt : list of str
        Names of nodes that stay in float32.
    file : OnnxEstimator
        The model before, which checks clips.
    X : array-like of shape (n_clips, n_times), or list of 1-D arrays
        Clips that the ranges of activations are measured on.

    Returns
    -------
    model : ModelProto

    Raises
    ------
    ValueError
        When X holds what the model does not take.
    """
    clips = file._checked(X)[:_MOST_CLIPS]
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
                _Clips(clips),
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
    """Clips one by one, as onnxruntime's calibration reads them."""

    def __init__(self, clips: list[np.ndarray]) -> None:
        self.clips = iter(clips)

    def get_next(self) -> dict[str, np.ndarray] | None:
        """The next clip, None at the end."""
        clip = next(self.clips, None)
        return None if clip is None else {INPUT: clip[np.newaxis]}
