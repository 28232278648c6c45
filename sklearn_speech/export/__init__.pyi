from ._load_onnx import load_onnx as load_onnx
from ._onnx_estimator import OnnxEstimator as OnnxEstimator
from ._to_onnx import to_onnx as to_onnx

__all__ = ["OnnxEstimator", "load_onnx", "to_onnx"]
