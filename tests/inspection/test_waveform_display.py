import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline

from sklearn_speech.inspection import WaveformDisplay

LONG, SHORT = np.linspace(-0.5, 0.5, 800), np.linspace(0, 0.25, 400)


class Halving(TransformerMixin, BaseEstimator):
    """A code of half the amplitude, whose reconstruction stays at half."""

    def __init__(self, sample_rate=8000):
        self.sample_rate = sample_rate

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def transform(self, X):
        return X / 2

    def inverse_transform(self, X):
        return X


def test_lines_hold_the_samples_over_seconds():
    display = WaveformDisplay([LONG, SHORT], sample_rate=8000).plot()
    for line, waveform in zip(display.lines_, (LONG, SHORT)):
        assert line.get_xdata() == pytest.approx(np.arange(len(waveform)) / 8000)
        assert line.get_ydata() == pytest.approx(waveform)


def test_panels_share_one_scale_of_time_and_amplitude():
    display = WaveformDisplay([LONG, SHORT], sample_rate=8000, names=["a", "b"]).plot()
    assert {panel.get_xlim() for panel in display.axes_} == {(0, 0.1)}
    assert {panel.get_ylim() for panel in display.axes_} == {(-0.525, 0.525)}
    assert [panel.get_title(loc="left") for panel in display.axes_] == ["a", "b"]


def test_time_is_labelled_once_and_amplitude_on_each_panel():
    display = WaveformDisplay([LONG, SHORT], sample_rate=8000).plot()
    assert [panel.get_xlabel() for panel in display.axes_] == ["", "Time (s)"]
    assert [panel.get_ylabel() for panel in display.axes_] == ["Amplitude"] * 2


@pytest.mark.parametrize("single", [LONG, [LONG], LONG[np.newaxis], list(LONG)])
def test_a_single_waveform_is_allowed(single):
    assert len(WaveformDisplay(single, sample_rate=8000).plot().lines_) == 1


def test_segments_are_labelled_above_the_first_panel_only():
    display = WaveformDisplay([LONG, LONG], sample_rate=8000, segments=[(0.02, 0.06, "aa")])
    display.plot()
    assert [label.get_text() for label in display.segment_labels_] == ["aa"]
    assert all(len(panel.collections) == 1 for panel in display.axes_)


def test_silence_can_be_drawn():
    assert WaveformDisplay(np.zeros(8), sample_rate=8000).plot().ax_.get_ylim() == (-1.05, 1.05)


def test_original_is_drawn_above_its_reconstruction():
    display = WaveformDisplay.from_estimator(make_pipeline(Halving()).fit(LONG[None]), LONG)
    original, reconstruction = (line.get_ydata() for line in display.lines_)
    assert original == pytest.approx(LONG)
    assert reconstruction == pytest.approx(LONG / 2)
    assert display.lines_[0].get_xdata()[-1] == 799 / 8000
    assert display.names == ["Original", "Reconstructed"]


def test_unknown_sample_rate_is_an_error():
    with pytest.raises(
        ValueError, match=r"Halving and its steps have no parameter 'sample_rate'.*pass sample_rate"
    ):
        WaveformDisplay.from_estimator(Halving(sample_rate=None), LONG)
    display = WaveformDisplay.from_estimator(Halving(None), LONG, sample_rate=16000)
    assert display.ax_.get_xlim() == (0, 0.05)


@pytest.mark.parametrize(
    "waveforms, message",
    [
        ([LONG, np.zeros((2, 3))], r"waveforms\[1\] has shape \(2, 3\)"),
        ([LONG, np.zeros(0)], r"waveforms\[1\] has shape \(0,\)"),
        ([], "waveforms is empty"),
    ],
)
def test_errors_name_invalid_waveforms(waveforms, message):
    with pytest.raises(ValueError, match=message):
        WaveformDisplay(waveforms, sample_rate=8000).plot()


def test_names_must_have_one_entry_per_waveform():
    with pytest.raises(ValueError, match="names has 1 entries for 2 waveforms"):
        WaveformDisplay([LONG, SHORT], sample_rate=8000, names=["a"]).plot()
