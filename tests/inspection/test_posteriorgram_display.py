import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import make_pipeline

from sklearn_speech.feature_extraction import MelSpectrogram
from sklearn_speech.inspection import PosteriorgramDisplay
from sklearn_speech.recognition import PhonemeRecognizer

PHONES = ["", "aa", "b", "s", "z"]
# spoken: s, then b, then s again; z is never likely, aa never spoken but likely for a frame
POSTERIORS = np.array(
    [
        [0.1, 0.0, 0.1, 0.7, 0.1],
        [0.5, 0.0, 0.1, 0.3, 0.1],
        [0.1, 0.0, 0.8, 0.0, 0.1],
        [0.0, 0.9, 0.1, 0.0, 0.0],
        [0.1, 0.0, 0.1, 0.8, 0.0],
    ]
)
SEGMENTS = [(0.0, 0.02, "s"), (0.02, 0.04, "b"), (0.04, 0.05, "s")]


class Recogniser(BaseEstimator):
    """The parts of a recogniser that the display uses; keeps every second frame."""

    phones_ = PHONES[1:]

    def __init__(self, frontend=MelSpectrogram(sample_rate=8000, hop_length=80)):  # noqa: B008
        self.frontend = frontend

    def predict_log_proba(self, X):
        n_frames = 1 + X.shape[1] // 160
        return [np.log(np.tile(POSTERIORS[:1] + 1e-9, (n_frames, 1)))]


def _display(**parameters):
    return PosteriorgramDisplay(POSTERIORS, PHONES, frame_period=0.01, **parameters)


def test_cells_hold_the_posteriors_of_their_phone_and_time():
    display = _display(segments=SEGMENTS).plot()
    drawn = np.asarray(display.im_.get_array()).reshape(len(display.shown_phones_), 5)
    for row, phone in zip(drawn, display.shown_phones_):
        column = PHONES.index("" if phone == "blank" else phone)
        assert row.tolist() == POSTERIORS[:, column].tolist()
    assert display.im_.get_clim() == (0, 1)


def test_phones_are_ordered_by_first_occurrence_with_blank_last():
    display = _display(segments=SEGMENTS).plot()
    assert display.shown_phones_[::-1] == ["s", "b", "aa", "blank"]
    assert [t.get_text() for t in display.ax_.get_yticklabels()] == display.shown_phones_


def test_the_axis_is_named_after_the_rows():
    assert _display().plot().ax_.get_ylabel() == "Phone"
    assert _display(row_name="Word").plot().ax_.get_ylabel() == "Word"
    clip = np.zeros(800)
    display = PosteriorgramDisplay.from_estimator(Recogniser(), clip, row_name="Event")
    assert display.ax_.get_ylabel() == "Event"


def test_given_order_can_be_kept():
    display = _display(segments=SEGMENTS).plot(order="given")
    assert display.shown_phones_[::-1] == ["blank", "aa", "b", "s"]
    with pytest.raises(ValueError, match="order='alphabet'"):
        _display().plot(order="alphabet")


def test_unlikely_phones_have_no_row_unless_spoken():
    assert "z" not in _display().plot().shown_phones_
    assert "z" in _display(segments=[(0, 0.01, "z")]).plot().shown_phones_
    assert _display().plot(min_posterior=0.85).shown_phones_ == ["aa"]
    assert len(_display().plot(min_posterior=1.0).shown_phones_) == 1


def test_frames_surround_the_row_and_time_of_each_true_segment():
    display = _display(segments=SEGMENTS).plot()
    corners = [
        (path.vertices[:, 0].min(), path.vertices[:, 0].max(), path.vertices[:, 1].mean())
        for path in display.frames_.get_paths()
    ]
    for (start, end, _), (left, right, _) in zip(SEGMENTS, corners):
        assert (left, right) == pytest.approx((start, end))
    for (_, _, label), path in zip(SEGMENTS, display.frames_.get_paths()):
        row = display.shown_phones_.index(label)
        assert (path.vertices[:, 1].min(), path.vertices[:, 1].max()) == (row - 0.5, row + 0.5)


def test_labels_units_and_colour_bar():
    display = _display(segments=SEGMENTS).plot()
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("Time (s)", "Phone")
    assert display.colorbar_.ax.get_ylabel() == "Posterior probability"
    assert [t.get_text() for t in display.segment_labels_] == ["s", "b", "s"]


def test_segments_of_unknown_phones_have_a_label_and_no_frame():
    display = _display(segments=[(0.01, 0.03, "zh")]).plot()
    assert display.frames_ is None
    assert [t.get_text() for t in display.segment_labels_] == ["zh"]


def test_recogniser_is_drawn_with_the_time_between_its_own_frames():
    display = PosteriorgramDisplay.from_estimator(Recogniser(), np.zeros(8000))
    assert display.frame_period == pytest.approx(0.02)
    assert display.phones == PHONES
    assert display.posteriors[0] == pytest.approx(POSTERIORS[0], abs=1e-6)
    assert display.ax_.get_xlim() == pytest.approx((-0.01, 1.01))


def test_errors_name_mismatched_shapes():
    with pytest.raises(ValueError, match=r"shape \(5, 5\) with 2 phones"):
        PosteriorgramDisplay(POSTERIORS, ["a", "b"], frame_period=0.01).plot()
    with pytest.raises(ValueError, match=r"segments\[0\]"):
        _display(segments=[(1, 0, "a")]).plot()


@pytest.mark.parametrize("time_stride", [1, 4, 8])
def test_frame_times_are_those_of_the_network_also_in_a_pipeline(time_stride):
    recogniser = PhonemeRecognizer(
        n_conv_layers=1, n_filters=2, hidden_units=2, time_stride=time_stride, max_epochs=0,
        device="cpu", random_state=0,
    )  # fmt: skip
    X = np.random.default_rng(0).normal(scale=0.1, size=(2, 1920))
    pipeline = make_pipeline(MelSpectrogram(sample_rate=8000, n_mels=20), recogniser)
    pipeline.fit(X, [["a"], ["b"]])
    inside = clone(recogniser).set_params(frontend=MelSpectrogram(sample_rate=8000, n_mels=20))
    for fitted in (pipeline, inside.fit(X, [["a"], ["b"]])):
        display = PosteriorgramDisplay.from_estimator(fitted, X[0])
        assert display.frame_period == pytest.approx(0.01 * time_stride)
        assert list(display.phones) == ["", "a", "b"]
