"""Bidirectional LSTM for clips that differ in length."""

import torch
from torch import Tensor, nn


class BiLSTM(nn.Module):
    """Bidirectional LSTM whose output does not depend on padding.

    The backward direction of a padded batch must begin at each clip's own last
    frame. Packed sequences do that, but torch trains slowly with them on a CPU;
    here every clip is reversed within its own length instead, and both directions
    run as plain LSTMs.

    Parameters
    ----------
    in_features : int
    hidden_units : int
        Units of each direction.
    n_layers : int, default=1
    dropout : float, default=0.0
        Between layers.

    Shape
    -----
    Input (n_clips, n_frames, in_features), output
    (n_clips, n_frames, 2 * hidden_units); values in the padding are undefined.

    Examples
    --------
    >>> lstm = BiLSTM(40, 32)
    >>> sum(p.numel() for p in lstm.parameters())
    18944
    >>> lstm(torch.zeros(2, 7, 40), torch.tensor([7, 3])).shape
    torch.Size([2, 7, 64])
    """

    def __init__(
        self, in_features: int, hidden_units: int, n_layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__()
        sizes = [in_features] + [2 * hidden_units] * (n_layers - 1)
        self.forward_layers = nn.ModuleList(
            nn.LSTM(size, hidden_units, batch_first=True) for size in sizes
        )
        self.backward_layers = nn.ModuleList(
            nn.LSTM(size, hidden_units, batch_first=True) for size in sizes
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        index = None if lengths is None else reversed_index(lengths.to(x.device), x.shape[1])
        for i, (ahead, back) in enumerate(zip(self.forward_layers, self.backward_layers)):
            if i:
                x = self.dropout(x)
            x = torch.cat([ahead(x)[0], _reverse(back(_reverse(x, index))[0], index)], dim=2)
        return x


def reversed_index(lengths: Tensor, n_frames: int) -> Tensor:
    """Frame indices that reverse each clip within its own length.

    Parameters
    ----------
    lengths : int64 Tensor of shape (n_clips,)
    n_frames : int

    Returns
    -------
    index : int64 Tensor of shape (n_clips, n_frames, 1)
        Padding keeps its place; the same index undoes the reversal.

    Examples
    --------
    >>> reversed_index(torch.tensor([4, 2]), 4)[..., 0].tolist()
    [[3, 2, 1, 0], [1, 0, 2, 3]]
    """
    position = torch.arange(n_frames, device=lengths.device)
    last = lengths[:, None] - 1
    return torch.where(position <= last, last - position, position)[..., None]


def _reverse(x: Tensor, index: Tensor | None) -> Tensor:
    return x.flip(1) if index is None else x.gather(1, index.expand(-1, -1, x.shape[2]))
