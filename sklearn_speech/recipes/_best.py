"""This library's own settings for isolated words of speakers never heard before."""

from functools import partial

from sklearn.ensemble import VotingClassifier

from ..classification import SpectrogramCNNClassifier
from ..feature_extraction import MelSpectrogram
from ..modules.augmentations import (
    FrameShift,
    NoiseFloor,
    RandomEqualizer,
    TimeStretch,
    VocalTractWarp,
)
from ._catalogue import clips, in_samples, pipeline, recipe

#: Sizes of a network that convolves every band and frame; the default skips every second.
FINE = {"n_filters": [24, 48, 96, 96], "kernel_size": 3, "stride": 1, "pool_size": 2}


def augmentations(sample_rate):
    """Other tempo, vocal tract, microphone, position and noise."""
    return [
        TimeStretch(factor=(0.75, 1.3)),
        VocalTractWarp(sample_rate=sample_rate, factor=(0.85, 1.18)),
        RandomEqualizer(max_db=6),
        FrameShift(),
        NoiseFloor(depth_db=(40, 80), p=0.8),
    ]


#: A front end that is trained with the network, so slowly that it stays near where it began.
TRAINED = {"train_frontend": "both", "frontend_lr": 1e-4}

#: Ways to see a word: settings of the front end, and of the network.
EMPHASIS = {"preemphasis": 0.97}, {}
BAND = {"top_db": 50}, {"input_norm": "band"}
VIEWS_OF_SAMPLES = {
    "fine_emphasis": (EMPHASIS[0], EMPHASIS[1] | FINE | TRAINED),
    "fine_band": (BAND[0], BAND[1] | FINE | TRAINED),
}


def _vote(
    views, /, sample_rate=8000, duration=1.0, n_mels=40, max_epochs=16, n_jobs=None,
    random_state=None, reads="paths",
):  # fmt: skip
    """Networks that see words in different ways, by name; their probabilities are averaged."""
    members = [
        (
            name,
            SpectrogramCNNClassifier(
                frontend=MelSpectrogram(sample_rate=sample_rate, n_mels=n_mels, **frontend),
                max_epochs=max_epochs,
                augment=augmentations(sample_rate),
                random_state=random_state,
                **settings,
            ),
        )
        for name, (frontend, settings) in views.items()
    ]
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        VotingClassifier(members, voting="soft", n_jobs=n_jobs),
    )


recipe(
    "best",
    source="own",
    task="isolated words",
    input="samples, seen as log-mel spectrograms of 40 bands, fixed and trained",
    published="",
    corrected="",
)(partial(_vote, {"emphasis": EMPHASIS, "band": BAND, **VIEWS_OF_SAMPLES}))

recipe(
    "best-waveform",
    source="own",
    task="isolated words",
    input="samples; Fourier and mel weights are trained with the network",
    published="",
    corrected="",
)(partial(_vote, VIEWS_OF_SAMPLES))
