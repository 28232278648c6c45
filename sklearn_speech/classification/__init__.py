"""Classifiers of speech clips."""

from ._augmented_classifier import AugmentedClassifier
from ._bc_resnet import BCResNetClassifier
from ._prototype_classifier import PrototypeClassifier
from ._spectrogram_cnn import SpectrogramCNNClassifier
from ._spectrogram_linear import SpectrogramLinearClassifier
from ._waveform_cnn import WaveformCNNClassifier
from ._waveform_mlp import WaveformMLPClassifier

__all__ = [
    "AugmentedClassifier",
    "BCResNetClassifier",
    "PrototypeClassifier",
    "SpectrogramCNNClassifier",
    "SpectrogramLinearClassifier",
    "WaveformCNNClassifier",
    "WaveformMLPClassifier",
]
