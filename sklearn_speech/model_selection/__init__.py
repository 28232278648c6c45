"""Scores on speakers never heard before, and what may go wrong with them."""

import lazy_loader

from ..splits import StratifiedGroupShuffleSplit
from ._compare_by_speaker import compare_by_speaker
from ._cross_validate_by_speaker import cross_validate_by_speaker
from ._feature_cache import FeatureCache
from ._folds import SpeakerFoldError
from ._leakage import check_speaker_leakage
from ._leakage_report import LeakageReport
from ._speaker_comparison import SpeakerComparison
from ._speaker_scores import SpeakerScores

# what loads optuna, loaded when it is used
__getattr__, _, _ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_fold_pruner": ["FoldPruner"],
        "_optuna_search_cv": ["OptunaSearchCV"],
        "_search_space": ["suggest_search_space"],
    },
)

__all__ = [
    "FeatureCache",
    "FoldPruner",
    "LeakageReport",
    "OptunaSearchCV",
    "SpeakerComparison",
    "SpeakerFoldError",
    "SpeakerScores",
    "StratifiedGroupShuffleSplit",
    "check_speaker_leakage",
    "compare_by_speaker",
    "cross_validate_by_speaker",
    "suggest_search_space",
]


def __dir__():
    return __all__
