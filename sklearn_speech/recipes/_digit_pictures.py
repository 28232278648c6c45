"""Pictures of mel spectrograms: strided convolutions, stacked autoencoders.

The system of shun60s/spectrum.
"""

from ..audio import PadOrTrim
from ..classification import SpectrogramCNNClassifier
from ..feature_extraction import MelSpectrogram
from ..pretraining import ConvAutoencoder
from ._catalogue import clips, pipeline, recipe

#: Front end and size of the pictures.
_PICTURE = "mel spectrogram picture, 64 x 64"

_CORRECTED = (
    "short words are filled up with silence, not random bytes; values are not rounded to 8 bits; "
    "initial weights and order are seeded; the loss is not divided by the batch size again; no "
    "test clip is looked at in training; any sampling rate is resampled"
)

_FILTERS = [16, 32, 32]

#: All kernels 6 by 6, two apart, no padding, ReLU.
_LAYERS = {
    "kernel_size": 6, "stride": 2, "padding": "valid", "batch_norm": False, "input_norm": None,
}  # fmt: skip

_TRAINING = {
    "optimizer": "adam", "lr": 0.001, "weight_decay": 0.0, "lr_schedule": "constant",
    "batch_size": 30, "weight_init": "lecun_normal",
}  # fmt: skip


def _pictures(reads, sample_rate, n_mels, n_frames):
    """Steps from clips to pictures of 64 bands and 64 frames, -45 to 45 dB as 0 to 1."""
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


def _enter_cnn(n_layers, published):
    @recipe(
        f"spectrum-{n_layers}cnn",
        source="spectrum",
        task="digits",
        input=_PICTURE,
        published=published,
        corrected=_CORRECTED,
    )
    def make(
        sample_rate=22050, n_mels=64, n_frames=64, max_epochs=10, random_state=None, reads="paths"
    ):
        classifier = _classifier(
            n_layers, max_epochs, random_state, n_filters=_FILTERS[:n_layers], pool_size=1,
            **_LAYERS,
        )  # fmt: skip
        return pipeline(_pictures(reads, sample_rate, n_mels, n_frames), classifier)

    return make


_enter_cnn(2, "0.95 on a random split of synthetic voices (read off a figure)")
_enter_cnn(3, "0.93 on a random split of synthetic voices (read off a figure)")


@recipe(
    "spectrum-3cnn-pretrained",
    source="spectrum",
    task="digits",
    input=_PICTURE,
    published="0.90 on a random split of synthetic voices (read off a figure)",
    corrected=_CORRECTED + "; a missing weight is an error, not a random start",
)
def _pretrained(
    sample_rate=22050, n_mels=64, n_frames=64, max_epochs=10, pretraining_epochs=30,
    random_state=None, reads="paths",
):  # fmt: skip
    autoencoder = _autoencoder(3, pretraining_epochs, random_state)
    classifier = _classifier(0, max_epochs, random_state, pretrainer=autoencoder)
    return pipeline(_pictures(reads, sample_rate, n_mels, n_frames), classifier)


def _enter_autoencoder(n_layers):
    @recipe(
        f"spectrum-autoencoder-{n_layers}",
        source="spectrum",
        task="pictures restored",
        input=_PICTURE,
        published="no figure; "
        + ("near-perfect pictures", "blurred pictures", "coarse blobs")[n_layers - 1],
        corrected=_CORRECTED,
    )
    def make(
        sample_rate=22050, n_mels=64, n_frames=64, max_epochs=30, random_state=None, reads="paths"
    ):
        return pipeline(
            _pictures(reads, sample_rate, n_mels, n_frames),
            _autoencoder(n_layers, max_epochs, random_state),
        )

    return make


for _n_layers in (1, 2, 3):
    _enter_autoencoder(_n_layers)
