"""This library's systems for whole utterances, such as emotions."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sklearn.base import BaseEstimator, clone
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.preprocessing import StandardScaler

from ..augmentation import SpeedPerturb
from ..feature_extraction import (
    MFCC,
    MelSpectrogram,
    PitchContour,
    SpeechEmbedding,
    TemporalPooling,
)
from ..modules.pitch_tracker import PitchTracker
from ..modules.speech_embedding import N_LAYERS, SpeechEmbeddingNet
from ..modules.voice_encoder import VoiceEncoderNet
from ..utils.random import WithoutInitialWeights
from ..utils.values import samples_of
from ._catalogue import recipe
from ._steps import clips, in_samples, pipeline, with_copies
from ._values import STATISTICS, check_at_most, layers_of_embedding, names_of_statistics

#: Name, front end, number of its bands, and variance of all its features together.
_Front = tuple[str, BaseEstimator, int, float]


def _spectral(sample_rate: float, n_mels: int, n_mfcc: int, n_fine_mfcc: int) -> list[_Front]:
    """Mel bands, cepstra of short windows, cepstra of long windows, and the pitch.

    Windows of 64 ms separate the harmonics of a voice, so that the higher of many coefficients
    depend on its pitch.
    """
    fine = MFCC(
        sample_rate=sample_rate,
        n_fft=samples_of(0.064, sample_rate),
        hop_length=samples_of(0.01, sample_rate),
        n_mels=100,
        n_mfcc=n_fine_mfcc,
    )
    coarse = MFCC(sample_rate=sample_rate, n_mfcc=n_mfcc, deltas=2)
    for name, mfcc in (("n_mfcc", coarse), ("n_fine_mfcc", fine)):
        check_at_most(name, mfcc.n_mfcc, mfcc.n_mels, "the number of mel bands of these MFCC")
    return [
        ("mel", MelSpectrogram(sample_rate=sample_rate, n_mels=n_mels), n_mels, 1.0),
        ("mfcc", coarse, 3 * n_mfcc, 1.0),
        ("fine_mfcc", fine, n_fine_mfcc, 1.0),
        ("pitch", PitchContour(sample_rate=sample_rate), PitchTracker.n_bands, 0.5),
    ]


@lru_cache(maxsize=1)
def _layer_sizes() -> dict[int, int]:
    """Sizes of the vectors of the layers of the speech embedding."""
    with WithoutInitialWeights():
        net = SpeechEmbeddingNet()
    return {layer: net.sizes(layer)[0] for layer in range(1, N_LAYERS + 1)}


def _embedded(sample_rate: float, layers: Sequence[int]) -> list[_Front]:
    """Layers of the speech embedding."""
    layers = layers_of_embedding(layers, may_be_empty=True)
    return [
        (
            f"layer{layer}",
            SpeechEmbedding(sample_rate=sample_rate, layer=layer),
            _layer_sizes()[layer],
            1.0,
        )
        for layer in layers
    ]


def _voices(sample_rate: float) -> list[_Front]:
    """The second layer of the voice encoder."""
    voices = SpeechEmbedding(sample_rate=sample_rate, encoder="resemblyzer", layer=2)
    return [("voices", voices, VoiceEncoderNet.n_bands, 5.0)]


def _classified(
    fronts: list[_Front],
    statistics: Sequence[str],
    n_segments: int,
    C: float,
    max_iter: int,
    random_state: Any,
) -> Pipeline:
    """A logistic regression on statistics of the front ends in parts of the utterance.

    Weights give each front end its variance, whatever its number of features.
    """
    statistics = names_of_statistics(statistics)
    n_statistics = len(statistics)
    pooling = TemporalPooling(statistics, n_segments=n_segments)
    tables = [
        (name, pipeline(front, clone(pooling), StandardScaler())) for name, front, _, _ in fronts
    ]
    weights = {
        name: (variance / (n_bands * n_statistics * n_segments)) ** 0.5
        for name, _, n_bands, variance in fronts
    }
    return pipeline(
        FeatureUnion(tables, transformer_weights=weights),
        LogisticRegression(C=C, max_iter=max_iter, random_state=random_state),
    )


@recipe(
    "best-utterance",
    source="own",
    task="emotions and other whole utterances",
    input="samples of any length, as statistics of log-mel bands, of MFCC of short and long "
    "windows, and of the pitch, in parts of the utterance",
    published="",
    corrected="",
)
def _best_utterance(
    sample_rate=16000, duration=None, n_mels=40, n_mfcc=20, n_fine_mfcc=60, n_segments=3,
    statistics=STATISTICS, C=1.0, max_iter=1000, random_state=None, reads="paths",
):  # fmt: skip
    fronts = _spectral(sample_rate, n_mels, n_mfcc, n_fine_mfcc)
    system = _classified(fronts, statistics, n_segments, C, max_iter, random_state)
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        [step for _, step in system.steps],
    )


@recipe(
    "best-utterance-pretrained",
    source="own",
    task="emotions and other whole utterances",
    input="samples of any length, as statistics of log-mel bands, of MFCC of short and long "
    "windows, of the pitch, and of layers of a pretrained speech embedding, in parts of the "
    "utterance",
    published="",
    corrected="",
)
def _best_utterance_pretrained(
    sample_rate=16000, duration=None, n_mels=40, n_mfcc=20, n_fine_mfcc=60, layers=(20, 15, 13),
    voice_encoder=False, n_segments=3, statistics=STATISTICS, C=2.0, max_iter=1000,
    n_copies=0, random_state=None, reads="paths",
):  # fmt: skip
    fronts = _spectral(sample_rate, n_mels, n_mfcc, n_fine_mfcc) + _embedded(sample_rate, layers)
    rest = statistics, n_segments, C, max_iter, random_state
    system = _classified(fronts, *rest)
    steps = [step for _, step in system.steps]
    if voice_encoder:
        voters = [("spectra", system), ("voices", _classified(_voices(sample_rate), *rest))]
        steps = [VotingClassifier(voters, voting="soft")]
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        with_copies(steps, [SpeedPerturb((0.85, 1.18))], n_copies, random_state),
    )
