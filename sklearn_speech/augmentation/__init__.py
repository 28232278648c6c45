"""Random changes of training clips, computed on the device of the batch.

Augmentations of spectrograms expect a logarithmic scaling.
"""

from ._add_noise import AddNoise
from ._augmentation import Augmentation
from ._background_noise import BackgroundNoise
from ._frame_shift import FrameShift
from ._freq_mix_style import FreqMixStyle
from ._gain import Gain
from ._mixup import Mixup
from ._noise_floor import NoiseFloor
from ._pitch_shift import PitchShift
from ._random_equalizer import RandomEqualizer
from ._random_trim import RandomTrim
from ._room_reverb import RoomReverb
from ._spec_augment import SpecAugment
from ._speed_perturb import SpeedPerturb
from ._time_shift import TimeShift
from ._time_stretch import TimeStretch
from ._vocal_tract_warp import VocalTractWarp

__all__ = [
    "AddNoise",
    "Augmentation",
    "BackgroundNoise",
    "FrameShift",
    "FreqMixStyle",
    "Gain",
    "Mixup",
    "NoiseFloor",
    "PitchShift",
    "RandomEqualizer",
    "RandomTrim",
    "RoomReverb",
    "SpecAugment",
    "SpeedPerturb",
    "TimeShift",
    "TimeStretch",
    "VocalTractWarp",
]
