"""Words cut as tightly as someone else would cut them."""

import math

import torch

from ..modules.masking import steps_mask
from ._augmentation import (
    Augmentation,
    check_number,
    check_option,
    check_range,
    uniform,
)
from ._random_equalizer import UNITS


class RandomTrim(Augmentation):
    """Silence the quiet edges of log-scaled spectrograms, up to a random level.

    Recordings of single words are cut by hand or by an endpointer, some so tightly
    that a soft consonant at the edge is gone. Everything before the first frame, and
    after the last one, that comes within a number of dB of the clip's loudest frame
    becomes silence: in each band, the lowest value that the clip has there. Each
    edge has a level of its own. Frames stay where they are.

    Parameters
    ----------
    top_db : (low, high) tuple, default=(5.0, 40.0)
        Range of how far below the loudest frame an edge frame may lie, in dB.
    scaling : {"db", "log"}, default="db"
        Scaling of the power spectrograms that come in: dB or natural logarithm.
    p : float, default=1.0
        Probability that a clip is changed.

    See Also
    --------
    FrameShift : Moves clips in time.

    Examples
    --------
    >>> import torch
    >>> clip = torch.tensor([[[-60.0, -20.0, 0.0, -30.0, -8.0, -60.0]]])
    >>> RandomTrim(top_db=(10, 10))(clip)[0]
    tensor([[[-60., -60.,   0., -30.,  -8., -60.]]])
    """

    domain = "spectrogram"

    def __init__(self, top_db=(5.0, 40.0), scaling="db", p=1.0):
        check_range("top_db", top_db, 0)
        check_option("scaling", scaling, UNITS)
        check_number("p", p, 0, 1)
        self.top_db = top_db
        self.scaling = scaling
        self.p = p

    def _transform(self, x, lengths, generator):
        to_nepers = UNITS["log"] / UNITS[self.scaling]
        level = torch.logsumexp(x * to_nepers, dim=1) / UNITS["log"]
        level = level.masked_fill(~steps_mask(lengths, x)[:, 0], -math.inf)
        peak = level.amax(1, keepdim=True)
        depth = uniform((2, len(x), 1), *self.top_db, generator, x.device)
        from_start = (level >= peak - depth[0]).cumsum(1) > 0
        to_end = (level >= peak - depth[1]).flip(1).cumsum(1).flip(1) > 0
        kept = (from_start & to_end)[:, None]
        return torch.where(kept, x, self._silence(x, lengths)), lengths
