"""Apply random smooth frequency responses."""

import math
from numbers import Integral, Real
from typing import Any, ClassVar

import torch
from torch import Generator, Tensor

from ..utils.sklearn_private import Interval, StrOptions
from ._augmentation import Augmentation
from ._constraints import MAX_DB
from ._draws import uniform
from ._operations import UNITS, interpolate


class RandomEqualizer(Augmentation):
    """Raise and lower the bands of log-scaled spectrograms by a smooth random curve.

    The curve is constant over time and simulates another microphone, distance or
    room. Random gains at points spread evenly over the bands are interpolated by half cosines.

    Parameters
    ----------
    max_db : float, default=6.0
        Maximum gain or loss in dB; at most 200.
    n_points : int, default=4
        Number of points of the curve; 1 changes only the loudness, 2 gives a tilt.
    scaling : {"db", "log"}, default="db"
        Scaling of the input power spectrograms: dB or natural logarithm.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> aug = RandomEqualizer(max_db=3, scaling="db")
    >>> gain = aug(torch.zeros(2, 40, 50))[0]
    >>> bool(gain.abs().max() <= 3)
    True
    """

    domain = "spectrogram"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "max_db": [Interval(Real, 0, MAX_DB, closed="both")],
        "n_points": [Interval(Integral, 1, None, closed="left")],
        "scaling": [StrOptions(set(UNITS))],
    }

    def __init__(
        self,
        max_db: float = 6.0,
        n_points: int = 4,
        scaling: str = "db",
        p: float = 1.0,
    ) -> None:
        self.max_db = max_db
        self.n_points = n_points
        self.scaling = scaling
        self.p = p

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        size = self.max_db * UNITS[self.scaling]
        points = uniform((len(x), self.n_points, 1), -size, size, generator, x.device)
        places = torch.linspace(
            0, self.n_points - 1, x.shape[1], device=x.device, dtype=torch.float32
        )
        before = places.floor()
        eased = before + (1 - torch.cos(math.pi * (places - before))) / 2
        curve = interpolate(points, eased.expand(len(x), -1), axis=1)
        return x + curve.to(x.dtype), lengths
