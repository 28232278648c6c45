"""Transformers from waveforms to spectrograms."""

from ._mel_spectrogram import MelSpectrogram
from ._mfcc import MFCC
from ._spectrogram import Spectrogram
from ._spectrogram_scaler import SpectrogramScaler
from ._trainable_front_end import TrainableFrontEnd

__all__ = ["MFCC", "MelSpectrogram", "Spectrogram", "SpectrogramScaler", "TrainableFrontEnd"]
