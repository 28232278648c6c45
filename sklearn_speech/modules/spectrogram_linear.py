"""Linear network on whole spectrograms."""

from torch import Tensor, nn

from .backbone import BackboneModule
from .dropout import Dropout
from .input_norm import InputNorm
from .masking import check_fixed_length


class SpectrogramLinearNet(BackboneModule):
    """One linear layer on all bands and frames of clips of one length.

    Parameters
    ----------
    n_bands : int
    n_frames : int
        Frames of every clip.
    n_classes : int
        Number of outputs: classes, labels, or numbers to predict.
    dropout : float, default=0.0
        Dropout probability of the input values.
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        See :class:`~sklearn_speech.modules.input_norm.InputNorm`.

    Shape
    -----
    Input (n_clips, n_bands, n_frames), or (n_clips, n_bands) for one frame a
    clip; output (n_clips, n_classes).

    Examples
    --------
    >>> net = SpectrogramLinearNet(n_bands=40, n_frames=101, n_classes=12)
    >>> sum(p.numel() for p in net.parameters())
    48492
    """

    def __init__(
        self,
        n_bands: int,
        n_frames: int | None,
        n_classes: int,
        dropout: float = 0.0,
        input_norm: str | None = "clip",
    ) -> None:
        super().__init__()
        if n_frames is None:
            raise ValueError(
                "SpectrogramLinearNet needs clips of one length, but these "
                "may differ (a list of clips); "
                "put PadOrTrim before this step"
            )
        self.n_frames = n_frames
        self.input_norm = InputNorm(n_bands, input_norm)
        self.dropout = Dropout(dropout)
        self.linear = nn.Linear(n_bands * n_frames, n_classes)

    def backbone(self) -> dict[str, nn.Module]:
        """The normalisation of the input: there is no other layer before the last."""
        return {"input_norm": self.input_norm}

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        if x.dim() == 2:
            x = x[:, :, None]
        check_fixed_length(x, lengths, self.n_frames, "frames", "SpectrogramLinearNet")
        return self.linear(self.dropout(self.input_norm(x)).flatten(1))
