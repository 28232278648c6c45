"""Images of mel spectrograms: strided convolutions, stacked autoencoders.

The system of shun60s/spectrum.
"""

from collections.abc import Callable
from typing import Any

from sklearn.pipeline import Pipeline

from ..audio import PadOrTrim
from ..classification import SpectrogramCNNClassifier
from ..feature_extraction import MelSpectrogram
from ..pretraining import ConvAutoencoder
from ._catalogue import recipe
from ._steps import clips, pipeline

_INPUT = "mel spectrogram image, 64 x 64"

_CORRECTED = (
    "short words are padded with silence, not random bytes; values are not rounded to 8 bits; "
    "initial weights and order are seeded; the loss is divided by the batch size once, not twice; "
    "training does not use test clips; files of any sample rate are resampled"
)

_FILTERS = [16, 32, 32]

#: Kernels of 6 x 6, stride 2, no padding, ReLU.
_LAYERS: dict[str, Any] = {
    "kernel_size": 6, "stride": 2, "padding": "valid", "batch_norm": False, "input_norm": None,
}  # fmt: skip

_TRAINING: dict[str, Any] = {
    "optimizer": "adam", "lr": 0.001, "weight_decay": 0.0, "lr_schedule": "constant",
    "batch_size": 30, "weight_init": "lecun_normal",
}  # fmt: skip


def _image_steps(reads, sample_rate, n_mels, n_frames):
    """Steps from clips to images of 64 bands and 64 frames, with -45 to 45 dB scaled to 0 to 1."""
    front_end = MelSpectrogram(
        sample_rate=sample_rate, n_fft=1024, hop_length=256, window="hamming", periodic=False,
        center=False, power=1.0, n_mels=n_mels, fmin=50.0, fmax=min(5000.0, sample_rate / 2),
        mel_scale="htk", norm=None, scaling="db", top_db=None, db_window=(-45.0, 45.0),
        zero_frames="drop",
    )  # fmt: skip
    return [*clips(reads, sample_rate), front_end, PadOrTrim(n_times=n_frames)]


def _classifier(n_layers, max_epochs, random_state, **options):
    return SpectrogramCNNClassifier(
        n_layers, head="flatten", max_epochs=max_epochs, random_state=random_state, **_TRAINING,
        **options,
    )  # fmt: skip


def _autoencoder(n_layers, max_epochs, random_state):
    return ConvAutoencoder(
        n_layers, n_filters=_FILTERS[:n_layers], mirror="kernel", output_activation="relu",
        training="stacked", stage_target="hidden", max_epochs=max_epochs,
        random_state=random_state, **_LAYERS, **_TRAINING,
    )  # fmt: skip


def _register_cnn(n_layers: int, published: str) -> Callable[..., Pipeline]:
    @recipe(
        f"spectrum-{n_layers}cnn",
        source="spectrum",
        task="digits",
        input=_INPUT,
        published=published,
        corrected=_CORRECTED,
    )
    def make(
        sample_rate: int = 22050,
        n_mels: int = 64,
        n_frames: int = 64,
        max_epochs: int = 10,
        random_state: Any = None,
        reads: str = "paths",
    ) -> Pipeline:
        classifier = _classifier(
            n_layers, max_epochs, random_state, n_filters=_FILTERS[:n_layers], pool_size=1,
            **_LAYERS,
        )  # fmt: skip
        return pipeline(_image_steps(reads, sample_rate, n_mels, n_frames), classifier)

    return make


_register_cnn(2, "0.95 on a random split of synthetic voices (read from a plot)")
_register_cnn(3, "0.93 on a random split of synthetic voices (read from a plot)")


@recipe(
    "spectrum-3cnn-pretrained",
    source="spectrum",
    task="digits",
    input=_INPUT,
    published="0.90 on a random split of synthetic voices (read from a plot)",
    corrected=_CORRECTED + "; a missing weight is an error, not replaced by a random one",
)
def _pretrained(
    sample_rate=22050, n_mels=64, n_frames=64, max_epochs=10, pretraining_epochs=30,
    random_state=None, reads="paths",
):  # fmt: skip
    autoencoder = _autoencoder(3, pretraining_epochs, random_state)
    classifier = _classifier(0, max_epochs, random_state, pretrainer=autoencoder)
    return pipeline(_image_steps(reads, sample_rate, n_mels, n_frames), classifier)


def _register_autoencoder(n_layers: int) -> Callable[..., Pipeline]:
    @recipe(
        f"spectrum-autoencoder-{n_layers}",
        source="spectrum",
        task="image reconstruction",
        input=_INPUT,
        published="no figure; "
        + ("near-perfect images", "blurred images", "coarse blobs")[n_layers - 1],
        corrected=_CORRECTED,
    )
    def make(
        sample_rate: int = 22050,
        n_mels: int = 64,
        n_frames: int = 64,
        max_epochs: int = 30,
        random_state: Any = None,
        reads: str = "paths",
    ) -> Pipeline:
        return pipeline(
            _image_steps(reads, sample_rate, n_mels, n_frames),
            _autoencoder(n_layers, max_epochs, random_state),
        )

    return make


for _n_layers in (1, 2, 3):
    _register_autoencoder(_n_layers)
