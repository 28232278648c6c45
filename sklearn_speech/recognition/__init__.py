"""Recognisers: speech of any length in, sequences of phones out."""

from ._phoneme_recognizer import PhonemeRecognizer

__all__ = ["PhonemeRecognizer"]
