"""Dataset for one stage of stacked training."""

import torch

from ..base._batches import ClipDataset, pad, take


class LevelDataset(ClipDataset):
    """Feature maps of each clip at one level of the encoder, with their targets.

    Parameters
    ----------
    X : Tensor of shape (n_clips, n_channels, n_bands, n_frames) or list of Tensors
        Input of the stage; a list if clips differ in length.
    inputs : Tensor or list of Tensors, default=None
        Input of the whole network, as targets. None means that X is its own target.
    """

    def __init__(self, X, inputs=None):
        super().__init__(X)
        self.inputs = inputs

    def subset(self, index):
        """The clips at `index`, an integer Tensor, in that order."""
        parts = [X if X is None else self._at(X, index) for X in (self.X, self.inputs)]
        return LevelDataset(*parts)

    def to(self, device):
        """The same clips on another device."""
        parts = [
            X if X is None else [x.to(device) for x in X] if self.ragged else X.to(device)
            for X in (self.X, self.inputs)
        ]
        return LevelDataset(*parts)

    def batch(self, index):
        """Maps and targets, with the lengths of both (two columns) if clips were padded."""
        x, lengths = self._padded(self.X, index)
        y, target_lengths = (x, lengths)
        if self.inputs is not None:
            y, target_lengths = self._padded(self.inputs, index)
        if lengths is None:
            return x, y
        return {"x": x, "lengths": torch.stack([lengths, target_lengths], dim=1)}, y

    def _padded(self, X, index):
        if not self.ragged:
            return take(X, index), None
        return pad(X[index] if isinstance(index, slice) else [X[i] for i in index])

    def _at(self, X, index):
        return [X[i] for i in index.tolist()] if self.ragged else X[index]
