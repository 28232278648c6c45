"""A front end and the network that reads it, as one module."""

from torch import nn


class FrontEndNet(nn.Module):
    """Waveforms in: a front end computes features, a network reads them.

    Parameters
    ----------
    front_end : torch.nn.Module
        ``front_end(waveforms, lengths)`` gives (n_clips, n_bands, n_frames), and
        ``front_end.n_frames(lengths)`` the frames of each clip.
    network : torch.nn.Module
        ``network(features, lengths)``.

    Shape
    -----
    Input (n_clips, n_times), output that of the network.
    """

    def __init__(self, front_end, network):
        super().__init__()
        self.front_end = front_end
        self.network = network

    def features(self, x, lengths=None):
        """Features of waveforms, and their numbers of frames."""
        frames = None if lengths is None else self.front_end.n_frames(lengths)
        return self.front_end(x, lengths), frames

    def forward(self, x, lengths=None):
        return self.network(*self.features(x, lengths))
