"""Displays of speech, networks and scores, in scikit-learn's manner.

Matplotlib is imported when something is drawn, not before. Confusion matrices, also
those of phones, are drawn by :class:`sklearn.metrics.ConfusionMatrixDisplay`.
"""

from ._class_report_display import ClassReportDisplay
from ._filterbank_display import FilterbankDisplay
from ._posteriorgram_display import PosteriorgramDisplay
from ._reconstruction_display import ReconstructionDisplay
from ._speaker_scores_display import SpeakerScoresDisplay
from ._spectrogram_display import SpectrogramDisplay
from ._training_curve_display import TrainingCurveDisplay
from ._waveform_display import WaveformDisplay

__all__ = [
    "ClassReportDisplay",
    "FilterbankDisplay",
    "PosteriorgramDisplay",
    "ReconstructionDisplay",
    "SpeakerScoresDisplay",
    "SpectrogramDisplay",
    "TrainingCurveDisplay",
    "WaveformDisplay",
]
