"""This library's system on pretrained speech embeddings."""

from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from ..feature_extraction import SpeechEmbedding, TemporalPooling
from ._catalogue import recipe
from ._steps import clips, in_samples, pipeline


@recipe(
    "best-pretrained",
    source="own",
    task="isolated words",
    input="samples of any length, as pretrained speech embeddings",
    published="",
    corrected="",
)
def _best_pretrained(
    sample_rate=16000, duration=None, statistics=("mean", "std", "min", "max"), C=0.01,
    max_iter=300, random_state=None, reads="paths",
):  # fmt: skip
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        SpeechEmbedding(sample_rate=sample_rate),
        TemporalPooling(statistics),
        StandardScaler(),
        LogisticRegression(C=C, max_iter=max_iter, random_state=random_state),
    )
