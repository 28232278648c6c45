"""Reading the weights of the voice encoder of resemblyzer."""

import importlib.util
from pathlib import Path

import torch

#: Value of ``encoder`` that stands for this network: the name of the package.
RESEMBLYZER = "resemblyzer"

_FILE = "pretrained.pt"

_INSTALL = f"pip install --no-deps {RESEMBLYZER}"


def packaged_voice_encoder() -> Path:
    """Path of the weights in the installed package.

    The package is not imported: it needs further packages, which are not used here.

    Raises
    ------
    ImportError
        When it is not installed; the message tells how to install it.
    """
    spec = importlib.util.find_spec(RESEMBLYZER)
    for folder in [] if spec is None else spec.submodule_search_locations or []:
        if (Path(folder) / _FILE).is_file():
            return Path(folder) / _FILE
    raise ImportError(
        f"SpeechEmbedding(encoder={RESEMBLYZER!r}) reads the weights of its network from {_FILE} "
        f"in the package {RESEMBLYZER}, which is not installed: {_INSTALL}"
    )


def read_voice_weights(path: Path) -> dict[str, torch.Tensor]:
    """Weights of the voice encoder by name.

    Raises
    ------
    ValueError
        When the file does not hold them.
    """
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise ValueError(f"{path} is not a file of torch weights: {error}") from error
    weights = content.get("model_state") if isinstance(content, dict) else None
    if not isinstance(weights, dict):
        raise ValueError(
            f"{path} does not hold a voice encoder: expected a dict with the key 'model_state', "
            f"got {type(content).__name__}"
        )
    return weights
