"""Classifiers of speech clips."""

from ._spectrogram_cnn import SpectrogramCNNClassifier

__all__ = ["SpectrogramCNNClassifier"]
