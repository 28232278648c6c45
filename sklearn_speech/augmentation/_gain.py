"""Change the loudness of waveforms."""

from typing import Any, ClassVar

from torch import Generator, Tensor

from ._augmentation import Augmentation
from ._constraints import MAX_DB, PAIR, check_range
from ._draws import uniform


class Gain(Augmentation):
    """Make clips louder or softer.

    Parameters
    ----------
    gain_db : (low, high) tuple, default=(-6.0, 6.0)
        In dB, drawn uniformly for each clip; within -200 to 200.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> Gain(gain_db=(20, 20))(torch.ones(1, 2))[0]
    tensor([[10., 10.]])
    """

    domain = "waveform"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "gain_db": PAIR,
    }

    def __init__(self, gain_db: tuple[float, float] = (-6.0, 6.0), p: float = 1.0) -> None:
        self.gain_db = gain_db
        self.p = p

    def _check_parameters(self) -> None:
        check_range("gain_db", self.gain_db, -MAX_DB, MAX_DB)

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        gain_db = uniform(len(x), *self.gain_db, generator, x.device)
        return x * (10 ** (gain_db / 20))[:, None], lengths
