"""This library's systems for whole utterances, such as emotions."""

from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from ..feature_extraction import MFCC, MelSpectrogram, TemporalPooling
from ._catalogue import recipe
from ._pretrained import embedding_table
from ._steps import clips, in_samples, pipeline

_STATISTICS = ("mean", "std", "min", "max")


@recipe(
    "utterance",
    source="own",
    task="emotions and other whole utterances",
    input="samples of any length, as statistics of log-mel bands in parts of the utterance",
    published="",
    corrected="",
)
def _utterance(
    sample_rate=16000, duration=None, n_mels=40, n_segments=3, statistics=_STATISTICS, C=0.01,
    max_iter=1000, random_state=None, reads="paths",
):  # fmt: skip
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        MelSpectrogram(sample_rate=sample_rate, n_mels=n_mels),
        TemporalPooling(statistics, n_segments=n_segments),
        StandardScaler(),
        LogisticRegression(C=C, max_iter=max_iter, random_state=random_state),
    )


@recipe(
    "utterance-pretrained",
    source="own",
    task="emotions and other whole utterances",
    input="samples of any length, as statistics of log-mel bands, of MFCC with derivatives and "
    "of two layers of a pretrained speech embedding, in parts of the utterance",
    published="",
    corrected="",
)
def _utterance_pretrained(
    sample_rate=16000, duration=None, n_mels=40, n_mfcc=20, layers=(20, 13), n_segments=3,
    statistics=_STATISTICS, C=0.003, max_iter=1000, random_state=None, reads="paths",
):  # fmt: skip
    spectra = [
        MelSpectrogram(sample_rate=sample_rate, n_mels=n_mels),
        MFCC(sample_rate=sample_rate, n_mfcc=n_mfcc, deltas=2),
    ]
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        make_union(
            *(
                make_pipeline(front, TemporalPooling(statistics, n_segments=n_segments))
                for front in spectra
            ),
            embedding_table(sample_rate, layers, statistics, n_segments),
        ),
        StandardScaler(),
        LogisticRegression(C=C, max_iter=max_iter, random_state=random_state),
    )
