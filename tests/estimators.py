"""Every public estimator, cheap to fit: what ``test_common`` holds scikit-learn's checks to.

An estimator stands in one of two lists; a test walks the package and fails when one is missing.
"""

import importlib.util

import numpy as np
import soundfile
import torch
from optuna.distributions import FloatDistribution
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_speech.audio import AudioReader, PadOrTrim
from sklearn_speech.augmentation import Gain
from sklearn_speech.classification import (
    AugmentedClassifier,
    BCResNetClassifier,
    PrototypeClassifier,
    SpectrogramCNNClassifier,
    SpectrogramLinearClassifier,
    WaveformCNNClassifier,
    WaveformMLPClassifier,
)
from sklearn_speech.detection import SlidingWindow
from sklearn_speech.feature_extraction import (
    MFCC,
    MelSpectrogram,
    PitchContour,
    Spectrogram,
    SpectrogramScaler,
    SpeechEmbedding,
    TemporalPooling,
)
from sklearn_speech.model_selection import OptunaSearchCV
from sklearn_speech.pretraining import ConvAutoencoder
from sklearn_speech.recognition import PhonemeRecognizer
from sklearn_speech.regression import (
    BCResNetRegressor,
    SpectrogramCNNRegressor,
    SpectrogramLinearRegressor,
    WaveformCNNRegressor,
)
from sklearn_speech.store import ClipStore
from sklearn_speech.utils.validation import make_ragged

#: What makes a network cheap and exactly repeatable.
QUICK = {"max_epochs": 12, "lr": 0.02, "batch_size": 32, "device": "cpu", "random_state": 0}


class BlockExtremes(torch.nn.Module):
    """Least and largest sample of blocks of 4 samples: an encoder without weights.

    Scikit-learn compares parameters by joblib's hash, which tells copies of a tensor apart.
    """

    def forward(self, waveforms):
        blocks = waveforms.unfold(1, 4, 4)
        return torch.stack([blocks.amin(dim=2), blocks.amax(dim=2)], dim=1)


#: Estimators that take 2-D numbers, so that every check of scikit-learn applies.
ESTIMATORS = [
    AugmentedClassifier(LogisticRegression(), [Gain((-3.0, -3.0))], n_copies=2, random_state=0),
    BCResNetClassifier(**{**QUICK, "max_epochs": 5, "lr": 0.03}),
    # a step of its many layers takes hardly longer for 100 clips than for 32
    BCResNetRegressor(dropout=0.0, **{**QUICK, "batch_size": 100, "max_epochs": 25, "lr": 0.05}),
    ClipStore(),
    ConvAutoencoder(n_layers=2, n_filters=4, **{**QUICK, "max_epochs": 3}),
    MFCC(),
    MelSpectrogram(),
    OptunaSearchCV(
        LogisticRegression(),
        {"C": FloatDistribution(0.1, 10, log=True)},
        n_trials=2,
        cv=2,
        random_state=0,
        error_score="raise",
    ),
    PadOrTrim(),
    PitchContour(),
    PrototypeClassifier(),
    Spectrogram(),
    SpectrogramCNNClassifier(n_layers=2, n_filters=8, **QUICK),
    SpectrogramCNNRegressor(n_layers=2, n_filters=8, **QUICK),
    SpectrogramLinearClassifier(**{**QUICK, "max_epochs": 30, "lr": 0.05}),
    SpectrogramLinearRegressor(**{**QUICK, "max_epochs": 30, "lr": 0.05}),
    SpectrogramScaler(),
    SpeechEmbedding(encoder=BlockExtremes(), hop_length=4),
    TemporalPooling(),
    WaveformCNNClassifier(n_layers=1, n_filters=8, first_kernel_size=8, **QUICK),
    WaveformCNNRegressor(n_layers=1, n_filters=8, first_kernel_size=8, **QUICK),
    WaveformMLPClassifier(hidden_units=16, **{**QUICK, "batch_size": 8}),
]
if importlib.util.find_spec("livekit") is not None:
    ESTIMATORS.append(SpeechEmbedding())
if importlib.util.find_spec("moonshine_voice") is not None:
    ESTIMATORS.append(SpeechEmbedding(encoder="moonshine", layer=1))


def sound_files(folder):
    """Paths of three short sound files, written to `folder`."""
    paths = [str(folder / f"{i}.wav") for i in range(3)]
    for i, path in enumerate(paths):
        soundfile.write(path, 0.1 * np.sin(np.arange(400 + 100 * i) * (0.1 + 0.1 * i)), 8000)
    return paths


def phone_clips():
    """Spectrograms of differing lengths, and what is said in them."""
    rng = np.random.default_rng(0)
    X = make_ragged(rng.normal(size=(5, n)) for n in (9, 14, 20, 9, 12))
    return X, [["s", "ih"], ["ow"], ["s", "ow", "ow"], [], ["ih"]]


def words_and_recordings():
    """Clips of two words, long enough to be recordings too."""
    rng = np.random.default_rng(0)
    X = [0.01 * rng.normal(size=n).astype(np.float32) for n in (900, 1000, 1100, 1200)]
    for clip, step in zip(X, (0.2, 0.6, 0.2, 0.6)):
        clip += np.sin(step * np.arange(len(clip))).astype(np.float32)
    return make_ragged(X), ["low", "high", "low", "high"]


#: Estimators that by nature take no 2-D numbers: why, and what they take instead, as
#: ``(estimator, reason, make_input)`` with ``make_input(folder)`` giving ``(X, y)``.
TAKES_NO_NUMBERS = [
    (
        AudioReader(sample_rate=8000),
        "reads paths of sound files; scikit-learn's checks feed arrays of numbers",
        lambda folder: (sound_files(folder), None),
    ),
    (
        PhonemeRecognizer(
            hidden_units=4, n_filters=4, **{**QUICK, "max_epochs": 2, "batch_size": 4}
        ),
        "learns sequences of phones; scikit-learn's checks have one label a clip",
        lambda folder: phone_clips(),
    ),
    (
        SlidingWindow(
            make_pipeline(
                MelSpectrogram(8000),
                TemporalPooling(),
                StandardScaler(),
                LogisticRegression(),
            ),
            duration=0.1,
            step=0.02,
        ),
        "slides over recordings; scikit-learn's checks feed rows of a few numbers",
        lambda folder: words_and_recordings(),
    ),
]
