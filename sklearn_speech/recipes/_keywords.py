"""Keywords with trainable front ends: a linear network and BC-ResNet.

The system of heungky/trainable-STFT-Mel.
"""

from typing import Any

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline

from ..classification import BCResNetClassifier, SpectrogramLinearClassifier
from ..feature_extraction import MelSpectrogram, TrainableFrontEnd
from ._catalogue import recipe
from ._steps import check_option, clips, in_samples, pipeline

#: Part of the front end that each setting trains.
SETTINGS = {"A": None, "B": "mel", "C": "stft", "D": "both"}

N_TIMES = 16_000

_INPUT = "log-mel spectrogram, 40 x 101, or 16,000 samples"

_CORRECTED = (
    "classes are balanced by weights in the loss, not by resampling clips; masked bins are "
    "removed from the same power spectrum in all settings; BC-ResNet accepts any number of bands; "
    "the decibels of fastaudio are computed from magnitudes, with a floor for each clip, not for "
    "the batch"
)

_TRAINING = {
    "optimizer": "sgd", "optimizer__momentum": 0.9, "lr": 0.001, "weight_decay": 0.001,
    "lr_schedule": "constant", "batch_size": 100,
}  # fmt: skip


def front_end(sample_rate: float, n_mels: int, filterbank: str) -> MelSpectrogram:
    """Make a front end with windows of 30 ms and a hop of 10 ms at 16 kHz.

    "nnaudio" applies Slaney's mel filters to power and takes ``log(mel + 1e-10)``;
    "fastaudio" applies symmetric triangular filters on the HTK scale to magnitudes, and
    converts to decibels.
    """
    check_option("filterbank", filterbank, ("nnaudio", "fastaudio"))
    common: dict[str, Any] = {
        "sample_rate": sample_rate, "n_fft": 480, "hop_length": 160, "pad_mode": "reflect",
        "n_mels": n_mels,
    }  # fmt: skip
    if filterbank == "nnaudio":
        return MelSpectrogram(scaling="log", log_offset=1e-10, **common)
    return MelSpectrogram(
        power=1.0, mel_scale="htk", norm=None, scaling="db", amin=1e-10, top_db=80.0, **common
    )


def with_front_end(
    make: type,
    first: list[BaseEstimator],
    sample_rate: float,
    setting: str,
    filterbank: str,
    n_mels: int,
    masked_bins: Any,
    random_mel: bool,
    **options: Any,
) -> Pipeline:
    """Make a pipeline with the front end as a step, or inside the network if it is trained.

    Parameters
    ----------
    make : type
        Class of the last step.
    first : list of transformers
        Steps before the front end.
    sample_rate : int
        In Hz.
    setting, filterbank, n_mels, masked_bins, random_mel
        See :func:`~sklearn_speech.recipes.make_recipe`.
    **options : dict
        Parameters of the last step.

    Returns
    -------
    pipeline : sklearn.pipeline.Pipeline
    """
    check_option("setting", setting, tuple(SETTINGS))
    if random_mel and (setting not in "BD" or filterbank != "nnaudio"):
        raise ValueError(
            f"random_mel=True needs trained mel filters, but setting={setting!r} and "
            f"filterbank={filterbank!r}; expected setting 'B' or 'D', and filterbank 'nnaudio'"
        )
    features = front_end(sample_rate, n_mels, filterbank)
    if setting == "A" and filterbank == "nnaudio" and masked_bins is None:
        return pipeline(first, features, make(**options))
    inside = TrainableFrontEnd(
        features,
        train=SETTINGS[setting],
        filterbank="free" if filterbank == "nnaudio" else "triangular",
        random_mel=random_mel,
        masked_bins=masked_bins,
    )
    return pipeline(first, make(frontend=inside, **options))


@recipe(
    "kws-linear",
    source="trainable",
    task="keywords",
    input=_INPUT,
    published=(
        "12 classes of v0.02, 40 bands: A about 0.31 (inferred), B 0.393, D 0.452 (event logs)"
    ),
    corrected=_CORRECTED,
)
def _kws_linear(
    sample_rate=16000, duration=None, setting="A", filterbank="nnaudio", n_mels=40,
    masked_bins=None, random_mel=False, input_norm=None, max_epochs=200, random_state=None,
    reads="paths",
):  # fmt: skip
    return with_front_end(
        SpectrogramLinearClassifier,
        clips(reads, sample_rate, in_samples(duration, sample_rate, N_TIMES)),
        sample_rate, setting, filterbank, n_mels, masked_bins, random_mel,
        input_norm=input_norm, class_weight="balanced", max_epochs=max_epochs,
        random_state=random_state, **_TRAINING,
    )  # fmt: skip


@recipe(
    "kws-bcresnet",
    source="trainable",
    task="keywords",
    input=_INPUT,
    published=(
        "no figure of this variant; paper: 0.969 on 12 classes of v0.02, with other training"
    ),
    corrected=_CORRECTED,
)
def _kws_bcresnet(
    sample_rate=16000, duration=None, setting="A", filterbank="nnaudio", n_mels=40,
    masked_bins=None, random_mel=False, input_norm=None, variant="reference", tau=1,
    max_epochs=200, random_state=None, reads="paths",
):  # fmt: skip
    return with_front_end(
        BCResNetClassifier,
        clips(reads, sample_rate, in_samples(duration, sample_rate, N_TIMES)),
        sample_rate, setting, filterbank, n_mels, masked_bins, random_mel,
        input_norm=input_norm, variant=variant, tau=tau, class_weight="balanced",
        max_epochs=max_epochs, random_state=random_state, **_TRAINING,
    )  # fmt: skip
