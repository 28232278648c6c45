"""Every public estimator as a tiny fitted pipeline that takes waveforms."""

import warnings
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from sklearn.base import clone, is_regressor
from sklearn.pipeline import make_pipeline

from sklearn_speech import (
    MFCC,
    MelSpectrogram,
    SpectrogramCNNClassifier,
    SpectrogramScaler,
    TemporalPooling,
    load_onnx,
    to_onnx,
)
from tests.estimators import ESTIMATORS, TAKES_NO_NUMBERS

RATE = 8000
N_TIMES = 600

#: Estimators that cannot be exported alone, and what the error says.
NOT_EXPORTABLE = {
    "AudioReader": "an AudioReader alone cannot be exported",
    "PrototypeClassifier": "the estimator is a PrototypeClassifier, which cannot be exported",
    "SlidingWindow": "the estimator is a SlidingWindow, which cannot be exported",
}

#: Estimators that stand for all with the same network or operators: torch's exporter takes
#: seconds for each. What is given to it is compared for every estimator.
WHOLE_FILES = [
    "BCResNetClassifier",
    "ConvAutoencoder",
    "PhonemeRecognizer",
    "SpectrogramCNNClassifier",
    "SpectrogramLinearClassifier",
    "SpeechEmbedding",
    "WaveformCNNRegressor",
    "WaveformMLPClassifier",
    "features",
]


def front_end(**parameters):
    return MelSpectrogram(sample_rate=RATE, n_fft=64, hop_length=32, n_mels=8, **parameters)


def waveforms(n_clips=8, n_times=N_TIMES, seed=0):
    """Noise that swells and fades, of two loudnesses."""
    rng = np.random.default_rng(seed)
    clips = rng.normal(scale=0.1, size=(n_clips, n_times)) * np.hanning(n_times)
    clips[::2] *= 0.1
    return clips.astype(np.float32)


def as_pipeline(estimator):
    """An unfitted estimator that takes waveforms."""
    estimator = clone(estimator)
    for name in {"n_layers", "n_conv_layers"} & set(estimator.get_params()):
        estimator.set_params(**{name: 1})
    if "max_epochs" in estimator.get_params():
        estimator.set_params(max_epochs=1)
    if "sample_rate" in estimator.get_params(deep=False):
        estimator.set_params(sample_rate=RATE)
    if isinstance(estimator, SpectrogramCNNClassifier):
        return estimator.set_params(frontend=front_end())
    takes_spectrograms = getattr(estimator, "reads", "waveform") == "spectrogram"
    if takes_spectrograms or isinstance(estimator, (SpectrogramScaler, TemporalPooling)):
        return make_pipeline(front_end(), estimator)
    return estimator


def targets(estimator, n_clips=8):
    if "PhonemeRecognizer" in repr(estimator):
        return [["s", "ih"], ["ow"]] * (n_clips // 2)
    if is_regressor(estimator):
        return np.linspace(100.0, 200.0, n_clips)
    return np.array(["no", "yes"] * (n_clips // 2))


def all_estimators():
    """Name and unfitted estimator of the whole registry."""
    found = {}
    for estimator in [*ESTIMATORS, *(entry[0] for entry in TAKES_NO_NUMBERS)]:
        name = type(estimator).__name__
        while name in found:
            name += "'"
        found[name] = estimator
    return found


def features():
    """Pooled cepstra: the operators of transformers in one file."""
    return make_pipeline(
        MFCC(RATE, n_fft=64, hop_length=32, n_mels=8, n_mfcc=4, deltas=1), TemporalPooling()
    )


@cache
def fitted(name):
    """A fitted pipeline of the registry."""
    unfitted = features() if name == "features" else all_estimators()[name]
    pipeline = as_pipeline(unfitted)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of networks that learned too little
        return pipeline.fit(waveforms(), targets(pipeline))


@cache
def exported(name):
    """A fitted pipeline of the registry, the path of its file, and the model in the file."""
    pipeline = fitted(name)
    path = Path(mkdtemp()) / "model.onnx"
    to_onnx(pipeline, path, sample_rate=RATE)
    return pipeline, path, load_onnx(path)
