"""Recordings as scikit-learn Bunches: ``data``, ``target``, ``speaker``, ``sampling_rate``."""

from ._data_home import get_data_home
from ._fsdd import fetch_fsdd
from ._speech_commands import fetch_speech_commands
from ._speech_folder import load_speech_folder
from ._speech_manifest import load_speech_manifest
from ._spoken_digits import make_spoken_digits
from ._timit import load_timit

__all__ = [
    "fetch_fsdd",
    "fetch_speech_commands",
    "get_data_home",
    "load_speech_folder",
    "load_speech_manifest",
    "load_timit",
    "make_spoken_digits",
]
