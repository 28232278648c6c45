"""Random changes of training clips, drawn on the batch's device.

Those on spectrograms expect a logarithmic scaling.
"""

from .add_noise import AddNoise
from .augmentation import Augmentation
from .background_noise import BackgroundNoise
from .frame_shift import FrameShift
from .freq_mix_style import FreqMixStyle
from .gain import Gain
from .mixup import Mixup
from .noise_floor import NoiseFloor
from .pitch_shift import PitchShift
from .random_equalizer import RandomEqualizer
from .random_trim import RandomTrim
from .room_reverb import RoomReverb
from .spec_augment import SpecAugment
from .speed_perturb import SpeedPerturb
from .time_shift import TimeShift
from .time_stretch import TimeStretch
from .vocal_tract_warp import VocalTractWarp

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
