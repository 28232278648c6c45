"""This library's own settings for isolated words of speakers never heard before."""

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


@recipe(
    "best",
    source="own",
    task="isolated words",
    input="samples, seen as log-mel spectrograms of 40 bands in two ways",
    published="",
    corrected="",
)
def _best(
    sample_rate=8000,
    duration=1.0,
    n_mels=40,
    max_epochs=16,
    n_jobs=None,
    random_state=None,
    reads="paths",
):
    def member(frontend, **settings):
        return SpectrogramCNNClassifier(
            frontend=MelSpectrogram(sample_rate=sample_rate, n_mels=n_mels, **frontend),
            max_epochs=max_epochs,
            augment=augmentations(sample_rate),
            random_state=random_state,
            **settings,
        )

    emphasis, shallow = {"preemphasis": 0.97}, {"top_db": 50}
    members = {
        "emphasis": member(emphasis),
        "band": member(shallow, input_norm="band"),
        "fine_emphasis": member(emphasis, **FINE),
        "fine_band": member(shallow, input_norm="band", **FINE),
    }
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        VotingClassifier(list(members.items()), voting="soft", n_jobs=n_jobs),
    )


@recipe(
    "best-waveform",
    source="own",
    task="isolated words",
    input="samples",
    published="",
    corrected="",
)
def _best_waveform(
    sample_rate=8000, duration=1.0, n_mels=40, max_epochs=16, random_state=None, reads="paths"
):
    classifier = SpectrogramCNNClassifier(
        frontend=MelSpectrogram(sample_rate=sample_rate, n_mels=n_mels, preemphasis=0.97),
        train_frontend="both",
        max_epochs=max_epochs,
        augment=augmentations(sample_rate),
        random_state=random_state,
        **FINE,
    )
    return pipeline(clips(reads, sample_rate, in_samples(duration, sample_rate, None)), classifier)
