"""Spectral transformers among scikit-learn's own tools."""

import numpy as np
import pytest
import sklearn
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import SVC

from sklearn_speech.feature_extraction import MFCC, MelSpectrogram, SpectrogramScaler
from tests.members import FRONT_END_CLASSES, RATE

X = np.random.default_rng(0).normal(size=(4, 800)).astype(np.float32) / 10
LENGTHS = [800, 700, 600, 500]


@pytest.mark.parametrize("cls", [*FRONT_END_CLASSES, SpectrogramScaler])
def test_a_table_is_refused_with_what_makes_one(cls):
    with pytest.raises(AttributeError, match=rf"{cls.__name__} .*3-D or ragged.*TemporalPooling"):
        cls().set_output(transform="pandas")


@pytest.mark.parametrize("cls", FRONT_END_CLASSES)
def test_a_global_setting_of_tables_leaves_spectrograms_alone(cls):
    with sklearn.config_context(transform_output="pandas"):
        assert isinstance(cls(sample_rate=RATE).fit_transform(X), np.ndarray)


@pytest.mark.parametrize("ragged", [False, True])
def test_a_union_of_front_ends_is_refused_by_name(ragged):
    clips = [x[:n] for x, n in zip(X, LENGTHS)] if ragged else X
    union = make_union(MelSpectrogram(sample_rate=RATE), MFCC(sample_rate=RATE))
    with pytest.raises(ValueError, match=r"'melspectrogram' returned an array .* dimensions"):
        union.fit_transform(clips)


def test_a_classifier_of_tables_refuses_spectrograms():
    classifier = make_pipeline(MelSpectrogram(sample_rate=RATE), SVC())
    with pytest.raises(ValueError, match="dim 3"):
        classifier.fit(X, [0, 1, 0, 1])
