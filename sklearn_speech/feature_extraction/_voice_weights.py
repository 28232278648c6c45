"""Reading the weights of the voice encoder of resemblyzer."""

from pathlib import Path

import torch


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
