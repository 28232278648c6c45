import numpy as np
import pytest
import torch

from sklearn_speech import MelSpectrogram, SpectrogramLinearClassifier, TrainableFrontEnd
from sklearn_speech.inspection import FourierKernelDisplay

RATE = 8000
FRONT_END = MelSpectrogram(RATE, n_fft=128, hop_length=64, n_mels=8)


@pytest.fixture(scope="module")
def words():
    rng = np.random.default_rng(0)
    tones = np.sin(2 * np.pi * np.outer([500, 1500] * 8, np.arange(1000)) / RATE)
    return tones + 0.1 * rng.normal(size=tones.shape), ["low", "high"] * 8


def _network(words, trained):
    return SpectrogramLinearClassifier(
        frontend=TrainableFrontEnd(FRONT_END, train=trained), max_epochs=2, lr=0.05, random_state=0
    ).fit(*words)


def _drawn(lines):
    return np.array([[line.get_ydata() for line in row] for row in lines])


def test_kernels_of_a_front_end_are_windowed_cosines_and_sines_of_their_bins():
    display = FourierKernelDisplay.from_estimator(FRONT_END, bins=[3, 20])
    t = np.arange(128)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * t / 128)
    for column, k in enumerate((3, 20)):
        cosine, sine = _drawn(display.lines_)[:, column]
        np.testing.assert_allclose(cosine, window * np.cos(2 * np.pi * k * t / 128), atol=1e-6)
        np.testing.assert_allclose(sine, window * np.sin(2 * np.pi * k * t / 128), atol=1e-6)
    assert display.initial_lines_ is None
    np.testing.assert_allclose(display.lines_[0, 0].get_xdata(), 1000 * t / RATE)


def test_title_is_the_frequency_of_the_bin():
    display = FourierKernelDisplay.from_estimator(FRONT_END, bins=[16])
    assert display.ax_.get_title() == "bin 16: 1000 Hz"


def test_trained_kernels_are_those_of_the_network_with_initial_ones_overlaid(words):
    network = _network(words, "stft")
    display = FourierKernelDisplay.from_estimator(network, bins=[8, 24])
    stft = network.module_.front_end.stft
    with torch.no_grad():
        expected = [stft.cosine[[8, 24]].numpy(), stft.sine[[8, 24]].numpy()]
    np.testing.assert_array_equal(_drawn(display.lines_), expected)
    designed = FourierKernelDisplay.from_estimator(FRONT_END, bins=[8, 24])
    np.testing.assert_array_equal(_drawn(display.initial_lines_), _drawn(designed.lines_))
    assert not np.array_equal(_drawn(display.lines_), _drawn(display.initial_lines_))


def test_network_without_trained_kernels_shows_one_set(words):
    display = FourierKernelDisplay.from_estimator(_network(words, "mel"), bins=[8])
    assert display.initial_lines_ is None


def test_error_names_a_missing_bin():
    with pytest.raises(ValueError, match=r"bins=\[65\]: expected whole numbers from 0 to 64"):
        FourierKernelDisplay.from_estimator(FRONT_END, bins=[65])


def test_kernels_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match=r"\(5, 8\), \(5, 9\).*the same for all"):
        FourierKernelDisplay(np.ones((5, 8)), np.ones((5, 9)), sample_rate=RATE, n_fft=8).plot()


def test_estimator_without_front_end_is_refused():
    with pytest.raises(ValueError, match="has no front end with Fourier kernels"):
        FourierKernelDisplay.from_estimator(SpectrogramLinearClassifier())
