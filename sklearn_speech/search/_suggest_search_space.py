"""Suggested search spaces for the estimators of a pipeline."""

from typing import Any

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from ..utils.parts import sample_rates


def suggest_search_space(pipeline: Any) -> dict[str, Any]:
    """Suggest a search space for the estimators of this library in a pipeline.

    The space covers what mattered most in our own trials: the resolution of the spectrograms,
    the size of the network, the learning rate, regularisation, augmentation and pretraining. It
    is a plain dict that you can edit: narrow ranges, delete entries, or add entries for other
    estimators.

    Parameters
    ----------
    pipeline : estimator instance
        A pipeline or a single estimator. Front ends and pretrainers inside a classifier are
        searched too.

    Returns
    -------
    space : dict of str
        For :class:`OptunaSearchCV`: for each parameter name, an Optuna distribution or a dict
        of choices by label.

    Raises
    ------
    ValueError
        If the pipeline contains no estimator of this library.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_speech.feature_extraction import MFCC
    >>> from sklearn_speech.model_selection import suggest_search_space
    >>> space = suggest_search_space(make_pipeline(MFCC(8000), LogisticRegression()))
    >>> sorted(space)
    ['mfcc__fmax', 'mfcc__fmin', 'mfcc__hop_length', 'mfcc__n_fft', 'mfcc__n_mels', 'mfcc__n_mfcc']
    >>> space["mfcc__n_fft"]
    CategoricalDistribution(choices=(256, 512))
    """
    space = _space_of(pipeline, next((rate for _, rate in sample_rates(pipeline)), None))
    if not space:
        raise ValueError(
            f"{type(pipeline).__name__} contains no estimator of sklearn_speech with parameters to "
            "search; write a dict of distributions yourself"
        )
    return space


def _space_of(estimator: Any, sample_rate: Any) -> dict[str, Any]:
    space: dict[str, Any] = {}
    if isinstance(estimator, Pipeline):
        parts = [(name, step) for name, step in estimator.steps if hasattr(step, "get_params")]
    else:
        for kind in type(estimator).__mro__:
            if kind.__module__.startswith("sklearn_speech.") and kind.__name__ in _SPACES:
                space |= _SPACES[kind.__name__](estimator, sample_rate)
                break
        own = estimator.get_params(deep=False)
        inside = ("frontend", "transformer", "pretrainer", "estimator")
        parts = [
            (n, own[n])
            for n in inside
            if hasattr(own.get(n), "get_params") and not isinstance(own[n], FrozenEstimator)
        ]
    for name, part in parts:
        inner = _space_of(part, sample_rate)
        if inner:
            space.pop(name, None)  # the parameters of the part are searched instead
        space |= {f"{name}__{parameter}": values for parameter, values in inner.items()}
    return space


def _spectrogram(step: Any, sample_rate: Any) -> dict[str, Any]:
    rate = step.sample_rate
    window = max(round(0.032 * rate), getattr(step, "win_length", None) or 0)
    n_fft = 1 << max(5, (window - 1).bit_length())  # a power of two that covers about 32 ms
    return {
        "n_fft": CategoricalDistribution([n_fft, 2 * n_fft]),
        "hop_length": CategoricalDistribution(
            [max(1, round(seconds * rate)) for seconds in (0.005, 0.01, 0.016)]
        ),
    }


def _mel(step: Any, sample_rate: Any) -> dict[str, Any]:
    rate = step.sample_rate
    return _spectrogram(step, sample_rate) | {
        "n_mels": IntDistribution(20, 60),
        "fmin": FloatDistribution(0.0, 150.0),
        "fmax": FloatDistribution(0.4 * rate, 0.5 * rate),
    }


def _mfcc(step: Any, sample_rate: Any) -> dict[str, Any]:
    return _mel(step, sample_rate) | {"n_mfcc": IntDistribution(10, 20)}


def _scaler(step: Any, sample_rate: Any) -> dict[str, Any]:
    return {"statistics": CategoricalDistribution(["band", "all"])}


def _pooling(step: Any, sample_rate: Any) -> dict[str, Any]:
    return {
        "statistics": {
            "mean": ("mean",),
            "mean std": ("mean", "std"),
            "mean std max": ("mean", "std", "max"),
            "mean std min max": ("mean", "std", "min", "max"),
        },
        "n_segments": IntDistribution(1, 3),
    }


def _embedding(step: Any, sample_rate: Any) -> dict[str, Any]:
    return {"center": CategoricalDistribution([True, False])}


def _pitch(step: Any, sample_rate: Any) -> dict[str, Any]:
    return {
        "fmin": FloatDistribution(50.0, 100.0, log=True),
        "fmax": FloatDistribution(300.0, 800.0, log=True),
    }


def _training(low: float, high: float) -> dict[str, Any]:
    return {
        "lr": FloatDistribution(low, high, log=True),
        "weight_decay": FloatDistribution(1e-4, 0.1, log=True),
        "batch_size": CategoricalDistribution([16, 32, 64]),
    }


def _on_spectrograms() -> dict[str, Any]:
    from ..augmentation import FrameShift, SpecAugment

    def masks(fraction: float) -> SpecAugment:
        return SpecAugment(max_time_fraction=fraction, max_frequency_fraction=fraction)

    return {
        "none": None,
        "weak": [masks(0.05)],
        "medium": [FrameShift(5), masks(0.1)],
        "strong": [FrameShift(10), masks(0.2)],
    }


def _on_waveforms(sample_rate: Any) -> dict[str, Any]:
    from ..augmentation import AddNoise, Gain, SpeedPerturb, TimeShift

    shifts = [] if sample_rate is None else [TimeShift(sample_rate)]
    return {
        "none": None,
        "weak": [*shifts, Gain()],
        "medium": [*shifts, Gain(), AddNoise((15.0, 35.0))],
        "strong": [*shifts, Gain(), SpeedPerturb(), AddNoise((5.0, 30.0))],
    }


def _augment(step: Any, sample_rate: Any) -> dict[str, Any]:
    reads = "waveform" if step.frontend is not None else step.reads
    return _on_spectrograms() if reads == "spectrogram" else _on_waveforms(sample_rate)


def _cnn(step: Any, sample_rate: Any) -> dict[str, Any]:
    space = {
        "n_layers": IntDistribution(2, 5),
        "n_filters": IntDistribution(16, 64, step=8),
        "kernel_size": CategoricalDistribution([3, 5]),
        "dropout": FloatDistribution(0.0, 0.5),
        "augment": _augment(step, sample_rate),
    } | _training(3e-4, 1e-2)
    if "pretrainer" in step.get_params(deep=False):
        from ..pretraining import ConvAutoencoder

        space["pretrainer"] = {"none": None, "autoencoder": ConvAutoencoder()}
    return space


def _bc_resnet(step: Any, sample_rate: Any) -> dict[str, Any]:
    return {
        "tau": CategoricalDistribution([1, 2, 3]),
        "dropout": FloatDistribution(0.0, 0.3),
        "augment": _augment(step, sample_rate),
    } | _training(1e-3, 3e-2)


def _linear(step: Any, sample_rate: Any) -> dict[str, Any]:
    return {
        "dropout": FloatDistribution(0.0, 0.7),
        "augment": _augment(step, sample_rate),
    } | _training(1e-3, 3e-2)


def _waveform_cnn(step: Any, sample_rate: Any) -> dict[str, Any]:
    return {
        "n_layers": IntDistribution(2, 5),
        "dropout": FloatDistribution(0.0, 0.5),
        "head_dropout": FloatDistribution(0.0, 0.5),
        "augment": _augment(step, sample_rate),
    } | _training(3e-4, 1e-2)


def _waveform_mlp(step: Any, sample_rate: Any) -> dict[str, Any]:
    return {
        "hidden_units": CategoricalDistribution([64, 128, 256, 512]),
        "dropout": FloatDistribution(0.0, 0.5),
        "augment": _augment(step, sample_rate),
    } | _training(1e-4, 3e-3)


def _recognizer(step: Any, sample_rate: Any) -> dict[str, Any]:
    return {
        "n_conv_layers": IntDistribution(1, 4),
        "n_filters": IntDistribution(16, 64, step=8),
        "hidden_units": CategoricalDistribution([32, 64, 128, 256]),
        "dropout": FloatDistribution(0.0, 0.5),
        "augment": _augment(step, sample_rate),
    } | _training(1e-3, 1e-2)


def _autoencoder(step: Any, sample_rate: Any) -> dict[str, Any]:
    return {
        "n_layers": IntDistribution(1, 3),
        "n_filters": IntDistribution(16, 64, step=8),
        "lr": FloatDistribution(3e-4, 1e-2, log=True),
    }


#: Search spaces by the name of the class, or of the class of parameters that the classifier and
#: the regressor of a network share.
_SPACES = {
    "Spectrogram": _spectrogram,
    "MelSpectrogram": _mel,
    "MFCC": _mfcc,
    "PitchContour": _pitch,
    "SpectrogramScaler": _scaler,
    "SpeechEmbedding": _embedding,
    "TemporalPooling": _pooling,
    "SpectrogramCNNParameters": _cnn,
    "BCResNetParameters": _bc_resnet,
    "SpectrogramLinearParameters": _linear,
    "WaveformCNNParameters": _waveform_cnn,
    "WaveformMLPClassifier": _waveform_mlp,
    "PhonemeRecognizer": _recognizer,
    "ConvAutoencoder": _autoencoder,
}
