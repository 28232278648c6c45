"""Log-mel autoencoder with resynthesis of sound.

The system of MidlaneBro/DSP-research. The last steps of ``make_recipe("dsp-autoencoder")`` are
the front end and the autoencoder. If they are named ``features`` and ``autoencoder``,
``features.inverse_transform(autoencoder.reconstruct(S), features.clip_ranges(X))`` returns sound.
"""

from ..feature_extraction import MelSpectrogram
from ..pretraining import ConvAutoencoder
from ._catalogue import recipe
from ._steps import clips, in_samples, pipeline

#: 47 hops of 512 samples, 1.09 s at 22050 Hz.
N_TIMES = 24064


@recipe(
    "dsp-autoencoder",
    source="dsp",
    task="sound reconstruction",
    input="log-mel spectrogram, 128 x 48",
    published="no figure; the author reports ambiguous, noisy speech",
    corrected=(
        "the inverse mel transform uses the FFT size of the analysis; decibels are of power, with "
        "a range of 40 dB, which equals the published 80 dB of amplitude; all training clips are "
        "used, not their first half in file order; the range of each clip is kept for resynthesis; "
        "constant clips do not cause a division by zero; squared errors are reported, not the "
        "accuracy of rounded pixels"
    ),
)
def _dsp_autoencoder(
    sample_rate=22050, duration=None, n_mels=128, max_epochs=50, random_state=None, reads="paths"
):
    n_times = in_samples(duration, sample_rate, N_TIMES)
    front_end = MelSpectrogram(
        sample_rate=sample_rate, n_fft=1024, hop_length=512, n_mels=n_mels, power=2.0,
        scaling="db", amin=1e-5, top_db=40.0, normalize="minmax",
    )  # fmt: skip
    autoencoder = ConvAutoencoder(
        3, n_filters=[16, 8, 8], kernel_size=3, down="pool", batch_norm=False, extra_conv=True,
        output_activation="sigmoid", input_norm=None, training="joint", loss="bce",
        optimizer="adam", lr=0.001, weight_decay=0.0, lr_schedule="constant", batch_size=112,
        weight_init="glorot_uniform", max_epochs=max_epochs, random_state=random_state,
    )  # fmt: skip
    return pipeline(clips(reads, sample_rate, n_times), front_end, autoencoder)
