import numpy as np
import pytest
from sklearn.base import clone
from sklearn.ensemble import VotingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_speech.classification import SpectrogramLinearClassifier
from sklearn_speech.feature_extraction import SpectrogramScaler
from sklearn_speech.inspection import TrainingCurveDisplay

FULL = [
    {"epoch": 1, "train_loss": 2.0, "valid_loss": 1.8, "valid_acc": 0.3, "lr": 0.1},
    {"epoch": 2, "train_loss": 1.0, "valid_loss": 1.2, "valid_acc": 0.6, "lr": 0.2},
    {"epoch": 3, "train_loss": 0.5, "valid_loss": 1.5, "valid_acc": 0.5, "lr": 0.1},
]
TRAIN_ONLY = [{"epoch": i + 1, "train_loss": 1.0 / (i + 1)} for i in range(4)]
STAGED = [
    {"epoch": epoch, "train_loss": loss, "stage": stage}
    for epoch, loss, stage in [(1, 0.9, 1), (2, 0.4, 1), (1, 0.8, 2), (2, 0.3, 2)]
]


class Net:
    def __init__(self, history):
        self.history_ = history


def test_curves_hold_the_numbers_of_the_history():
    display = TrainingCurveDisplay(FULL).plot(panels=["loss", "accuracy", "lr"])
    assert set(key for _, key in display.lines_) == {"train_loss", "valid_loss", "valid_acc", "lr"}
    for (_, key), line in display.lines_.items():
        assert line.get_xdata().tolist() == [1, 2, 3]
        assert line.get_ydata().tolist() == [row[key] for row in FULL]


def test_panels_are_labelled():
    display = TrainingCurveDisplay(FULL).plot(panels=["loss", "accuracy", "lr"])
    assert [ax.get_ylabel() for ax in display.axes_] == ["Loss", "Accuracy", "Learning rate"]
    assert [ax.get_xlabel() for ax in display.axes_] == ["Epoch"] * 3
    display.figure_.draw_without_rendering()
    assert all(tick == int(tick) for tick in display.ax_.get_xticks())


def test_accuracy_has_a_panel_only_where_it_was_recorded():
    assert TrainingCurveDisplay(FULL).plot().axes_.size == 2
    assert TrainingCurveDisplay(TRAIN_ONLY).plot().axes_.size == 1


def test_training_is_dashed_and_validation_solid():
    lines = TrainingCurveDisplay(FULL).plot().lines_
    assert lines["", "train_loss"].get_linestyle() == "--"
    assert lines["", "valid_loss"].get_linestyle() == "-"


def test_a_dot_marks_the_epoch_with_the_lowest_validation_loss():
    display = TrainingCurveDisplay(FULL).plot()
    assert [(dot.get_xdata()[0], dot.get_ydata()[0]) for dot in display.best_] == [
        (2, 1.2),
        (2, 0.6),
    ]
    assert TrainingCurveDisplay(FULL).plot(mark_best=False).best_ == []
    assert TrainingCurveDisplay(TRAIN_ONLY).plot().best_ == []


def test_legend_tells_splits_apart_and_explains_the_dot():
    legend = TrainingCurveDisplay(FULL).plot().ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == [
        "training",
        "validation",
        "lowest validation loss",
    ]


def test_each_of_several_runs_has_one_colour():
    display = TrainingCurveDisplay({"a": FULL, "b": TRAIN_ONLY}).plot()
    lines = display.lines_
    assert lines["a", "train_loss"].get_color() == lines["a", "valid_loss"].get_color()
    assert lines["a", "train_loss"].get_color() != lines["b", "train_loss"].get_color()
    assert ("b", "valid_loss") not in lines
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts[:2] == ["a", "b"]


def test_stages_follow_each_other_with_a_gap_between():
    display = TrainingCurveDisplay(STAGED).plot()
    line = display.lines_["", "train_loss"]
    assert np.array_equal(line.get_xdata(), [1, 2, np.nan, 3, 4], equal_nan=True)
    assert np.array_equal(line.get_ydata(), [0.9, 0.4, np.nan, 0.8, 0.3], equal_nan=True)
    (top,) = display.ax_.child_axes
    assert [t.get_text() for t in top.get_xticklabels()] == ["stage 1", "stage 2"]


def test_history_of_the_last_step_of_a_pipeline_is_drawn():
    pipeline = make_pipeline(StandardScaler(), Net(FULL))
    display = TrainingCurveDisplay.from_estimator(pipeline)
    assert display.lines_["", "valid_loss"].get_ydata().tolist() == [1.8, 1.2, 1.5]


def test_several_networks_are_drawn_by_name():
    display = TrainingCurveDisplay.from_estimator({"a": Net(FULL), "b": Net(TRAIN_ONLY)})
    assert {name for name, _ in display.lines_} == {"a", "b"}


def test_history_of_skorch_is_drawn():
    skorch_history = pytest.importorskip("skorch.history")
    history = skorch_history.History()
    for row in FULL:
        history.new_epoch()
        for key, value in row.items():
            history.record(key, value)
        history.new_batch()
        history.record_batch("train_loss", 9.0)
    display = TrainingCurveDisplay.from_estimator(Net(history))
    assert display.lines_["", "train_loss"].get_ydata().tolist() == [2.0, 1.0, 0.5]


@pytest.mark.parametrize("estimator", [Net(None), Net([]), StandardScaler()])
def test_the_error_names_an_estimator_without_history(estimator):
    with pytest.raises(AttributeError, match=f"{type(estimator).__name__} has no history"):
        TrainingCurveDisplay.from_estimator(estimator)


def test_empty_runs_and_unknown_panels_are_refused():
    with pytest.raises(ValueError, match="history 'b' has no epoch"):
        TrainingCurveDisplay({"a": FULL, "b": []}).plot()
    with pytest.raises(ValueError, match="histories is empty"):
        TrainingCurveDisplay({}).plot()
    with pytest.raises(ValueError, match=r"panels=.*'f1'"):
        TrainingCurveDisplay(FULL).plot(panels=["f1"])


def test_an_ensemble_has_a_run_for_each_of_its_networks():
    X = np.random.default_rng(0).normal(size=(12, 5, 6)).astype(np.float32)
    net = SpectrogramLinearClassifier(max_epochs=2, random_state=0)
    vote = VotingClassifier([("one", net), ("other", clone(net).set_params(max_epochs=3))])
    pipeline = make_pipeline(SpectrogramScaler(), vote).fit(X, np.arange(12) % 3)
    lines = TrainingCurveDisplay.from_estimator(pipeline).lines_
    assert {name: len(line.get_xdata()) for (name, _), line in lines.items()} == {
        "one": 2,
        "other": 3,
    }
