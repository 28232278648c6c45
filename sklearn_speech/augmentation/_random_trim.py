"""Trim words more tightly."""

import math
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from ..modules.masking import steps_mask
from ..utils.sklearn_private import StrOptions
from ._augmentation import Augmentation
from ._constraints import MAX_DB, PAIR, check_range
from ._draws import uniform
from ._operations import UNITS


class RandomTrim(Augmentation):
    """Silence the quiet edges of log-scaled spectrograms, up to a random level.

    Recordings of single words are cut by hand or by an endpointer, sometimes so
    tightly that a soft consonant at the edge is lost. A random level is drawn for each edge,
    relative to the loudest frame of the clip. All frames before the first frame, and after the
    last frame, that reach this level are replaced by silence, which is the lowest value of the
    clip in each band. The other frames do not move.

    Parameters
    ----------
    top_db : (low, high) tuple, default=(5.0, 40.0)
        Distance of the level below the loudest frame, in dB, drawn uniformly for each edge;
        within 0 to 200.
    scaling : {"db", "log"}, default="db"
        Scaling of the input power spectrograms: dB or natural logarithm.
    p : float, default=1.0
        Probability that a clip is changed.

    See Also
    --------
    FrameShift : Shifts clips in time.

    Examples
    --------
    >>> import torch
    >>> clip = torch.tensor([[[-60.0, -20.0, 0.0, -30.0, -8.0, -60.0]]])
    >>> RandomTrim(top_db=(10, 10))(clip)[0]
    tensor([[[-60., -60.,   0., -30.,  -8., -60.]]])
    """

    domain = "spectrogram"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "top_db": PAIR,
        "scaling": [StrOptions(set(UNITS))],
    }

    def __init__(
        self,
        top_db: tuple[float, float] = (5.0, 40.0),
        scaling: str = "db",
        p: float = 1.0,
    ) -> None:
        self.top_db = top_db
        self.scaling = scaling
        self.p = p

    def _check_parameters(self) -> None:
        check_range("top_db", self.top_db, 0, MAX_DB)

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        to_nepers = UNITS["log"] / UNITS[self.scaling]
        level = torch.logsumexp(x * to_nepers, dim=1) / UNITS["log"]
        level = level.masked_fill(~steps_mask(lengths, x)[:, 0], -math.inf)
        peak = level.amax(1, keepdim=True)
        depth = uniform((2, len(x), 1), *self.top_db, generator, x.device)
        from_start = (level >= peak - depth[0]).cumsum(1) > 0
        to_end = (level >= peak - depth[1]).flip(1).cumsum(1).flip(1) > 0
        kept = (from_start & to_end)[:, None]
        return torch.where(kept, x, self._silence(x, lengths)), lengths
