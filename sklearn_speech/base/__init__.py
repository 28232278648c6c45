"""Base classes of the networks: skorch made to keep scikit-learn's contract."""

from ._classifier import BaseSpeechClassifier
from ._net import BaseSpeechNet

__all__ = ["BaseSpeechClassifier", "BaseSpeechNet"]
