"""Shift spectrograms in time."""

from typing import Any, ClassVar

from torch import Generator, Tensor

from ._augmentation import Augmentation
from ._constraints import COUNT, FRACTION
from ._operations import shift


class FrameShift(Augmentation):
    """Shift spectrograms in time; silence fills the gap, and nothing wraps around.

    Silence is the lowest value of the clip in each band.

    Parameters
    ----------
    max_frames : int, default=10
        Maximum shift in frames.
    max_fraction : float, default=0.25
        Maximum shift as a fraction of the frames of the clip, so that short words are not
        shifted out of the clip.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> FrameShift(max_frames=3)(torch.rand(2, 40, 50))[0].shape
    torch.Size([2, 40, 50])
    """

    domain = "spectrogram"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "max_frames": COUNT,
        "max_fraction": FRACTION,
    }

    def __init__(
        self,
        max_frames: int = 10,
        max_fraction: float = 0.25,
        p: float = 1.0,
    ) -> None:
        self.max_frames = max_frames
        self.max_fraction = max_fraction
        self.p = p

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        silence = self._silence(x, lengths)
        y = shift(x, lengths, self.max_frames, self.max_fraction, silence, generator)
        return y, lengths
