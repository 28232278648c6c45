"""What a detector computes with, once its parameters are checked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from ..audio import AudioReader


@dataclass(frozen=True)
class Plan:
    """How the windows of a recording are scored."""

    reader: AudioReader | None
    steps: list[tuple[str, Any]]
    sample_rate: float  # Hz
    n_window: int  # samples
    n_step: int  # samples
    classes: list[Any]
    columns: list[int]  # of the classes that are words
    on_invalid: str

    @property
    def words(self) -> list[Any]:
        """The classes that are words."""
        return [self.classes[column] for column in self.columns]


@dataclass(frozen=True)
class Rule:
    """How scores over time become events; distances in windows."""

    thresholds: npt.NDArray[np.float64]
    smoothing: int
    patience: int
    distance: float
    reach: int
    durations: list[float]  # of each word, in seconds
