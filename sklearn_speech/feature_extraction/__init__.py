"""Transformers from waveforms to spectrograms and embeddings, and from frames to numbers."""

from ._mel_spectrogram import MelSpectrogram
from ._mfcc import MFCC
from ._pitch_contour import PitchContour
from ._spectrogram import Spectrogram
from ._spectrogram_scaler import SpectrogramScaler
from ._speech_embedding import SpeechEmbedding
from ._standardize_by_speaker import standardize_by_speaker
from ._temporal_pooling import TemporalPooling
from ._trainable_front_end import TrainableFrontEnd

__all__ = [
    "MFCC",
    "MelSpectrogram",
    "PitchContour",
    "Spectrogram",
    "SpectrogramScaler",
    "SpeechEmbedding",
    "TemporalPooling",
    "TrainableFrontEnd",
    "standardize_by_speaker",
]
