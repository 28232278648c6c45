"""Scores on speakers never heard before, and what may go wrong with them."""

from ..splits import StratifiedGroupShuffleSplit
from ._compare_by_speaker import compare_by_speaker
from ._cross_validate_by_speaker import cross_validate_by_speaker
from ._folds import SpeakerFoldError
from ._leakage import check_speaker_leakage
from ._leakage_report import LeakageReport
from ._speaker_comparison import SpeakerComparison
from ._speaker_scores import SpeakerScores

__all__ = [
    "LeakageReport",
    "SpeakerComparison",
    "SpeakerFoldError",
    "SpeakerScores",
    "StratifiedGroupShuffleSplit",
    "check_speaker_leakage",
    "compare_by_speaker",
    "cross_validate_by_speaker",
]
