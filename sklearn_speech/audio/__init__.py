"""From sound files to waveforms of one sampling rate and one length."""

from ._audio_reader import AudioReader
from ._audio_segment import AudioSegment
from ._check_audio_files import AudioFileReport, check_audio_files
from ._pad_or_trim import PadOrTrim

__all__ = ["AudioFileReport", "AudioReader", "AudioSegment", "PadOrTrim", "check_audio_files"]
