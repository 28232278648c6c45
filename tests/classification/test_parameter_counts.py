"""Parameters of networks that estimators build; those of published systems stand in the recipes.

No training happens: what is counted is what `fit` builds for clips of one size.
"""

import numpy as np
import pytest

from sklearn_speech.classification import BCResNetClassifier, WaveformCNNClassifier

BUILD = {"max_epochs": 0, "device": "cpu", "random_state": 0}


def built(estimator, *shape, n_classes=10):
    """`estimator` after `fit` has seen one clip a class of that shape."""
    return estimator.fit(np.zeros((n_classes, *shape), dtype=np.float32), np.arange(n_classes))


def trainable(estimator):
    return sum(p.numel() for p in estimator.module_.parameters() if p.requires_grad)


def test_the_sample_cnn_leaves_17_of_18262_steps():
    clf = WaveformCNNClassifier(
        3, n_filters=[16, 32, 64], kernel_size=[2, 2, 1], pool_size=[2, 2, 1], first_filters=16,
        first_kernel_size=256, first_stride=256, residual=False, head="flatten", **BUILD,
    )  # fmt: skip
    assert built(clf, 18_262).module_.out_steps(18_262) == 17


@pytest.mark.parametrize("variant", ["paper", "reference"])
def test_bc_resnet_has_as_many_parameters_for_any_number_of_bands(variant):
    counts = {
        trainable(built(BCResNetClassifier(variant=variant, **BUILD), n_mels, 101, n_classes=12))
        for n_mels in (10, 20, 30, 40)
    }
    assert len(counts) == 1
