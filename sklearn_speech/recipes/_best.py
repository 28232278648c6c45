"""This library's own settings for isolated words of speakers never heard before."""

from ..classification import SpectrogramCNNClassifier, WaveformCNNClassifier
from ..feature_extraction import MelSpectrogram
from ..modules.augmentations import (
    AddNoise,
    FrameShift,
    NoiseFloor,
    RandomEqualizer,
    SpeedPerturb,
    TimeShift,
    TimeStretch,
    VocalTractWarp,
)
from ._catalogue import clips, in_samples, pipeline, recipe


@recipe(
    "best",
    source="own",
    task="isolated words",
    input="log-mel spectrogram, 40 bands",
    published="",
    corrected="",
)
def _best(
    sample_rate=8000, duration=1.0, n_mels=40, max_epochs=16, random_state=None, reads="paths"
):
    classifier = SpectrogramCNNClassifier(
        max_epochs=max_epochs,
        augment=[
            TimeStretch(factor=(0.75, 1.3)),
            VocalTractWarp(sample_rate=sample_rate, factor=(0.85, 1.18)),
            RandomEqualizer(max_db=6),
            FrameShift(),
            NoiseFloor(depth_db=(40, 80), p=0.8),
        ],
        random_state=random_state,
    )
    return pipeline(
        clips(reads, sample_rate, in_samples(duration, sample_rate, None)),
        MelSpectrogram(sample_rate=sample_rate, n_mels=n_mels),
        classifier,
    )


@recipe(
    "best-waveform",
    source="own",
    task="isolated words",
    input="samples",
    published="",
    corrected="",
)
def _best_waveform(sample_rate=8000, duration=1.0, max_epochs=30, random_state=None, reads="paths"):
    classifier = WaveformCNNClassifier(
        max_epochs=max_epochs,
        augment=[
            SpeedPerturb(factor=(0.8, 1.25)),
            TimeShift(sample_rate=sample_rate),
            AddNoise(snr_db=(15.0, 40.0), p=0.8),
        ],
        random_state=random_state,
    )
    return pipeline(clips(reads, sample_rate, in_samples(duration, sample_rate, None)), classifier)
