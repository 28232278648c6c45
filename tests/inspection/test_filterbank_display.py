import numpy as np
import pytest
import torch
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from torch import nn

from sklearn_speech.feature_extraction import MelSpectrogram, Spectrogram
from sklearn_speech.filters import mel_filterbank
from sklearn_speech.inspection import FilterbankDisplay

BANK = mel_filterbank(8000, 256, n_mels=12)
FRONT_END = MelSpectrogram(sample_rate=8000, n_fft=256, n_mels=12)


class Net(BaseEstimator):
    """The parts of a fitted network that the display uses: its front end and its module."""

    def __init__(self, change, frontend=FRONT_END):
        self.change = change
        self.frontend = frontend
        self.module_ = nn.Module()
        self.module_.front_end = FRONT_END.to_module()
        with torch.no_grad():
            self.module_.front_end.bank.weights.mul_(change)


def _drawn(lines):
    return np.array([line.get_ydata() for line in lines])


def test_each_filter_is_a_line_over_hertz():
    display = FilterbankDisplay(BANK, sample_rate=8000).plot()
    (lines,) = display.lines_
    assert np.array_equal(_drawn(lines), BANK)
    assert lines[0].get_xdata() == pytest.approx(np.fft.rfftfreq(256, 1 / 8000))
    assert display.ax_.get_xlim() == (0, 4000)


def test_initial_stands_above_trained_on_one_scale():
    display = FilterbankDisplay(2 * BANK, sample_rate=8000, initial=BANK).plot()
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["Initial", "Trained"]
    assert np.array_equal(_drawn(display.lines_[0]), BANK)
    assert np.array_equal(_drawn(display.lines_[1]), 2 * BANK)
    assert len({ax.get_ylim() for ax in display.axes_}) == 1
    assert [ax.get_xlabel() for ax in display.axes_] == ["", "Frequency (Hz)"]


def test_overlay_draws_both_on_one_axes_with_different_styles():
    display = FilterbankDisplay(2 * BANK, sample_rate=8000, initial=BANK).plot(kind="overlay")
    assert display.axes_.size == 1
    assert len(display.ax_.lines) == 24
    initial, trained = display.lines_
    assert (initial[0].get_linestyle(), trained[0].get_linestyle()) == ("--", "-")
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["Initial", "Trained"]


def test_image_has_one_row_per_filter_and_one_colour_scale():
    display = FilterbankDisplay(2 * BANK, sample_rate=8000, initial=BANK).plot(kind="image")
    for image, bank in zip(display.im_, (BANK, 2 * BANK)):
        assert np.array_equal(np.asarray(image.get_array()).reshape(bank.shape), bank)
        assert image.get_clim() == (0, 2 * BANK.max())
    assert display.colorbar_.ax.get_ylabel() == "Weight"
    assert [ax.get_ylabel() for ax in display.axes_] == ["Filter", "Filter"]
    assert display.ax_.get_xlim() == (0, 4000)
    assert display.lines_ == []


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="kind='bars'"):
        FilterbankDisplay(BANK, sample_rate=8000).plot(kind="bars")


def test_all_colours_stand_out_from_a_white_background():
    (lines,) = FilterbankDisplay(BANK, sample_rate=8000).plot().lines_
    for line in lines:
        red, green, blue, _ = line.get_color()
        assert 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.8


def test_front_end_shows_the_filters_that_it_designs():
    display = FilterbankDisplay.from_estimator(make_pipeline(FRONT_END))
    assert _drawn(display.lines_[0]) == pytest.approx(BANK, abs=1e-7)
    assert len(display.lines_) == 1


def test_network_shows_designed_and_trained_filters():
    display = FilterbankDisplay.from_estimator(Net(1.5))
    assert _drawn(display.lines_[0]) == pytest.approx(BANK, abs=1e-7)
    assert _drawn(display.lines_[1]) == pytest.approx(1.5 * BANK, abs=1e-7)


def test_network_with_untrained_filters_shows_them_once():
    assert len(FilterbankDisplay.from_estimator(Net(1.0)).lines_) == 1


def test_front_end_without_mel_bands_is_refused():
    with pytest.raises(ValueError, match="Spectrogram has no front end with mel filters"):
        FilterbankDisplay.from_estimator(Spectrogram())


@pytest.mark.parametrize("initial", [BANK[:-1], BANK[0]])
def test_banks_of_two_shapes_are_refused(initial):
    with pytest.raises(ValueError, match="initial has shape"):
        FilterbankDisplay(BANK, sample_rate=8000, initial=initial).plot()
