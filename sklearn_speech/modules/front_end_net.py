"""A front end and the network that reads it, as one module."""

from typing import Any, Self

from torch import Tensor, nn


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

    #: Has a method ``n_frames`` besides those of a module.
    front_end: Any
    #: Trained parameters of a frozen front end; None while it is not frozen.
    _frozen: list[nn.Parameter] | None = None

    def __init__(self, front_end: nn.Module, network: nn.Module) -> None:
        super().__init__()
        self.front_end = front_end
        self.network = network

    def freeze_front_end(self, frozen: bool) -> None:
        """Freeze the front end, or let those of its parameters train that did before.

        A frozen front end stays in evaluation mode, so that neither its weights nor its statistics
        change.
        """
        if frozen and self._frozen is None:
            self._frozen = [p for p in self.front_end.parameters() if p.requires_grad]
        for parameter in self._frozen or []:
            parameter.requires_grad_(not frozen)
        if not frozen:
            self._frozen = None
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As in torch, but a frozen front end stays in evaluation mode."""
        super().train(mode)
        if self._frozen is not None:
            self.front_end.eval()
        return self

    def features(self, x: Tensor, lengths: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        """Features of waveforms, and their numbers of frames."""
        frames = None if lengths is None else self.front_end.n_frames(lengths)
        return self.front_end(x, lengths), frames

    def from_constant(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Output from what the constant layers of the front end gave; see its ``begin``."""
        return self.network(*self.front_end.finish(x, lengths))

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        return self.network(*self.features(x, lengths))
