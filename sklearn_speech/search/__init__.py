"""Hyperparameter search with Optuna, scored on held-out speakers."""

from ._fold_pruner import FoldPruner
from ._optuna_search_cv import OptunaSearchCV
from ._suggest_search_space import suggest_search_space

__all__ = ["FoldPruner", "OptunaSearchCV", "suggest_search_space"]
