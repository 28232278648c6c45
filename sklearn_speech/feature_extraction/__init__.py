"""Transformers from waveforms to spectrograms."""

from ._mel_spectrogram import MelSpectrogram

__all__ = ["MelSpectrogram"]
