"""Multi-layer perceptron on raw samples."""

import itertools
import numbers

from torch import Tensor, nn

from .backbone import BackboneModule, numbered
from .dropout import Dropout
from .loudness import equalize_loudness
from .masking import check_fixed_length


class WaveformMLPNet(BackboneModule):
    """Dense layers on the raw samples of clips of one length.

    Parameters
    ----------
    n_times : int
        Samples of every clip.
    n_classes : int
        Number of outputs: classes, labels, or numbers to predict.
    hidden_units : int or list of int, default=128
        Widths of the hidden layers, each followed by ReLU.
    dropout : float, default=0.0
        After each hidden layer.
    equal_loudness : bool, default=True
        Whether each clip is first brought to the same loudness, see
        :func:`~sklearn_speech.modules.loudness.equalize_loudness`.

    Shape
    -----
    Input (n_clips, n_times), output (n_clips, n_classes).

    Examples
    --------
    >>> net = WaveformMLPNet(n_times=30000, n_classes=10)
    >>> sum(p.numel() for p in net.parameters())
    3841418
    """

    def __init__(
        self,
        n_times: int | None,
        n_classes: int,
        hidden_units: int | list[int] = 128,
        dropout: float = 0.0,
        equal_loudness: bool = True,
    ) -> None:
        super().__init__()
        if n_times is None:
            raise ValueError(
                "WaveformMLPNet needs clips of one length, but these "
                "may differ (a list of clips); "
                "put PadOrTrim before this step"
            )
        self.n_times, self.equal_loudness = n_times, equal_loudness
        widths = [n_times]
        widths += (
            [hidden_units] if isinstance(hidden_units, (int, numbers.Integral)) else hidden_units
        )
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Linear(before, after), nn.ReLU(), Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], n_classes))

    def backbone(self) -> dict[str, nn.Module]:
        """The hidden layers, by name."""
        return numbered("layers", list(self.layers)[:-1])

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        check_fixed_length(x, lengths, self.n_times, "samples", "WaveformMLPNet")
        return self.layers(equalize_loudness(x) if self.equal_loudness else x)
