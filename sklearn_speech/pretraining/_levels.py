"""Dataset for one stage of stacked training."""

from typing import Any

import torch

from ..base._batches import ClipDataset, Clips, pad, take


class LevelDataset(ClipDataset):
    """Feature maps of each clip at one level of the encoder, with their targets.

    Parameters
    ----------
    X : Tensor of shape (n_clips, n_channels, n_bands, n_frames) or list of Tensors
        Input of the stage; a list if clips differ in length.
    inputs : Tensor or list of Tensors, default=None
        Input of the whole network, as targets. None means that X is its own target.
    """

    def __init__(self, X: Clips, inputs: Clips | None = None):
        super().__init__(X)
        self.inputs = inputs

    def __getitem__(self, index: int) -> tuple[Any, torch.Tensor]:
        inputs, y = self.batch(slice(index, index + 1))
        if not isinstance(inputs, dict):
            return inputs[0], y[0]
        return {key: value[0] for key, value in inputs.items()}, y[0]

    def subset(self, index: torch.Tensor) -> "LevelDataset":
        """The clips at `index`, an integer Tensor, in that order."""
        inputs = None if self.inputs is None else self._at(self.inputs, index)
        return LevelDataset(self._at(self.X, index), inputs)

    def to(self, device: torch.device) -> "LevelDataset":
        """The same clips on another device."""

        def moved(X: Clips) -> Clips:
            return [x.to(device) for x in X] if isinstance(X, list) else X.to(device)

        return LevelDataset(moved(self.X), None if self.inputs is None else moved(self.inputs))

    def batch(self, index: slice | torch.Tensor) -> tuple[Any, torch.Tensor]:
        """Maps and targets, with the lengths of both (two columns) if clips were padded."""
        x, lengths = self._padded(self.X, index)
        y, target_lengths = (x, lengths)
        if self.inputs is not None:
            y, target_lengths = self._padded(self.inputs, index)
        if lengths is None or target_lengths is None:
            return x, y
        return {"x": x, "lengths": torch.stack([lengths, target_lengths], dim=1)}, y

    def _padded(
        self, X: Any, index: slice | torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        if not self.ragged:
            return take(X, index), None
        return pad(X[index] if isinstance(index, slice) else [X[i] for i in index])

    def _at(self, X: Any, index: torch.Tensor) -> Any:
        return [X[i] for i in index.tolist()] if self.ragged else X[index]
