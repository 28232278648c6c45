"""Scores on speakers never heard before, and what may go wrong with them."""

from ..splits import StratifiedGroupShuffleSplit
from ._cross_validate_by_speaker import cross_validate_by_speaker
from ._folds import SpeakerFoldError
from ._speaker_scores import SpeakerScores

__all__ = [
    "SpeakerFoldError",
    "SpeakerScores",
    "StratifiedGroupShuffleSplit",
    "cross_validate_by_speaker",
]
