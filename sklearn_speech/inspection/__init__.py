"""Displays of speech, networks and scores, with scikit-learn's display interface.

Matplotlib is imported only when something is drawn. For confusion matrices of labels, use
:class:`sklearn.metrics.ConfusionMatrixDisplay`; for those of phones, which may be inserted or
deleted, use :class:`PhoneConfusionDisplay`.
"""

from ._class_report_display import ClassReportDisplay
from ._det_curve_by_rate_display import DetCurveByRateDisplay
from ._detection_display import DetectionDisplay
from ._filterbank_display import FilterbankDisplay
from ._fourier_kernel_display import FourierKernelDisplay
from ._learning_curve_by_speaker_display import LearningCurveBySpeakerDisplay
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
    "DetCurveByRateDisplay",
    "DetectionDisplay",
    "FilterbankDisplay",
    "FourierKernelDisplay",
    "LearningCurveBySpeakerDisplay",
    "PhoneConfusionDisplay",
    "PosteriorgramDisplay",
    "ReconstructionDisplay",
    "SpeakerPredictionErrorDisplay",
    "SpeakerScoresDisplay",
    "SpectrogramDisplay",
    "TrainingCurveDisplay",
    "WaveformDisplay",
]
