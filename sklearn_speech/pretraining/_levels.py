"""What a stage of training reads and what it is compared with."""

import torch

from ..base._batches import Batch, ClipDataset

_CHUNK = 64


class LevelDataset(ClipDataset):
    """Maps of each clip at one level of the encoder, each its own target or with one beside it.

    Parameters
    ----------
    X : Tensor of shape (n_clips, n_channels, n_bands, n_frames) or list of Tensors
        What the stage reads; a list where clips differ in length.
    inputs : Tensor or list of Tensors, default=None
        Targets at the level of the input; None compares with X itself.
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
        """Maps and targets; lengths of the two, side by side, where clips were padded."""
        batch = ClipDataset(self.X).batch(index)
        x, y, lengths = batch[0], batch[0], batch.lengths
        at_target = lengths
        if self.inputs is not None:
            target = ClipDataset(self.inputs).batch(index)
            y, at_target = target[0], target.lengths
        if lengths is not None:
            lengths = torch.stack([lengths, at_target], dim=1)
        return Batch(x, y, lengths)

    def _at(self, X, index):
        return [X[i] for i in index.tolist()] if self.ragged else X[index]


def in_chunks(data, device, function):
    """Apply a function to a dataset chunk by chunk, without gradients.

    Parameters
    ----------
    data : ClipDataset
    device : torch.device
    function : callable
        Takes a batch and its lengths on the device, gives maps and their lengths.

    Returns
    -------
    X : Tensor of shape (n_clips, ...), or list of Tensors where clips differ in length
        On the CPU, padding cut off.
    """
    # a list is padded as it comes: sorted by length, little of it is padding
    order = torch.argsort(data.lengths) if data.ragged else torch.arange(len(data))
    clips = [None] * len(data)
    whole = []
    with torch.no_grad():
        for start in range(0, len(data), _CHUNK):
            index = order[start : start + _CHUNK]
            batch = ClipDataset(data.X).batch(
                index if data.ragged else slice(start, start + _CHUNK)
            )
            lengths = batch.lengths
            x, lengths = function(
                batch[0].to(device), None if lengths is None else lengths.to(device)
            )
            x = x.cpu()
            if lengths is None:
                whole.append(x)
                continue
            for i, clip, n in zip(index.tolist(), x, lengths.tolist()):
                clips[i] = clip[..., :n].clone()
    return clips if data.ragged else torch.cat(whole)
