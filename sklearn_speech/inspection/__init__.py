"""Displays of speech, networks and scores, in scikit-learn's manner.

Matplotlib is imported when something is drawn, not before. Confusion matrices of
labels are drawn by :class:`sklearn.metrics.ConfusionMatrixDisplay`, those of phones,
where some are added or left out, by :class:`PhoneConfusionDisplay`.
"""

from ._class_report_display import ClassReportDisplay
from ._filterbank_display import FilterbankDisplay
from ._fourier_kernel_display import FourierKernelDisplay
from ._phone_confusion_display import PhoneConfusionDisplay
from ._posteriorgram_display import PosteriorgramDisplay
from ._reconstruction_display import ReconstructionDisplay
from ._speaker_prediction_error_display import SpeakerPredictionErrorDisplay
from ._speaker_scores_display import SpeakerScoresDisplay
from ._spectrogram_display import SpectrogramDisplay
from ._training_curve_display import TrainingCurveDisplay
from ._waveform_display import WaveformDisplay

__all__ = [
    "ClassReportDisplay",
    "FilterbankDisplay",
    "FourierKernelDisplay",
    "PhoneConfusionDisplay",
    "PosteriorgramDisplay",
    "ReconstructionDisplay",
    "SpeakerPredictionErrorDisplay",
    "SpeakerScoresDisplay",
    "SpectrogramDisplay",
    "TrainingCurveDisplay",
    "WaveformDisplay",
]
