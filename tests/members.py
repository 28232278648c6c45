"""All augmentations, front ends and networks, found by walking the package.

A new member is tested by every property test at once, provided that the parameters it requires
stand in one of the tables here; otherwise collecting the tests fails.
"""

import importlib
import inspect
import pkgutil

import numpy as np

from sklearn_speech import augmentation, feature_extraction, modules
from sklearn_speech.feature_extraction._base import BaseSpectralTransformer

RATE = 8000
HUM = np.sin(np.arange(700.0))

#: Values of parameters that have no default.
REQUIRED = {
    "sample_rate": RATE,
    "clips": [HUM, HUM[:50]],
    "n_bands": 12,
    "n_frames": 20,
    "n_times": 400,
    "n_classes": 3,
    "n_phones": 3,
}

#: Further settings worth testing, by the name of the class.
VARIANTS = {
    "AddNoise": [{"color": "pink"}, {"snr_db": (-200, 200)}],
    "FreqMixStyle": [{"p": 1}],
    "Gain": [{"gain_db": (-200, 200)}],
    "Mixup": [{"domain": "waveform"}, {"alpha": 1e-3}, {"alpha": 1e3}],
    "NoiseFloor": [{"scaling": "log"}],
    "RandomEqualizer": [{"n_points": 1, "scaling": "log"}],
    "RandomTrim": [{"top_db": (0, 1)}],
    "VocalTractWarp": [{"mel_scale": "linear"}, {"fmin": 100, "fmax": 3000}],
    "MelSpectrogram": [
        {"scaling": "log"},
        {"scaling": "log", "log_offset": 0},
        {"scaling": None},
        {"scaling": None, "power": 1},
        {"scaling": "db", "ref": 1e-3},
        {"scaling": "db", "top_db": None, "amin": 1e-50},
        {"scaling": "db", "db_window": (-60, 0)},
        {"power": 0.5},
        *(
            {"normalize": normalize, "scaling": scaling}
            for normalize in ("clip", "band", "minmax", "max")
            for scaling in ("log", "db", None)
        ),
        {"preemphasis": 0.97, "pad_mode": "edge"},
        {"detrend": "linear"},
    ],
    "MFCC": [{"deltas": 2}, {"lifter": 22}],
    "Spectrogram": [{"density": True}, {"scaling": "log", "log_offset": 0}],
    "BCResNetNet": [
        {"variant": "reference"},
        {"input_norm": None},
        {"input_norm": "batch"},
        {"input_norm": "band"},
    ],
    "ConvAutoencoderNet": [
        {"down": "pool"},
        {"mirror": "kernel"},
        {"input_norm": "band"},
        {"noise": 0.1, "masking": 0.3},
    ],
    "PhonemeNet": [
        {"encoder": "linear-lstm", "input_norm": "clip"},
        {"encoder": "bcresnet"},
        {"encoder": "conv-lstm", "input_norm": None},
    ],
    "SpectrogramCNNNet": [
        {"head": "mean"},
        {"head": "max"},
        {"head": "bands"},
        {"head": "flatten"},
        {"input_norm": None},
        {"input_norm": "batch"},
        {"input_norm": "band"},
        {"pool_type": "mean"},
    ],
    "SpectrogramLinearNet": [{"input_norm": None}, {"input_norm": "batch"}, {"input_norm": "band"}],
    "WaveformCNNNet": [{"residual": False}, {"head": "flatten"}, {"equal_loudness": False}],
    "WaveformMLPNet": [{"equal_loudness": False}],
}

#: Networks that no property test can feed, with the reason.
NOT_ALONE = {
    "FrontEndNet": "joins two others, and computes nothing by itself",
    "MoonshineEncoderNet": "needs clips of 56 ms; tested inside SpeechEmbedding, which pads them",
    "SpeechEmbeddingNet": "needs clips of 782 ms; tested inside EmbeddingFrontEnd, which pads them",
    "VoiceEncoderNet": "takes clips of one length; tested inside SpeechEmbedding, which sorts them",
}


def settings(cls):
    """Keyword arguments of each setting of a class that is tested."""
    parameters = inspect.signature(cls).parameters.values()
    required = {p.name: REQUIRED[p.name] for p in parameters if p.default is p.empty}
    return [required, *({**required, **variant} for variant in VARIANTS.get(cls.__name__, []))]


def _instances(classes):
    return [cls(**setting) for cls in classes for setting in settings(cls)]


def _public(room, base):
    found = (getattr(room, name) for name in room.__all__)
    return [cls for cls in found if inspect.isclass(cls) and issubclass(cls, base)]


def network_classes():
    """Every class of a whole network, in the files of `modules`."""
    found = set()
    for info in pkgutil.iter_modules(modules.__path__, modules.__name__ + "."):
        file = importlib.import_module(info.name)
        found |= {
            cls
            for name, cls in vars(file).items()
            if name.endswith("Net") and cls.__module__ == file.__name__ and name not in NOT_ALONE
        }
    return sorted(found, key=lambda cls: cls.__name__)


AUGMENTATION_CLASSES = [
    cls
    for cls in _public(augmentation, augmentation.Augmentation)
    if cls is not augmentation.Augmentation
]
FRONT_END_CLASSES = _public(feature_extraction, BaseSpectralTransformer)
NETWORK_CLASSES = network_classes()

AUGMENTATIONS = _instances(AUGMENTATION_CLASSES)
FRONT_ENDS = _instances(FRONT_END_CLASSES)
#: (class, keyword arguments) of each network; a test builds them, as that draws weights.
NETWORKS = [(cls, setting) for cls in NETWORK_CLASSES for setting in settings(cls)]


def label(member):
    """Identifier of a test: the class, and the setting where there are several."""
    if not isinstance(member, tuple):
        return type(member).__name__
    cls, setting = member
    extra = [f"{k}={v}" for k, v in setting.items() if k not in REQUIRED]
    return "-".join([cls.__name__, *extra])


def apply(aug, x, lengths=None, generator=None):
    """Changed clips and their lengths, of a mixing augmentation too."""
    changed = aug.mix if hasattr(aug, "mix") else aug
    return changed(x, lengths, generator)[:2]
