"""Properties of all displays."""

import ast
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

import sklearn_speech.inspection
from sklearn_speech.inspection import (
    ClassReportDisplay,
    DetCurveByRateDisplay,
    DetectionDisplay,
    FilterbankDisplay,
    FourierKernelDisplay,
    LearningCurveBySpeakerDisplay,
    PhoneConfusionDisplay,
    PosteriorgramDisplay,
    ReconstructionDisplay,
    SpeakerPredictionErrorDisplay,
    SpeakerScoresDisplay,
    SpectrogramDisplay,
    TrainingCurveDisplay,
    WaveformDisplay,
)
from sklearn_speech.inspection._axes import PALETTE
from sklearn_speech.metrics import detection_curve

SAID = [(0, "a", 1.0, 1.5), (0, "b", 3.0, 3.4)]
FOUND = [(0, "a", 1.1, 1.5, 0.9), (0, "b", 2.0, 2.4, 0.8), (0, "b", 3.0, 3.4, 0.7)]
HISTORY = [
    {"epoch": 1, "train_loss": 2.0, "valid_loss": 2.1, "valid_acc": 0.3},
    {"epoch": 2, "train_loss": 1.0, "valid_loss": 1.4, "valid_acc": 0.6},
]
LEVELS = np.linspace(-60, 0, 12 * 20).reshape(12, 20)
SINGLE = {
    "spectrogram": SpectrogramDisplay(LEVELS, sample_rate=8000, hop_length=80),
    "speakers": SpeakerScoresDisplay([0.5, 0.9, 0.7], ["ann", "bob", "eve"]),
    "voices": LearningCurveBySpeakerDisplay([1, 2], [[0.5, 0.7], [0.8, 0.9]]),
    "posteriorgram": PosteriorgramDisplay(np.eye(4), ["", "a", "b", "c"], frame_period=0.01),
    "confusions": PhoneConfusionDisplay(np.eye(3), ["a", "b", "-"]),
    "bank": FilterbankDisplay(np.eye(5), sample_rate=8000),
    "waveform": WaveformDisplay(np.sin(np.arange(100.0)), sample_rate=8000),
    "det": DetCurveByRateDisplay(detection_curve(SAID, FOUND, [1800.0])),
}
SEVERAL = {
    "waveforms": (WaveformDisplay([np.ones(9), np.ones(7)], sample_rate=8000), 2),
    "curves": (TrainingCurveDisplay(HISTORY), 2),
    "detections": (
        DetectionDisplay(
            np.sin(np.arange(4000.0)),
            np.eye(4)[:, :2],
            np.arange(4.0),
            ["a", "b"],
            FOUND,
            sample_rate=1000,
            truth=SAID,
        ),
        2,
    ),
    "pairs": (ReconstructionDisplay([LEVELS, LEVELS], [LEVELS, LEVELS + 1]), 6),
    "numbers": (
        SpeakerPredictionErrorDisplay(np.eye(3)[:, :2], np.eye(3)[:, :2], ["ann", "bob", "eve"]),
        2,
    ),
    "report": (ClassReportDisplay.from_predictions([0, 1, 1], [0, 1, 0]), 3),
    "kernels": (
        FourierKernelDisplay(np.eye(60), np.eye(60), sample_rate=8000, n_fft=118),
        8,
    ),
    "banks": (FilterbankDisplay(np.eye(5), sample_rate=8000, initial=np.eye(5)), 2),
}


def test_matplotlib_is_imported_inside_functions_only():
    for path in Path(sklearn_speech.inspection.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                assert "matplotlib" not in ast.unparse(node), path.name


def test_missing_matplotlib_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(
        ImportError, match=r"SpectrogramDisplay.plot needs .*sklearn-speech\[plot\]"
    ):
        SINGLE["spectrogram"].plot()


@pytest.mark.parametrize("name", SINGLE)
def test_single_panel_draws_on_the_axes_that_are_passed(name):
    figure, (left, right) = plt.subplots(1, 2)
    display = SINGLE[name]
    assert display.plot(ax=right) is display
    assert display.ax_ is right
    assert display.figure_ is figure
    assert not left.has_data()


@pytest.mark.parametrize("name", SINGLE)
def test_single_panel_makes_one_new_figure_without_axes(name):
    before = plt.get_fignums()
    display = SINGLE[name].plot()
    assert len(plt.get_fignums()) == len(before) + 1
    assert display.figure_ is plt.gcf()


@pytest.mark.parametrize("name", SEVERAL)
def test_one_axes_is_divided_into_the_panels(name):
    display, n_panels = SEVERAL[name]
    figure, (left, right) = plt.subplots(1, 2, layout="constrained")
    display.plot(ax=right)
    assert display.axes_.size == n_panels
    assert display.figure_ is figure
    figure.draw_without_rendering()
    edge = left.get_position().x1
    assert all(panel.get_position().x0 > edge for panel in display.axes_.flat)


@pytest.mark.parametrize("name", SEVERAL)
def test_panels_may_be_passed_one_by_one(name):
    display, n_panels = SEVERAL[name]
    _, axes = plt.subplots(1, n_panels)
    display.plot(ax=axes)
    assert list(display.axes_.flat) == list(axes)


@pytest.mark.parametrize("name", SEVERAL)
def test_wrong_number_of_panels_is_refused(name):
    display, n_panels = SEVERAL[name]
    _, axes = plt.subplots(1, n_panels + 1)
    with pytest.raises(ValueError, match=f"{n_panels + 1} axes, but .* draws {n_panels} panels"):
        display.plot(ax=axes)


def test_axes_off_the_grid_cannot_be_divided():
    ax = plt.figure().add_axes((0.1, 0.1, 0.8, 0.8))
    with pytest.raises(ValueError, match="is not on a grid"):
        TrainingCurveDisplay(HISTORY).plot(ax=ax)


def test_display_can_be_drawn_twice():
    display = SINGLE["speakers"]
    assert display.plot().ax_ is not display.plot().ax_


@pytest.mark.parametrize("missed", [0, 3, 10])
def test_the_legend_of_misses_lies_on_no_curve(missed):
    said = [(0, "a", i, i + 0.5) for i in range(10)]
    found = [(*event, 1 - 0.05 * i) for i, event in enumerate(said[missed:])]
    alarms = [(0, "a", 20 + i, 20.5 + i, 0.9 - 0.1 * i) for i in range(5)]
    display = DetCurveByRateDisplay(detection_curve(said, found + alarms, [1800.0])).plot()
    display.figure_.canvas.draw()
    legend = display.ax_.get_legend().get_window_extent()
    points = display.ax_.transData.transform(display.lines_[0].get_xydata())
    assert not any(legend.contains(*point) for point in points)
    assert legend.y0 >= display.ax_.get_window_extent().y1 - 1
    plt.close(display.figure_)


def _as_seen(color, blindness):
    """A colour as seen with a kind of colour blindness (Machado and others, 2009, severity 1)."""
    matrices = {
        "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
        "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        "tritan": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
    }
    value = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)
    return np.clip(np.array(matrices[blindness]) @ linear, 0, 1)


def _lab(linear):
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    xyz = np.array(to_xyz) @ linear / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("blindness", ["protan", "deutan", "tritan"])
def test_first_four_colours_are_distinguishable_with_colour_blindness(blindness):
    seen = [_lab(_as_seen(color, blindness)) for color in PALETTE[:4]]
    white = _lab(np.ones(3))
    for i, color in enumerate(seen):
        for other in [*seen[:i], white]:
            assert np.linalg.norm(color - other) > 15  # about six just noticeable differences


def test_every_event_that_is_partly_shown_is_drawn_whatever_its_word():
    display = DetectionDisplay(
        np.r_[np.nan, np.ones(999)],
        np.eye(4)[:, :1],
        np.linspace(0, 1, 4),
        ["a"],
        [(0, "$a$b$", 0.2, 0.5), (0, "a", 0.7, 1.0), (0, "a", 0.3, 0.4)],
        sample_rate=1000,
    )
    display.plot(start=0.45)
    assert len(display.event_spans_) == 2
    display.figure_.canvas.draw()
    plt.close(display.figure_)
