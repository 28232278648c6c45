"""Spectrograms moved in time."""

from ._augmentation import (
    Augmentation,
    check_count,
    check_number,
)
from ._time_shift import shift


class FrameShift(Augmentation):
    """Move spectrograms earlier or later; silence comes in, nothing wraps around.

    Silence is, in each band, the lowest value that the clip has there.

    Parameters
    ----------
    max_frames : int, default=10
        Longest shift, in frames.
    max_fraction : float, default=0.25
        Longest shift as a part of the clip's own frames, so that short words are
        not pushed out.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> FrameShift(max_frames=3)(torch.rand(2, 40, 50))[0].shape
    torch.Size([2, 40, 50])
    """

    domain = "spectrogram"

    def __init__(self, max_frames=10, max_fraction=0.25, p=1.0):
        check_count("max_frames", max_frames)
        check_number("max_fraction", max_fraction, 0, 1)
        check_number("p", p, 0, 1)
        self.max_frames = max_frames
        self.max_fraction = max_fraction
        self.p = p

    def _transform(self, x, lengths, generator):
        silence = self._silence(x, lengths)
        y = shift(x, lengths, self.max_frames, self.max_fraction, silence, generator)
        return y, lengths
