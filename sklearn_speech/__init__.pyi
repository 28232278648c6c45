from .audio import AudioReader as AudioReader
from .audio import PadOrTrim as PadOrTrim
from .audio import check_audio_files as check_audio_files
from .classification import SpectrogramCNNClassifier as SpectrogramCNNClassifier
from .datasets import fetch_fsdd as fetch_fsdd
from .datasets import load_speech_folder as load_speech_folder
from .datasets import load_speech_manifest as load_speech_manifest
from .datasets import make_spoken_digits as make_spoken_digits
from .feature_extraction import MFCC as MFCC
from .feature_extraction import MelSpectrogram as MelSpectrogram
from .feature_extraction import Spectrogram as Spectrogram
from .feature_extraction import SpectrogramScaler as SpectrogramScaler
from .model_selection import StratifiedGroupShuffleSplit as StratifiedGroupShuffleSplit
from .model_selection import cross_validate_by_speaker as cross_validate_by_speaker
from .recipes import make_speech_pipeline as make_speech_pipeline

__version__: str
