"""Mix frequency responses between recordings."""

from torch import Generator, Tensor

from ..modules.input_norm import sounding_frames
from ._augmentation import Augmentation
from ._draws import uniform
from ._operations import column


class FreqMixStyle(Augmentation):
    """Move the mean spectrum of each clip towards that of another clip of the batch.

    The mean of each band over time, which depends on microphone, room and voice, is moved part
    of the way, at random, towards that of another clip. :class:`RandomEqualizer` invents
    frequency responses; this augmentation uses those of other recordings. Silent frames do not
    count towards the mean. Standard deviations are not changed, because this would amplify
    bands that are mostly quiet. Spectrograms must be log-scaled.

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

    def __init__(self, p: float = 0.5) -> None:
        self.p = p

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        counted, _ = sounding_frames(x, lengths)
        colour = (x * counted).sum(2, keepdim=True) / counted.sum(2, keepdim=True)
        other = uniform(len(x), 0, 1, generator, x.device).argsort()
        share = column(uniform(len(x), 0, 1, generator, x.device), x).to(x.dtype)
        return x + share * (colour[other] - colour), lengths
