"""This library's systems on pretrained speech embeddings."""

from collections.abc import Sequence
from typing import Any

from sklearn.base import BaseEstimator
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import StandardScaler

from ..audio import PadOrTrim
from ..augmentation import AddNoise, SpeedPerturb
from ..classification import SpectrogramCNNClassifier
from ..feature_extraction import SpeechEmbedding, TemporalPooling, TrainableFrontEnd
from ._best import best_networks
from ._catalogue import recipe
from ._steps import clips, in_samples, pipeline, with_copies
from ._values import STATISTICS, layers_of_embedding, names_of_statistics, weights_of_voters

#: The last layer of the speech embedding, and the one before, which sees shorter parts of a word.
_LAYERS = (20, 19)


def embedding_table(
    sample_rate: float, layers: Sequence[int], statistics: Sequence[str], recognizer: bool
) -> BaseEstimator:
    """Statistics over time of layers of the speech embedding, and of a recogniser, side by side."""
    embeddings = [SpeechEmbedding(sample_rate, layer=layer) for layer in layers]
    if recognizer:  # the first one: where its package is missing, nothing is computed in vain
        embeddings.insert(0, SpeechEmbedding(sample_rate, encoder="moonshine"))
    tables = [make_pipeline(one, TemporalPooling(statistics)) for one in embeddings]
    return tables[0] if len(tables) == 1 else make_union(*tables)


def _logistic_regression(
    sample_rate: float,
    layers: Sequence[int],
    statistics: Sequence[str],
    recognizer: bool,
    C: float,
    max_iter: int,
    n_copies: int,
    random_state: Any,
) -> Sequence[BaseEstimator]:
    layers, statistics = layers_of_embedding(layers), names_of_statistics(statistics)
    steps = [
        embedding_table(sample_rate, layers, statistics, recognizer),
        StandardScaler(),
        LogisticRegression(C=C, max_iter=max_iter, random_state=random_state),
    ]
    changes = [SpeedPerturb((0.85, 1.18)), AddNoise((5.0, 25.0))]
    return with_copies(steps, changes, n_copies, random_state)


@recipe(
    "best-pretrained",
    source="own",
    task="isolated words",
    input="samples of any length, as pretrained speech embeddings",
    published="",
    corrected="",
)
def _best_pretrained(
    sample_rate=16000, duration=None, layers=_LAYERS, statistics=STATISTICS, recognizer=False,
    C=0.03, max_iter=300, n_copies=0, random_state=None, reads="paths",
):  # fmt: skip
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        _logistic_regression(
            sample_rate, layers, statistics, recognizer, C, max_iter, n_copies, random_state
        ),
    )


@recipe(
    "best-finetuned",
    source="own",
    task="isolated words",
    input="samples of any length; the last layers of a pretrained speech embedding are trained",
    published="",
    corrected="",
)
def _best_finetuned(
    sample_rate=16000, duration=None, n_trained=1, lr=0.001, max_epochs=40, random_state=None,
    reads="paths",
):  # fmt: skip
    embedding = SpeechEmbedding(sample_rate=sample_rate)
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        SpectrogramCNNClassifier(
            n_layers=0,
            frontend=TrainableFrontEnd(embedding, train=n_trained),
            head="bands",
            input_norm="batch",
            head_dropout=0.3,
            lr=lr,
            max_epochs=max_epochs,
            batch_size=32,
            random_state=random_state,
        ),
    )


@recipe(
    "best-vote",
    source="own",
    task="isolated words",
    input="samples of any length, as pretrained speech embeddings and states of the encoder of a "
    "speech recogniser; 1 s of samples, as log-mel spectrograms of 40 bands",
    published="",
    corrected="",
)
def _best_vote(
    sample_rate=16000, duration=1.0, n_mels=40, layers=_LAYERS, recognizer=True, C=0.03,
    max_epochs=24, n_copies=0, weights=(2, 1, 1), n_jobs=None, random_state=None, reads="paths",
):  # fmt: skip
    pretrained = _logistic_regression(
        sample_rate, layers, STATISTICS, recognizer, C, 300, n_copies, random_state
    )
    n_times = in_samples(duration, sample_rate, None)
    cut = [] if n_times is None else [PadOrTrim(n_times=n_times)]
    networks = best_networks(sample_rate, n_mels, max_epochs, random_state)
    voters = [("pretrained", pipeline(pretrained))]
    voters += [(name, pipeline(cut, network)) for name, network in networks]
    return pipeline(
        clips(reads, sample_rate),
        VotingClassifier(
            voters,
            voting="soft",
            weights=weights_of_voters(weights, len(voters)),
            n_jobs=n_jobs,
        ),
    )
