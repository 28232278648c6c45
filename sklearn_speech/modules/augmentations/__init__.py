"""Random changes of training clips, drawn on the batch's device.

Those on spectrograms expect a logarithmic scaling.
"""

from sklearn_speech.modules.augmentations.add_noise import AddNoise
from sklearn_speech.modules.augmentations.augmentation import Augmentation
from sklearn_speech.modules.augmentations.background_noise import BackgroundNoise
from sklearn_speech.modules.augmentations.frame_shift import FrameShift
from sklearn_speech.modules.augmentations.gain import Gain
from sklearn_speech.modules.augmentations.mixup import Mixup
from sklearn_speech.modules.augmentations.pitch_shift import PitchShift
from sklearn_speech.modules.augmentations.random_equalizer import RandomEqualizer
from sklearn_speech.modules.augmentations.room_reverb import RoomReverb
from sklearn_speech.modules.augmentations.spec_augment import SpecAugment
from sklearn_speech.modules.augmentations.speed_perturb import SpeedPerturb
from sklearn_speech.modules.augmentations.time_shift import TimeShift
from sklearn_speech.modules.augmentations.time_stretch import TimeStretch
from sklearn_speech.modules.augmentations.vocal_tract_warp import VocalTractWarp

__all__ = [
    "AddNoise",
    "Augmentation",
    "BackgroundNoise",
    "FrameShift",
    "Gain",
    "Mixup",
    "PitchShift",
    "RandomEqualizer",
    "RoomReverb",
    "SpecAugment",
    "SpeedPerturb",
    "TimeShift",
    "TimeStretch",
    "VocalTractWarp",
]
