"""Scores on speakers that were not in training, and comparisons of such scores.

Splitters, searches, leakage checks and the feature cache are exported here too, because users
of scikit-learn look for them in a package of this name.
"""

import importlib

from ..splits import StratifiedGroupShuffleSplit
from ._compare_by_speaker import compare_by_speaker
from ._cross_validate_by_speaker import cross_validate_by_speaker
from ._folds import SpeakerFoldError
from ._learning_curve_by_speaker import learning_curve_by_speaker
from ._speaker_comparison import SpeakerComparison
from ._speaker_learning_curve import SpeakerLearningCurve
from ._speaker_scores import SpeakerScores

#: Names from other packages, imported on first use, because searches load optuna.
_EXPORTED = {
    "FeatureCache": "store",
    "FoldPruner": "search",
    "LeakageReport": "leakage",
    "OptunaSearchCV": "search",
    "check_speaker_leakage": "leakage",
    "suggest_search_space": "search",
}

__all__ = [
    "FeatureCache",
    "FoldPruner",
    "LeakageReport",
    "OptunaSearchCV",
    "SpeakerComparison",
    "SpeakerFoldError",
    "SpeakerLearningCurve",
    "SpeakerScores",
    "StratifiedGroupShuffleSplit",
    "check_speaker_leakage",
    "compare_by_speaker",
    "cross_validate_by_speaker",
    "learning_curve_by_speaker",
    "suggest_search_space",
]


def __getattr__(name: str) -> object:
    if name in _EXPORTED:
        room = importlib.import_module(f"..{_EXPORTED[name]}", __name__)
        return getattr(room, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
