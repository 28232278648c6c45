"""The published networks, built by the estimators: as many parameters as they were published with.

No training happens: what is counted is what `fit` builds for clips of the published size.
"""

import numpy as np
import pytest

from sklearn_speech import TrainableFrontEnd
from sklearn_speech.classification import (
    BCResNetClassifier,
    SpectrogramCNNClassifier,
    SpectrogramLinearClassifier,
    WaveformCNNClassifier,
    WaveformMLPClassifier,
)
from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.modules.masked_norm import MaskedBatchNorm

BUILD = {"max_epochs": 0, "device": "cpu", "random_state": 0}


def built(estimator, *shape, n_classes=10):
    """`estimator` after `fit` has seen one clip a class of that shape."""
    return estimator.fit(np.zeros((n_classes, *shape), dtype=np.float32), np.arange(n_classes))


def trainable(estimator):
    return sum(p.numel() for p in estimator.module_.parameters() if p.requires_grad)


def running(estimator):
    """Running means and variances, which Keras counts as parameters too."""
    norms = [m for m in estimator.module_.modules() if isinstance(m, MaskedBatchNorm)]
    return sum(2 * m.num_features for m in norms)


#: Strided convolutions alone: mel-spectrogram images of 64 x 64.
IMAGE = {
    "kernel_size": 6, "stride": 2, "padding": "valid", "pool_size": 1, "batch_norm": False,
    "head": "flatten", "input_norm": None, **BUILD,
}  # fmt: skip


@pytest.mark.parametrize("n_filters, published", [([16, 32], 73_146), ([16, 32, 32], 61_082)])
def test_strided_cnn_of_images_has_its_published_count(n_filters, published):
    clf = SpectrogramCNNClassifier(len(n_filters), n_filters=n_filters, **IMAGE)
    assert trainable(built(clf, 64, 64)) == published


def test_spectrogram_cnn_beside_the_sample_cnn_has_its_published_count():
    clf = SpectrogramCNNClassifier(
        2, n_filters=[32, 64], kernel_size=3, stride=1, pool_size=2, padding="valid",
        batch_norm_eps=1e-3, head="flatten", hidden_units=128,
        head_dropout=[0.25, 0.5], input_norm=None, **BUILD,
    )  # fmt: skip
    built(clf, 129, 22)
    assert (trainable(clf), running(clf)) == (1_003_466, 192)
    assert trainable(clf) + running(clf) == 1_003_658


def test_sample_cnn_has_its_published_count():
    clf = WaveformCNNClassifier(
        3, n_filters=[16, 32, 64], kernel_size=[2, 2, 1], pool_size=[2, 2, 1], first_filters=16,
        first_kernel_size=256, first_stride=256, residual=False, bias=True, batch_norm_eps=1e-3,
        batch_norm_momentum=0.01, head="flatten", head_dropout=0.6, equal_loudness=False, **BUILD,
    )  # fmt: skip
    built(clf, 18_262)
    assert trainable(clf) + running(clf) == 19_210
    assert running(clf) == 256
    assert clf.module_.out_steps(18_262) == 17


def test_perceptron_has_its_published_count():
    clf = WaveformMLPClassifier(hidden_units=128, equal_loudness=False, **BUILD)
    assert trainable(built(clf, 30_000)) == 3_841_418


#: One block of 64 filters, and the block before it that was meant to be there but never ran.
BASICS = {
    "kernel_size": 4, "stride": 1, "pool_size": 4, "dropout": 0.2, "batch_norm": False,
    "head": "flatten", "hidden_units": 32, "input_norm": None, **BUILD,
}  # fmt: skip
ONE_BLOCK = {"n_layers": 1, "n_filters": 64, "padding": "valid", **BASICS}
TWO_BLOCKS = {"n_layers": 2, "n_filters": [32, 64], "padding": ["same", "valid"], **BASICS}


@pytest.mark.parametrize(
    "n_bands, layers, published",
    [
        (1025, ONE_BLOCK, 4_701_610),
        (128, ONE_BLOCK, 572_842),
        (1025, TWO_BLOCKS, 162_762),
        (128, TWO_BLOCKS, 48_074),
        (20, {**ONE_BLOCK, "dropout": 0.0}, 75_178),
    ],
    ids=["stft", "mel", "stft, both blocks", "mel, both blocks", "mfcc"],
)
def test_cnns_of_the_basics_have_their_published_counts(n_bands, layers, published):
    assert trainable(built(SpectrogramCNNClassifier(**layers), n_bands, 40)) == published


def mel(n_mels=40):
    return MelSpectrogram(sample_rate=16_000, n_fft=480, hop_length=160, n_mels=n_mels)


def test_linear_network_on_mel_spectrograms_has_its_published_count():
    clf = SpectrogramLinearClassifier(**BUILD)
    assert trainable(built(clf, 40, 101, n_classes=12)) == 48_492


TRAINED = [None, "mel", "stft", "both"]


@pytest.mark.parametrize("train, published", list(zip(TRAINED, [48_492, 58_132, 279_852, 289_492])))
def test_linear_network_with_trained_front_end_has_its_published_count(train, published):
    clf = SpectrogramLinearClassifier(frontend=TrainableFrontEnd(mel(), train=train), **BUILD)
    assert trainable(built(clf, 16_000, n_classes=12)) == published


@pytest.mark.parametrize("train, published", list(zip(TRAINED, [9_160, 18_800, 240_520, 250_160])))
def test_bc_resnet_with_trained_front_end_has_its_published_count(train, published):
    clf = BCResNetClassifier(
        variant="reference",
        frontend=TrainableFrontEnd(mel(), train=train),
        input_norm=None,
        **BUILD,
    )
    assert trainable(built(clf, 16_000, n_classes=12)) == published


@pytest.mark.parametrize("variant, published", [("paper", 9_232), ("reference", 9_160)])
def test_bc_resnet_has_its_published_count(variant, published):
    clf = BCResNetClassifier(variant=variant, **BUILD)
    assert trainable(built(clf, 40, 101, n_classes=12)) == published


@pytest.mark.parametrize("n_mels", [10, 20, 30, 40])
def test_bc_resnet_has_as_many_parameters_for_any_number_of_bands(n_mels):
    clf = BCResNetClassifier(**BUILD)
    assert trainable(built(clf, n_mels, 101, n_classes=12)) == 9_232


def test_shaped_filters_have_two_parameters_each():
    clf = SpectrogramLinearClassifier(
        frontend=TrainableFrontEnd(mel(), filterbank="triangular"), **BUILD
    )
    assert trainable(built(clf, 16_000, n_classes=12)) == 48_492 + 80
