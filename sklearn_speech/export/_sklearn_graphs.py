"""Estimators of scikit-learn by skl2onnx, inside a graph that torch exports."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

#: Versions of the operators in every file.
OPSET, ML_OPSET = 18, 3

_DOMAIN = "sklearn_speech.sklearn"


class ForeignGraph(nn.Module):
    """A placeholder for what skl2onnx made of an estimator.

    Parameters
    ----------
    estimator : estimator instance
        Fitted, of scikit-learn.
    method : {"predict_proba", "decision_function", "predict", "transform"}
    graphs : list of FunctionProto
        The graph is appended; its number in the list is its name.

    Raises
    ------
    ImportError
        When skl2onnx is not installed.
    ValueError
        When skl2onnx does not know the estimator.

    Shape
    -----
    Input (n_clips, n_features), output (n_clips, n_outputs).
    """

    def __init__(self, estimator: Any, method: str, graphs: list[Any]) -> None:
        super().__init__()
        self.name = f"Graph{len(graphs)}"
        example = np.zeros((1, estimator.n_features_in_), dtype=np.float32)
        answer = np.asarray(getattr(estimator, method)(example))
        self.n_outputs = 1 if answer.ndim == 1 else answer.shape[1]
        # skl2onnx gives the scores of both classes, scikit-learn that of the second
        self.n_columns = 2 if (method, answer.ndim) == ("decision_function", 1) else self.n_outputs
        graphs.append(_function(estimator, method, self.name))

    def forward(self, x: Tensor) -> Tensor:
        """A node that :func:`inlined` replaces."""
        columns = torch.onnx.ops.symbolic(
            f"{_DOMAIN}::{self.name}",
            (x,),
            dtype=torch.float32,
            shape=(x.shape[0], self.n_columns),
            version=1,
        )
        return columns[:, self.n_columns - self.n_outputs :]


def _function(estimator: Any, method: str, name: str) -> Any:
    """The graph of an estimator as a function of ONNX, with one input and one output."""
    try:
        import onnx
        import skl2onnx
        from skl2onnx.common.data_types import FloatTensorType
    except ImportError as error:
        raise ImportError(
            f"skl2onnx is needed to export {type(estimator).__name__}: "
            "pip install 'sklearn-speech[onnx]'"
        ) from error
    options: dict[str, Any] = {}
    if method in ("predict_proba", "decision_function"):
        options = {"zipmap": False}
        if method == "decision_function":
            options["raw_scores"] = True
    model = skl2onnx.convert_sklearn(
        estimator,
        initial_types=[("x", FloatTensorType([None, estimator.n_features_in_]))],
        target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET},
        options={id(estimator): options} if options else None,
    )
    graph = model.graph
    if any(a.HasField("g") or a.graphs for node in graph.node for a in node.attribute):
        raise ValueError("it becomes loops or branches, which load_onnx does not run")
    output = graph.output[-1].name
    weights = [
        onnx.helper.make_node("Constant", [], [tensor.name], value=tensor)
        for tensor in graph.initializer
    ]
    nodes = _needed([*weights, *graph.node], output)
    # some converters leave out the axis of one number a clip
    nodes.append(onnx.helper.make_node("Flatten", [output], ["answers"], axis=1))
    output = "answers"
    opsets = [onnx.helper.make_opsetid("", OPSET), onnx.helper.make_opsetid("ai.onnx.ml", ML_OPSET)]
    return onnx.helper.make_function(_DOMAIN, name, [graph.input[0].name], [output], nodes, opsets)


def _needed(nodes: list[Any], output: str) -> list[Any]:
    """The nodes that an output depends on; labels of classes are left out."""
    wanted, kept = {output}, []
    for node in reversed(nodes):
        if wanted & set(node.output):
            wanted |= set(node.input)
            kept.append(node)
    return kept[::-1]


def inlined(model: Any, graphs: list[Any]) -> Any:
    """A model with the graphs in the place of their placeholders."""
    import onnx
    import onnx.inliner

    if not graphs:
        return model
    model.functions.extend(graphs)
    if not any(entry.domain == "ai.onnx.ml" for entry in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid("ai.onnx.ml", ML_OPSET))
    model = onnx.inliner.inline_local_functions(model)
    for entry in [e for e in model.opset_import if e.domain == _DOMAIN]:
        model.opset_import.remove(entry)
    return model
