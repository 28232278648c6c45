"""Raw samples against linear spectrograms, both read by small convolutional networks.

The system of "Audio recognition with raw waveforms and spectrograms".
"""

from ..classification import SpectrogramCNNClassifier, WaveformCNNClassifier
from ..feature_extraction import Spectrogram
from ._catalogue import clips, in_samples, pipeline, recipe

#: The longest of the 1,500 recordings of three speakers, in samples.
N_TIMES = 18262

#: What the spectrogram network reads of each recording, in samples.
N_TIMES_SPECTRO = 5000

_CORRECTED = (
    "softmax over exclusive classes; initial weights, order and split are seeded; no test clip is "
    "looked at in training; silent clips divide by no zero"
)

_TRAINING = {
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
    + "; clips are brought to equal loudness, not left as whole numbers up to 32,767; clips have "
    "one length that no test clip sets",
)
def _sample_cnn(sample_rate=8000, duration=None, max_epochs=500, random_state=None, reads="paths"):
    # Samples in [-1, 1] are small beside the epsilon of the first norm and the steps of Adam in
    # the bias before it: without equal loudness it knew .525 of its own clips of five voices.
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
