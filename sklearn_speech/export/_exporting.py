"""From a torch module to a model of ONNX."""

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ._header import INPUT, Header
from ._sklearn_graphs import OPSET, inlined
from ._wire import DIGEST_KEY, MAX_FILE, UnsafeFileError, file_digest, read_metadata

#: Clips in the batch that is traced; torch treats 0 and 1 as special.
_TRACED_CLIPS = 3


def export(
    module: nn.Module, n_times: int, outputs: tuple[str, ...], graphs: list[Any], *, free: bool
) -> tuple[Any, int]:
    """Export a module for any number of clips.

    Parameters
    ----------
    module : torch.nn.Module
        Takes waveforms (n_clips, n_times).
    n_times : int
        Samples of the clips that are traced.
    outputs : tuple of str
        Names of what comes out.
    graphs : list of FunctionProto
        What placeholders in the module stand for.
    free : bool
        Whether clips may have any length.

    Returns
    -------
    model : ModelProto
    least_times : int
        Samples that a clip needs for the operations that were traced.

    Raises
    ------
    ImportError
        When a package of the extra ``onnx`` is missing.
    ValueError
        When torch cannot export the module.
    """
    _check_packages()
    free_size = torch.export.Dim.DYNAMIC
    sizes = {0: free_size, 1: free_size if free else torch.export.Dim.STATIC}
    example = torch.zeros(_TRACED_CLIPS, n_times)
    with _quiet():
        try:
            program = torch.export.export(
                module.eval(), (example,), dynamic_shapes=(sizes,), strict=False
            )
            onnx_program: Any = torch.onnx.export(
                program,
                dynamo=True,
                opset_version=OPSET,
                input_names=[INPUT],
                output_names=list(outputs),
                verbose=False,
            )
        except Exception as error:
            raise ValueError(
                f"torch cannot export this pipeline for clips of {'any' if free else 'one'} "
                f"length: {error}"
            ) from error
    model = onnx_program.model_proto
    _name_sizes(model, free)
    return inlined(model, graphs), _least_length(program) if free else n_times


def _check_packages() -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{error.name} is needed to export a pipeline: pip install 'sklearn-speech[onnx]'"
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what the exporter tells its own developers."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _least_length(program: Any) -> int:
    """The shortest clip for which the traced program holds."""
    name = program.graph_signature.user_inputs[0]
    node = next(node for node in program.graph.nodes if node.name == name)
    size = node.meta["val"].shape[1]
    return max(1, int(program.range_constraints[size.node.expr].lower))


def _name_sizes(model: Any, free: bool) -> None:
    """Give free sizes names that people understand, in place of s77."""
    axes = model.graph.input[0].type.tensor_type.shape.dim
    names = {axes[0].dim_param: "n_clips"}
    if free:
        names[axes[1].dim_param] = "n_times"
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, names)) + r")\b")
    for value in [*model.graph.input, *model.graph.output, *model.graph.value_info]:
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param:
                axis.dim_param = pattern.sub(lambda found: names[found[0]], axis.dim_param)


def content_of(model: Any, header: Header) -> bytes:
    """The bytes of a file: the model without what torch wrote for its developers, and metadata.

    Raises
    ------
    ValueError
        When the file would be too large, or hold what :func:`load_onnx` refuses.
    """
    import sklearn_speech

    _strip(model)
    model.producer_name, model.producer_version = "sklearn_speech", sklearn_speech.__version__
    n_bytes = model.ByteSize()
    if n_bytes > MAX_FILE:
        raise ValueError(f"the file would have {n_bytes} bytes; at most {MAX_FILE} are possible")
    for key, value in header.to_metadata().items():
        model.metadata_props.add(key=key, value=value)
    model.metadata_props.add(key=DIGEST_KEY, value=file_digest(model.SerializeToString()))
    content = model.SerializeToString()
    try:
        Header.from_metadata(read_metadata(content))
    except UnsafeFileError as error:
        raise ValueError(f"the pipeline cannot be exported to a safe file: {error}") from error
    return content


def _strip(model: Any) -> None:
    """Remove notes of the exporter, such as paths of files of this machine."""
    graph = model.graph
    for part in [
        model,
        graph,
        *graph.node,
        *graph.input,
        *graph.output,
        *graph.value_info,
        *graph.initializer,
    ]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
