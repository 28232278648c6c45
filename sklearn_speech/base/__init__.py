"""Base classes of the networks: skorch made to keep scikit-learn's contract."""

from ._classifier import BaseSpeechClassifier
from ._net import BaseSpeechNet
from ._nets_of import nets_of
from ._regressor import BaseSpeechRegressor

__all__ = ["BaseSpeechClassifier", "BaseSpeechNet", "BaseSpeechRegressor", "nets_of"]
