"""Reading the weights of the voice encoder of resemblyzer."""

import importlib.util
from pathlib import Path

import torch

from ..modules.voice_encoder import VoiceEncoderNet

#: Value of ``encoder`` that stands for this network: the name of the package.
RESEMBLYZER = "resemblyzer"

_FILE = "pretrained.pt"

_INSTALL = f"pip install --no-deps {RESEMBLYZER}"


def packaged_voice_encoder(n_layers: int) -> VoiceEncoderNet:
    """The first layers of the voice encoder, with the weights of the installed package.

    The package is not imported: it needs further packages, which are not used here.

    Raises
    ------
    ImportError
        When it is not installed; the message tells how to install it.
    ValueError
        When its file does not hold the weights.
    """
    net = VoiceEncoderNet(n_layers)
    return net.load_weights(_read_weights(_packaged())).eval()


def _packaged() -> Path:
    spec = importlib.util.find_spec(RESEMBLYZER)
    for folder in [] if spec is None else spec.submodule_search_locations or []:
        if (Path(folder) / _FILE).is_file():
            return Path(folder) / _FILE
    raise ImportError(
        f"SpeechEmbedding(encoder={RESEMBLYZER!r}) reads the weights of its network from {_FILE} "
        f"in the package {RESEMBLYZER}, which is not installed: {_INSTALL}"
    )


def _read_weights(path: Path) -> dict[str, torch.Tensor]:
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
