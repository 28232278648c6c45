"""Recordings as scikit-learn Bunches: ``data``, ``target``, ``speaker``, ``sampling_rate``."""

from ._data_home import get_data_home
from ._fsdd import fetch_fsdd
from ._speech_folder import load_speech_folder
from ._speech_manifest import load_speech_manifest
from ._spoken_digits import make_spoken_digits

__all__ = [
    "fetch_fsdd",
    "get_data_home",
    "load_speech_folder",
    "load_speech_manifest",
    "make_spoken_digits",
]
