"""Compute features once for each setting, and keep them in memory or on disk."""

from ._feature_cache import FeatureCache

__all__ = ["FeatureCache"]
