"""Microphones and rooms of other colour."""

import math

import torch

from ._augmentation import (
    Augmentation,
    check_count,
    check_number,
    check_option,
    interpolate,
    uniform,
)

#: What 1 dB is in power spectrograms of each scaling.
UNITS = {"log": math.log(10) / 10, "db": 1.0}


class RandomEqualizer(Augmentation):
    """Raise and lower the bands of log-scaled spectrograms by a smooth random curve.

    The curve is constant over time: another microphone, another distance, another
    room's colour. Random gains at points spread evenly over the bands are joined by
    half cosines.

    Parameters
    ----------
    max_db : float, default=6.0
        Largest gain or loss, in dB.
    n_points : int, default=4
        Points of the curve; 1 changes loudness alone, 2 is a tilt.
    scaling : {"db", "log"}, default="db"
        Scaling of the power spectrograms that come in: dB or natural logarithm.
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

    def __init__(self, max_db=6.0, n_points=4, scaling="db", p=1.0):
        check_number("max_db", max_db, 0)
        check_count("n_points", n_points, 1)
        check_option("scaling", scaling, UNITS)
        check_number("p", p, 0, 1)
        self.max_db = max_db
        self.n_points = n_points
        self.scaling = scaling
        self.p = p

    def _transform(self, x, lengths, generator):
        size = self.max_db * UNITS[self.scaling]
        points = uniform((len(x), self.n_points, 1), -size, size, generator, x.device)
        places = torch.linspace(0, self.n_points - 1, x.shape[1], device=x.device)
        before = places.floor()
        eased = before + (1 - torch.cos(math.pi * (places - before))) / 2
        curve = interpolate(points, eased.expand(len(x), -1), axis=1)
        return x + curve.to(x.dtype), lengths
