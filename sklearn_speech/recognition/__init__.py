"""Recognition of phone sequences in speech of any length."""

from ._phoneme_recognizer import PhonemeRecognizer

__all__ = ["PhonemeRecognizer"]
