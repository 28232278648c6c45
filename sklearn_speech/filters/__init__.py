"""Mel scales, mel filter banks, windows and cosine transforms, as NumPy arrays in float64.

The torch front ends of :mod:`sklearn_speech.modules` compute these arrays once and use them as
constants. Nothing here imports torch.
"""

from ._cepstral_transforms import dct_matrix, delta_kernel, lifter_weights
from ._mel_filterbank import mel_filterbank
from ._mel_scale import hz_to_mel, mel_frequencies, mel_to_hz
from ._resampling_filter import resampling_filter
from ._windows import frame_sizes, window_function

__all__ = [
    "dct_matrix",
    "delta_kernel",
    "frame_sizes",
    "hz_to_mel",
    "lifter_weights",
    "mel_filterbank",
    "mel_frequencies",
    "mel_to_hz",
    "resampling_filter",
    "window_function",
]
