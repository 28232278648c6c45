"""Every public estimator as a tiny fitted pipeline that takes waveforms."""

import warnings
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from unittest.mock import patch

import numpy as np
import torch
from sklearn.base import clone, is_regressor
from sklearn.pipeline import make_pipeline

from sklearn_speech import (
    MFCC,
    MelSpectrogram,
    PadOrTrim,
    SpectrogramCNNClassifier,
    SpectrogramLinearClassifier,
    SpectrogramScaler,
    SpeechEmbedding,
    TemporalPooling,
    load_onnx,
    to_onnx,
)
from sklearn_speech.export._exporting import export
from tests.estimators import ESTIMATORS, TAKES_NO_NUMBERS

RATE = 8000
N_TIMES = 600

#: Estimators that cannot be exported alone, and what the error says.
NOT_EXPORTABLE = {
    "AudioReader": "an AudioReader alone cannot be exported",
    "SlidingWindow": "the estimator is a SlidingWindow, which cannot.* its fitted estimator_",
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
]


def front_end(**parameters):
    return MelSpectrogram(sample_rate=RATE, n_fft=64, hop_length=32, n_mels=8, **parameters)


class FilterLevels(torch.nn.Module):
    """Levels of eight filters of noise, which torch's exporter writes in half the time."""

    def __init__(self):
        super().__init__()
        kernel = np.random.default_rng(0).normal(size=(8, 1, 64)).astype(np.float32)
        self.register_buffer("kernel", torch.from_numpy(kernel))

    def forward(self, waveforms):
        filtered = torch.nn.functional.conv1d(waveforms.unsqueeze(1), self.kernel, stride=32)
        return (filtered.square() + 1e-3).log()


def quick_front_end():
    """A front end of few operators, for files in which the steps behind it matter."""
    sizes = {"encoder_sample_rate": RATE, "window_length": 64, "hop_length": 32}
    return SpeechEmbedding(encoder=FilterLevels(), sample_rate=RATE, **sizes)


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
        return estimator.set_params(frontend=cepstra(), max_epochs=15)
    if isinstance(estimator, SpectrogramLinearClassifier):
        return make_pipeline(
            PadOrTrim(N_TIMES, align="center"),
            quick_front_end(),
            PadOrTrim(25, pad_value="min", align="center"),
            estimator,
        )
    if isinstance(estimator, SpeechEmbedding) and estimator.encoder is None:
        # of one length: lengths through its many layers keep torch's exporter busy for 20 seconds
        return make_pipeline(PadOrTrim(N_TIMES), estimator)
    takes_spectrograms = getattr(estimator, "reads", "waveform") == "spectrogram"
    if takes_spectrograms or isinstance(estimator, (SpectrogramScaler, TemporalPooling)):
        return make_pipeline(quick_front_end(), estimator)
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


def cepstra():
    """A front end with all steps from framing to derivatives."""
    return MFCC(RATE, n_fft=64, hop_length=32, n_mels=8, n_mfcc=4, deltas=1)


def noise_and_tones():
    """Clips of two kinds that a small network can tell apart, and their labels."""
    X = waveforms(40)
    X[1::2] += 0.05 * np.sin(0.5 * np.arange(N_TIMES))
    return X, np.array(["no", "yes"] * 20)


@cache
def fitted(name):
    """A fitted pipeline of the registry."""
    pipeline = as_pipeline(all_estimators()[name])
    X, y = waveforms(), targets(pipeline)
    if name == "SpectrogramCNNClassifier":
        X, y = noise_and_tones()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of networks that learned too little
        return pipeline.fit(X, y)


_TRACES = {}


@cache
def exported(name):
    """A fitted pipeline of the registry, the path of its file, and the model in the file."""
    pipeline = fitted(name)
    path = Path(mkdtemp()) / "model.onnx"

    def traced(*args, **options):
        _TRACES[name] = export(*args, **options)
        return deepcopy(_TRACES[name])

    with patch("sklearn_speech.export._to_onnx.export", traced):
        to_onnx(pipeline, path, sample_rate=RATE)
    return pipeline, path, load_onnx(path)


def traced_before(name):
    """In this context ``to_onnx`` traces nothing, which takes seconds: it uses what ``exported``
    traced."""
    exported(name)
    again = lambda *args, **options: deepcopy(_TRACES[name])  # noqa: E731
    return patch("sklearn_speech.export._to_onnx.export", again)
