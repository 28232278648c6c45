"""Data sets as scikit-learn Bunches: ``data``, ``target``, ``speaker``, ``sample_rate``."""

from ._connected_digits import make_connected_digits
from ._data_home import get_data_home
from ._digit_lexicon import digits_from_phones, phonemize_digits
from ._fsdd import fetch_fsdd
from ._lexicon import phonemize, words_from_phones
from ._speech_commands import fetch_speech_commands
from ._speech_folder import load_speech_folder
from ._speech_manifest import load_speech_manifest
from ._spoken_digits import make_spoken_digits
from ._timit import load_timit

__all__ = [
    "digits_from_phones",
    "fetch_fsdd",
    "fetch_speech_commands",
    "get_data_home",
    "load_speech_folder",
    "load_speech_manifest",
    "load_timit",
    "make_connected_digits",
    "make_spoken_digits",
    "phonemize",
    "phonemize_digits",
    "words_from_phones",
]
