"""The colour of other recordings."""

from ..modules.input_norm import sounding_frames
from ._augmentation import Augmentation, check_number, column, uniform


class FreqMixStyle(Augmentation):
    """Give log-scaled spectrograms a mixture of their own and another clip's colour.

    The mean over time of each band, which tells microphone, room and voice, is moved
    by a random share of the way towards that of another clip of the batch. Where
    :class:`RandomEqualizer` makes colours up, this takes those of the other
    recordings. Means are those of sounding frames, so that silence does not count.
    Deviations are left alone: bands that go quiet for long would be blown up.

    Parameters
    ----------
    p : float, default=0.5
        Probability that a clip is changed.

    References
    ----------
    K. Zhou, Y. Yang, Y. Qiao and T. Xiang, "Domain generalization with MixStyle",
    ICLR 2021; over frequency: B. Kim, S. Yang, J. Kim, H. Park, J. Lee and S. Chang,
    "Domain generalization with relaxed instance frequency-wise normalization for
    multi-device acoustic scene classification", Interspeech 2022.

    Examples
    --------
    >>> import torch
    >>> FreqMixStyle()(torch.rand(4, 40, 50))[0].shape
    torch.Size([4, 40, 50])
    """

    domain = "spectrogram"

    def __init__(self, p=0.5):
        check_number("p", p, 0, 1)
        self.p = p

    def _transform(self, x, lengths, generator):
        counted, _ = sounding_frames(x, lengths)
        colour = (x * counted).sum(2, keepdim=True) / counted.sum(2, keepdim=True)
        other = uniform(len(x), 0, 1, generator, x.device).argsort()
        share = column(uniform(len(x), 0, 1, generator, x.device), x).to(x.dtype)
        return x + share * (colour[other] - colour), lengths
