"""Regressors of speech clips: one number per clip or several."""

from ._bc_resnet import BCResNetRegressor
from ._spectrogram_cnn import SpectrogramCNNRegressor
from ._spectrogram_linear import SpectrogramLinearRegressor
from ._waveform_cnn import WaveformCNNRegressor

__all__ = [
    "BCResNetRegressor",
    "SpectrogramCNNRegressor",
    "SpectrogramLinearRegressor",
    "WaveformCNNRegressor",
]
