"""This library's systems for whole utterances, such as emotions."""

from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from ..feature_extraction import MFCC, MelSpectrogram, TemporalPooling
from ..utils.values import samples_of
from ._catalogue import recipe
from ._pretrained import embedding_table, voice_table
from ._steps import clips, in_samples, pipeline

_STATISTICS = ("mean", "std", "min", "max")


def _spectral_tables(
    sample_rate: float,
    n_mels: int,
    n_mfcc: int,
    n_fine_mfcc: int,
    statistics: Sequence[str],
    n_segments: int,
) -> list[BaseEstimator]:
    """Statistics of mel bands, of cepstra with derivatives, and of cepstra of long windows.

    Windows of 64 ms separate the harmonics of a voice, so that the higher of many coefficients
    depend on its pitch.
    """
    fronts = [
        MelSpectrogram(sample_rate=sample_rate, n_mels=n_mels),
        MFCC(sample_rate=sample_rate, n_mfcc=n_mfcc, deltas=2),
        MFCC(
            sample_rate=sample_rate,
            n_fft=samples_of(0.064, sample_rate),
            hop_length=samples_of(0.01, sample_rate),
            n_mels=100,
            n_mfcc=n_fine_mfcc,
        ),
    ]
    return [
        make_pipeline(front, TemporalPooling(statistics, n_segments=n_segments)) for front in fronts
    ]


def _logistic_regression(C: float, max_iter: int, random_state: Any) -> list[BaseEstimator]:
    return [
        StandardScaler(),
        LogisticRegression(C=C, max_iter=max_iter, random_state=random_state),
    ]


@recipe(
    "best-utterance",
    source="own",
    task="emotions and other whole utterances",
    input="samples of any length, as statistics of log-mel bands and of MFCC of short and long "
    "windows, in parts of the utterance",
    published="",
    corrected="",
)
def _best_utterance(
    sample_rate=16000, duration=None, n_mels=40, n_mfcc=20, n_fine_mfcc=60, n_segments=3,
    statistics=_STATISTICS, C=0.001, max_iter=1000, random_state=None, reads="paths",
):  # fmt: skip
    tables = _spectral_tables(sample_rate, n_mels, n_mfcc, n_fine_mfcc, statistics, n_segments)
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        make_union(*tables),
        _logistic_regression(C, max_iter, random_state),
    )


@recipe(
    "best-utterance-pretrained",
    source="own",
    task="emotions and other whole utterances",
    input="samples of any length, as statistics of log-mel bands, of MFCC of short and long "
    "windows, and of two layers of a pretrained speech embedding, in parts of the utterance",
    published="",
    corrected="",
)
def _best_utterance_pretrained(
    sample_rate=16000, duration=None, n_mels=40, n_mfcc=20, n_fine_mfcc=60, layers=(20, 13),
    voice_encoder=False, n_segments=3, statistics=_STATISTICS, C=0.003, max_iter=1000,
    random_state=None, reads="paths",
):  # fmt: skip
    tables = _spectral_tables(sample_rate, n_mels, n_mfcc, n_fine_mfcc, statistics, n_segments)
    tables.append(embedding_table(sample_rate, layers, statistics, n_segments))
    if voice_encoder:
        tables.append(voice_table(sample_rate, statistics, n_segments))
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        make_union(*tables),
        _logistic_regression(C, max_iter, random_state),
    )
