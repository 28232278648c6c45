import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from scipy.signal import get_window
from sklearn.base import clone

from sklearn_speech import MFCC, MelSpectrogram, Spectrogram
from sklearn_speech.feature_extraction import _shared_front_ends as shared

X = np.random.default_rng(0).normal(0, 0.1, (3, 4000)).astype(np.float32)


@pytest.fixture
def built(monkeypatch):
    """The front ends built during a test, whatever earlier tests left."""
    shared._kept.cache_clear()
    calls = []

    class Counted(shared.FrontEnd):
        def __init__(self, **parameters):
            calls.append(parameters)
            super().__init__(**parameters)

    monkeypatch.setattr(shared, "FrontEnd", Counted)
    yield calls
    shared._kept.cache_clear()


@pytest.mark.parametrize("cls", [MFCC, MelSpectrogram, Spectrogram])
def test_clones_and_copies_share_one_front_end(cls, built):
    model = cls(sample_rate=8000).fit(X)
    first = model.transform(X)
    assert np.array_equal(clone(model).fit(X).transform(X), first)
    copy = pickle.loads(pickle.dumps(model))
    assert np.array_equal(copy.transform(X), first)
    assert len(built) == 1


def test_a_changed_parameter_and_another_float_type_get_front_ends_of_their_own(built):
    model = MelSpectrogram(sample_rate=8000, n_mels=20).fit(X)
    assert model.set_params(n_mels=24).transform(X).shape[1] == 24
    assert model.transform(X.astype(np.float64)).dtype == np.float64
    assert model.set_params(n_mels=20).transform(X).shape[1] == 20
    assert len(built) == 3


def test_an_array_as_window_is_read_at_each_call():
    window = get_window("hann", 200)
    model = Spectrogram(sample_rate=8000, win_length=200, window=window, scaling=None).fit(X)
    loud = model.transform(X)
    window *= 0.5
    np.testing.assert_allclose(model.transform(X), loud / 4, rtol=1e-5, atol=1e-9)


def test_threads_that_share_a_front_end_compute_what_one_thread_computes():
    model = MelSpectrogram(sample_rate=8000, scaling="db").fit(X)
    alone = model.transform(X)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda _: model.transform(X), range(40)):
            assert np.array_equal(found, alone)
