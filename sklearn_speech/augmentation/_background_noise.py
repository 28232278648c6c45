"""Add recorded noise to waveforms."""

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Generator, Tensor

from ..utils.values import check_values
from ._augmentation import Augmentation
from ._constraints import MAX_DB, PAIR, check_range
from ._draws import uniform, whole_number
from ._operations import add_at_snr


class BackgroundNoise(Augmentation):
    """Add a piece of recorded background noise at a random signal-to-noise ratio.

    Each clip gets a piece from a random position of a random recording; a recording that is
    shorter than the batch is repeated. The ratio is that of the mean powers over the whole
    clip, and it is exact. The clip is not changed if it or the piece is silent.

    Parameters
    ----------
    clips : list of arrays of shape (n_times,), or array of shape (n_recordings, n_times)
        Noise recordings at the sample rate of the clips.
    snr_db : (low, high) tuple, default=(5.0, 25.0)
        In dB, drawn uniformly for each clip; within -200 to 200.
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import numpy as np, torch
    >>> hum = np.sin(2 * np.pi * 50 * np.arange(8000) / 8000)
    >>> x, _ = BackgroundNoise([hum], snr_db=(10, 10))(torch.ones(2, 8000))
    >>> round(((x - 1) ** 2).mean().item(), 4)
    0.1
    """

    domain = "waveform"

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "clips": ["array-like"],
        "snr_db": PAIR,
    }

    def __init__(
        self,
        clips: Sequence[ArrayLike] | np.ndarray,
        snr_db: tuple[float, float] = (5.0, 25.0),
        p: float = 1.0,
    ) -> None:
        self.clips = clips
        self.snr_db = snr_db
        self.p = p

    def _check_parameters(self) -> None:
        check_range("snr_db", self.snr_db, -MAX_DB, MAX_DB)
        if len(self.clips) == 0:
            raise ValueError("clips is empty: expected at least one recording of noise")
        check_values(self.clips, "clips")
        for i, clip in enumerate(self.clips):
            shape = np.shape(clip)
            if len(shape) != 1 or shape[0] == 0:
                raise ValueError(f"clips[{i}] has shape {shape}: expected (n_times,), not empty")
            if not (np.abs(clip) <= np.finfo(np.float32).max).all():
                raise ValueError(f"clips[{i}] contains NaN or infinity")

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        sizes = torch.tensor([np.shape(clip)[0] for clip in self.clips], device=x.device)
        first = torch.zeros(len(x), dtype=torch.int64, device=x.device)
        which = whole_number(first, first + len(sizes) - 1, generator)
        sizes = sizes[which]
        starts = whole_number(torch.zeros_like(sizes), sizes - 1, generator)
        steps = np.arange(x.shape[1])
        pieces = np.empty(x.shape, dtype=np.float32)
        for piece, i, start in zip(pieces, which.tolist(), starts.tolist()):
            piece[:] = np.take(self.clips[i], start + steps, mode="wrap")
        snr_db = uniform(len(x), *self.snr_db, generator, x.device)
        noise = torch.from_numpy(pieces).to(x.device, x.dtype)
        return add_at_snr(x, noise, lengths, snr_db), lengths
