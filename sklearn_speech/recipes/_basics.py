"""Waveforms, STFT, mel and MFCC features, each with a small network.

The system of "Speech Classification Using Neural Networks: The Basics".
"""

from typing import Any

from ..audio import PadOrTrim
from ..classification import SpectrogramCNNClassifier, WaveformMLPClassifier
from ..feature_extraction import MFCC, MelSpectrogram, Spectrogram
from ._catalogue import recipe
from ._steps import check_option, clips, in_samples, pipeline

N_TIMES = 30_000

#: Number of frames. Longer clips are trimmed, shorter clips are padded with 0.
N_FRAMES = 40

_CORRECTED = "initial weights and order are seeded; training does not use test clips"
_PADDED = "; the STFT pads the ends of a clip with silence, not by reflection"

_TRAINING: dict[str, Any] = {
    "optimizer": "adam", "lr": 0.001, "weight_decay": 0.0, "lr_schedule": "constant",
    "batch_size": 32, "weight_init": "glorot_uniform",
}  # fmt: skip

_ANALYSIS: dict[str, Any] = {"n_fft": 2048, "hop_length": 512}


@recipe(
    "basics-mlp",
    source="basics",
    task="digits",
    input="30,000 samples",
    published="no figure; the author calls it horrible",
    corrected=_CORRECTED,
)
def _mlp(sample_rate=22050, duration=None, max_epochs=10, random_state=None, reads="paths"):
    classifier = WaveformMLPClassifier(
        128, equal_loudness=False, max_epochs=max_epochs, random_state=random_state, **_TRAINING
    )
    n_times = in_samples(duration, sample_rate, N_TIMES)
    return pipeline(clips(reads, sample_rate, n_times), classifier)


def _cnn(n_blocks, max_epochs, random_state, dropout=0.2):
    """Make a network of one block, as in the published results, or two, as the author intended."""
    check_option("n_blocks", n_blocks, (1, 2))
    blocks: dict[str, Any] = {
        1: {"n_filters": 64, "padding": "valid"},
        2: {"n_filters": [32, 64], "padding": ["same", "valid"]},
    }[n_blocks]
    return SpectrogramCNNClassifier(
        n_blocks, kernel_size=4, stride=1, pool_size=4, dropout=dropout, batch_norm=False,
        head="flatten", hidden_units=32, input_norm=None, max_epochs=max_epochs,
        random_state=random_state, **blocks, **_TRAINING,
    )  # fmt: skip


def _stft(sample_rate, n_frames, reads, classifier):
    front_end = Spectrogram(sample_rate=sample_rate, power=1.0, scaling=None, **_ANALYSIS)
    return pipeline(clips(reads, sample_rate), front_end, PadOrTrim(n_times=n_frames), classifier)


@recipe(
    "basics-stft-cnn",
    source="basics",
    task="digits",
    input="linear STFT magnitudes, 1025 x 40",
    published="0.616 on theo, trained on two speakers (0.668 in the best epoch)",
    corrected=_CORRECTED + _PADDED,
)
def _stft_cnn(
    sample_rate=22050, n_frames=N_FRAMES, max_epochs=10, random_state=None, reads="paths"
):
    return _stft(sample_rate, n_frames, reads, _cnn(1, max_epochs, random_state))


@recipe(
    "basics-stft-cnn-two-block",
    source="basics",
    task="digits",
    input="linear STFT magnitudes, 1025 x 40",
    published="no figure: the first block was created, but not connected",
    corrected=_CORRECTED + _PADDED + "; the first block is connected",
)
def _stft_cnn_two_block(
    sample_rate=22050, n_frames=N_FRAMES, max_epochs=10, random_state=None, reads="paths"
):
    return _stft(sample_rate, n_frames, reads, _cnn(2, max_epochs, random_state))


@recipe(
    "basics-mel-cnn",
    source="basics",
    task="digits",
    input="linear mel power, 128 x 40",
    published="0.188 on theo, trained on two speakers (0.266 in the best epoch)",
    corrected=_CORRECTED + _PADDED,
)
def _mel_cnn(
    sample_rate=22050, n_frames=N_FRAMES, n_mels=128, n_blocks=1, max_epochs=10,
    random_state=None, reads="paths",
):  # fmt: skip
    front_end = MelSpectrogram(sample_rate=sample_rate, n_mels=n_mels, scaling=None, **_ANALYSIS)
    return pipeline(
        clips(reads, sample_rate), front_end, PadOrTrim(n_times=n_frames),
        _cnn(n_blocks, max_epochs, random_state),
    )  # fmt: skip


@recipe(
    "basics-mfcc-cnn",
    source="basics",
    task="digits",
    input="MFCC, 20 x 40",
    published="no figure: the notebook was published without its output",
    corrected=_CORRECTED + _PADDED,
)
def _mfcc_cnn(
    sample_rate=22050, n_frames=N_FRAMES, n_mels=128, n_mfcc=20, max_epochs=100,
    random_state=None, reads="paths",
):  # fmt: skip
    front_end = MFCC(
        sample_rate=sample_rate, n_mels=n_mels, n_mfcc=n_mfcc, scaling="db", amin=1e-10,
        top_db=80.0, **_ANALYSIS,
    )  # fmt: skip
    return pipeline(
        clips(reads, sample_rate), front_end, PadOrTrim(n_times=n_frames),
        _cnn(1, max_epochs, random_state, dropout=0.0),
    )  # fmt: skip
