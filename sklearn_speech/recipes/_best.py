"""This library's best systems for isolated words of new speakers."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from sklearn.ensemble import VotingClassifier

from ..augmentation import (
    Augmentation,
    FrameShift,
    FreqMixStyle,
    NoiseFloor,
    RandomEqualizer,
    RandomTrim,
    TimeStretch,
    VocalTractWarp,
)
from ..classification import SpectrogramCNNClassifier
from ..feature_extraction import MelSpectrogram, TrainableFrontEnd
from ._catalogue import recipe
from ._steps import clips, in_samples, pipeline

#: Network sizes with stride 1. The default network has stride 2.
FOUR = {"n_filters": [24, 48, 96, 96], "kernel_size": 3, "stride": 1, "pool_size": 2}

#: The same, but with more bands in the last layer, and no averaging over bands.
BY_BAND = FOUR | {"pool_size": [2, 2, 2, (1, 2)], "head": "bands"}

#: Settings of the front end.
LEVEL = {"preemphasis": 0.97}
BAND = {"top_db": 50}

#: A front end trained with the network, at a low learning rate to stay near its initial state.
SLOW = {"train": "both", "lr": 1e-4}


def augmentations(
    sample_rate: float, trim_and_mix: bool, depth_db: tuple[float, float] = (20, 70)
) -> list[Augmentation]:
    """Vary tempo, vocal tract, microphone, position and noise; optionally trim and mix styles."""
    return [
        *([RandomTrim(p=0.5), FreqMixStyle()] if trim_and_mix else []),
        TimeStretch(factor=(0.75, 1.3)),
        VocalTractWarp(sample_rate=sample_rate, factor=(0.85, 1.18)),
        RandomEqualizer(max_db=6),
        FrameShift(),
        NoiseFloor(depth_db=depth_db, p=0.8),
    ]


def training(sample_rate: float) -> dict[str, Any]:
    """Training parameters of both networks of ``best``, except the number of epochs."""
    return {
        "augment": augmentations(sample_rate, trim_and_mix=True),
        "label_smoothing": 0.1,
        "lr_schedule": "swa",
        "batch_size": 32,  # small, so that small training sets have enough steps
    }


def networks(
    members: Mapping[str, tuple[Any, Any]],
    sample_rate: float,
    n_mels: int,
    max_epochs: int,
    random_state: Any,
    trained: dict[str, Any] | None = None,
) -> list[tuple[str, SpectrogramCNNClassifier]]:
    """Networks by name, with different front ends or sizes."""
    made = []
    for name, (front, settings) in members.items():
        frontend = MelSpectrogram(sample_rate=sample_rate, n_mels=n_mels, **front)
        network = SpectrogramCNNClassifier(
            frontend=frontend if trained is None else TrainableFrontEnd(frontend, **trained),
            max_epochs=max_epochs,
            random_state=random_state,
            **deepcopy(settings),  # a user may change the lists
        )
        made.append((name, network))
    return made


def best_networks(
    sample_rate: float, n_mels: int, max_epochs: int, random_state: Any
) -> list[tuple[str, SpectrogramCNNClassifier]]:
    """The two networks of ``best``."""
    settings = training(sample_rate)
    members = {"whole": (LEVEL, settings | FOUR), "by_band": (LEVEL, settings | BY_BAND)}
    return networks(members, sample_rate, n_mels, max_epochs, random_state)


@recipe(
    "best",
    source="own",
    task="isolated words",
    input="1 s of samples, longer words are trimmed; as log-mel spectrograms of 40 bands",
    published="",
    corrected="",
)
def _best(
    sample_rate=8000, duration=1.0, n_mels=40, max_epochs=24, n_jobs=None, random_state=None,
    reads="paths",
):  # fmt: skip
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        VotingClassifier(
            best_networks(sample_rate, n_mels, max_epochs, random_state),
            voting="soft",
            n_jobs=n_jobs,
        ),
    )


@recipe(
    "best-waveform",
    source="own",
    task="isolated words",
    input="1 s of samples, longer words are trimmed; Fourier and mel weights are trained",
    published="",
    corrected="",
)
def _best_waveform(
    sample_rate=8000, duration=1.0, n_mels=40, max_epochs=16, n_jobs=None, random_state=None,
    reads="paths",
):  # fmt: skip
    quiet = augmentations(sample_rate, trim_and_mix=False, depth_db=(40, 80))
    settings = {"augment": quiet, **FOUR}
    members = {
        "fine_emphasis": (LEVEL, settings),
        "fine_band": (BAND, settings | {"input_norm": "band"}),
    }
    voters = networks(members, sample_rate, n_mels, max_epochs, random_state, SLOW)
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        VotingClassifier(voters, voting="soft", n_jobs=n_jobs),
    )
