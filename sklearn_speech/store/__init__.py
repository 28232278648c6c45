"""Features of clips, computed once for each setting and kept in memory or on disk."""

from ._feature_cache import FeatureCache

__all__ = ["FeatureCache"]
