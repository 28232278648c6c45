import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.pipeline import make_pipeline

from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.inspection import ReconstructionDisplay
from sklearn_speech.utils.validation import make_ragged

RNG = np.random.default_rng(0)
INPUT = RNG.uniform(-60, 0, size=(3, 8, 10))
OUTPUT = INPUT + np.array([2.0, -3.0, 0.0])[:, None, None]


class Louder(TransformerMixin, BaseEstimator):
    """An "autoencoder" that adds a constant to its input."""

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def transform(self, X):
        return X

    def inverse_transform(self, X):
        return make_ragged(clip + 0.5 for clip in X)


class Reconstructing(Louder):
    def reconstruct(self, X):
        return X + 1


def _levels(image, shape):
    return np.asarray(image.get_array()).reshape(shape)


def test_rows_are_input_reconstruction_and_error():
    display = ReconstructionDisplay(INPUT, OUTPUT).plot()
    assert display.axes_.shape == display.im_.shape == (3, 3)
    for clip in range(3):
        for row, expected in enumerate((INPUT, OUTPUT, OUTPUT - INPUT)):
            drawn = _levels(display.im_[row, clip], (8, 10))
            assert np.allclose(drawn, expected[clip])
    labels = [ax.get_ylabel().split("\n")[0] for ax in display.axes_[:, 0]]
    assert labels == ["Input", "Reconstruction", "Error"]


def test_input_and_reconstruction_share_one_scale_of_colours():
    display = ReconstructionDisplay(INPUT, OUTPUT).plot()
    assert {image.get_clim() for image in display.im_[:2].flat} == {(INPUT.min(), INPUT.max())}


def test_error_is_white_at_zero():
    display = ReconstructionDisplay(INPUT, OUTPUT).plot()
    for image in display.im_[2]:
        low, high = image.get_clim()
        assert low == -high
        assert min(image.to_rgba(0.0)[:3]) > 0.95


def test_errors_are_root_mean_squares_and_stand_above_their_clips():
    display = ReconstructionDisplay(INPUT, OUTPUT, names=["a", "b", "c"]).plot()
    assert display.errors_ == pytest.approx([2.0, 3.0, 0.0])
    titles = [ax.get_title() for ax in display.axes_[0]]
    assert titles == ["a\nRMSE 2 dB", "b\nRMSE 3 dB", "c\nRMSE 0 dB"]


def test_colour_bars_are_labelled_with_units():
    display = ReconstructionDisplay(INPUT, OUTPUT).plot()
    assert [bar.ax.get_ylabel() for bar in display.colorbars_] == ["Level (dB)", "Error (dB)"]
    display = ReconstructionDisplay(INPUT, OUTPUT, unit="").plot(show_error=False)
    assert [bar.ax.get_ylabel() for bar in display.colorbars_] == ["Level"]
    assert display.axes_.shape == (2, 3)


def test_perfect_reconstruction_can_be_drawn():
    display = ReconstructionDisplay(INPUT, INPUT).plot()
    assert display.errors_.tolist() == [0, 0, 0]
    display.figure_.draw_without_rendering()


def test_clips_of_different_lengths_keep_their_own_time_axis():
    clips = [np.zeros((8, 10)), np.zeros((8, 20))]
    display = ReconstructionDisplay(clips, clips, sample_rate=8000, hop_length=80).plot()
    assert [ax.get_xlim()[1] for ax in display.axes_[0]] == pytest.approx([0.095, 0.195])
    assert [ax.get_xlabel() for ax in display.axes_[:, 0]] == ["", "", "Time (s)"]


def test_an_autoencoder_without_front_end_is_drawn_in_frames_and_bands():
    display = ReconstructionDisplay.from_estimator(Reconstructing().fit(INPUT), INPUT, max_clips=2)
    assert display.errors_ == pytest.approx([1.0, 1.0])
    assert display.axes_[2, 0].get_xlabel() == "Frame"
    assert display.colorbars_[0].ax.get_ylabel() == "Level"


def test_pipeline_from_waveforms_is_drawn_in_hertz_and_decibels():
    clips = [RNG.normal(scale=0.1, size=n) for n in (4000, 6000)]
    pipeline = make_pipeline(MelSpectrogram(sample_rate=8000, scaling="log"), Louder()).fit(clips)
    display = ReconstructionDisplay.from_estimator(pipeline, clips)
    # half a neper of energy is half of 10 / ln 10 decibels
    assert display.errors_ == pytest.approx([5 / np.log(10)] * 2, rel=1e-4)
    assert display.colorbars_[0].ax.get_ylabel() == "Level (dB)"
    assert display.axes_[2, 0].get_xlabel() == "Time (s)"
    assert display.ax_.get_yscale() == "function"


@pytest.mark.parametrize(
    "originals, reconstructions, names, message",
    [
        (INPUT, OUTPUT[:2], None, "3 originals and 2 reconstructions"),
        ([], [], None, "at least one"),
        (INPUT, OUTPUT[:, :, :9], None, r"clip 0: .*\(8, 10\), .*\(8, 9\)"),
        (INPUT[0], OUTPUT[0], None, r"clip 0: original of shape \(10,\)"),
        (INPUT, OUTPUT, ["a"], "names has 1 entries for 3 clips"),
    ],
)
def test_errors_name_mismatched_inputs(originals, reconstructions, names, message):
    with pytest.raises(ValueError, match=message):
        ReconstructionDisplay(originals, reconstructions, names=names).plot()
