"""Raw samples and linear spectrograms, each with a small convolutional network.

The system of "Audio recognition with raw waveforms and spectrograms".
"""

from typing import Any

from ..classification import SpectrogramCNNClassifier, WaveformCNNClassifier
from ..feature_extraction import Spectrogram
from ._catalogue import recipe
from ._steps import clips, in_samples, pipeline

#: The longest of the 1,500 recordings of three speakers, in samples.
N_TIMES = 18262

#: Length of the input of the spectrogram network, in samples.
N_TIMES_SPECTRO = 5000

_CORRECTED = (
    "softmax over exclusive classes; initial weights, order and split are seeded; training does "
    "not use test clips; silent clips do not cause a division by zero"
)

_TRAINING: dict[str, Any] = {
    "optimizer": "adam", "lr": 0.001, "weight_decay": 0.0, "lr_schedule": "constant",
    "batch_size": 135, "weight_init": "glorot_uniform",
}  # fmt: skip


@recipe(
    "sample-cnn",
    source="raw",
    task="digits",
    input="18,262 samples",
    published="0.60 on a random split of three speakers (README)",
    corrected=_CORRECTED
    + "; clips are normalised to equal loudness, not left as integers up to 32,767; the length of "
    "clips does not depend on test clips",
)
def _sample_cnn(sample_rate=8000, duration=None, max_epochs=500, random_state=None, reads="paths"):
    # Samples in [-1, 1] are small compared with the epsilon of the first batch norm and Adam's
    # steps of the bias before it: without equal loudness, training accuracy was only 0.525.
    classifier = WaveformCNNClassifier(
        3, n_filters=[16, 32, 64], kernel_size=[2, 2, 1], pool_size=[2, 2, 1], first_filters=16,
        first_kernel_size=256, first_stride=256, residual=False, bias=True, batch_norm_eps=1e-3,
        batch_norm_momentum=0.01, head="flatten", head_dropout=0.6, equal_loudness=True,
        max_epochs=max_epochs, random_state=random_state, **_TRAINING,
    )  # fmt: skip
    n_times = in_samples(duration, sample_rate, N_TIMES)
    return pipeline(clips(reads, sample_rate, n_times), classifier)


@recipe(
    "spectro-cnn",
    source="raw",
    task="digits",
    input="linear power spectrogram, 129 x 22",
    published="0.70 on a random split of three speakers (README)",
    corrected=_CORRECTED,
)
def _spectro_cnn(sample_rate=8000, duration=None, max_epochs=10, random_state=None, reads="paths"):
    front_end = Spectrogram(
        sample_rate=sample_rate, n_fft=256, hop_length=224, window=("tukey", 0.25), center=False,
        detrend="constant", density=True, scaling=None, normalize="max",
    )  # fmt: skip
    classifier = SpectrogramCNNClassifier(
        2, n_filters=[32, 64], kernel_size=3, stride=1, padding="valid", pool_size=2,
        batch_norm_eps=1e-3, head="flatten", hidden_units=128, head_dropout=[0.25, 0.5],
        input_norm=None, max_epochs=max_epochs, random_state=random_state, **_TRAINING,
    )  # fmt: skip
    n_times = in_samples(duration, sample_rate, N_TIMES_SPECTRO)
    return pipeline(clips(reads, sample_rate, n_times), front_end, classifier)
