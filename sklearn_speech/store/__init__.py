"""Compute features once for each setting, and keep them in memory or in files."""

from ._clip_store import ClipStore
from ._feature_cache import FeatureCache

__all__ = ["ClipStore", "FeatureCache"]
