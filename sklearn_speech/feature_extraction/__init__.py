"""Transformers from waveforms to spectrograms."""

from ._mel_spectrogram import MelSpectrogram
from ._mfcc import MFCC
from ._spectrogram import Spectrogram
from ._spectrogram_scaler import SpectrogramScaler

__all__ = ["MFCC", "MelSpectrogram", "Spectrogram", "SpectrogramScaler"]
