import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import Ridge
from sklearn.metrics import PredictionErrorDisplay

from sklearn_speech.inspection import SpeakerPredictionErrorDisplay
from sklearn_speech.model_selection import cross_validate_by_speaker

RNG = np.random.default_rng(0)
SPEAKERS = np.repeat(["ann", "bob", "cem"], 5)
TRUE = RNG.normal(200, 40, 15)
PREDICTED = TRUE + RNG.normal(0, 10, 15)


def points(panel):
    return {name: np.asarray(drawn.get_offsets()) for name, drawn in panel.items()}


def test_each_speaker_has_the_points_of_its_clips_in_one_colour():
    display = SpeakerPredictionErrorDisplay.from_predictions(TRUE, PREDICTED, SPEAKERS)
    (panel,) = display.points_
    for name, drawn in points(panel).items():
        own = SPEAKERS == name
        np.testing.assert_allclose(drawn, np.column_stack([PREDICTED, TRUE])[own])
    colors = {tuple(drawn.get_facecolor()[0]) for drawn in panel.values()}
    assert len(colors) == 3
    legend = display.ax_.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["ann", "bob", "cem"]


def test_residuals_are_true_minus_predicted():
    display = SpeakerPredictionErrorDisplay.from_predictions(
        TRUE, PREDICTED, SPEAKERS, kind="residual_vs_predicted", target_names="pitch (Hz)"
    )
    drawn = points(display.points_[0])["bob"]
    np.testing.assert_allclose(drawn[:, 1], (TRUE - PREDICTED)[SPEAKERS == "bob"])
    assert display.ax_.get_ylabel() == "True minus predicted pitch (Hz)"


def test_the_line_equals_that_of_scikit_learn():
    display = SpeakerPredictionErrorDisplay.from_predictions(TRUE, PREDICTED, SPEAKERS)
    _, ax = plt.subplots()
    theirs = PredictionErrorDisplay.from_predictions(
        TRUE, PREDICTED, kind="actual_vs_predicted", ax=ax
    )
    for ours, expected in zip(display.displays_[0].line_.get_data(), theirs.line_.get_data()):
        np.testing.assert_allclose(ours, expected)


def test_each_target_has_a_panel_with_its_name():
    both = np.column_stack([TRUE, TRUE / 100])
    display = SpeakerPredictionErrorDisplay.from_predictions(
        both, both, SPEAKERS, target_names=["pitch (Hz)", "duration (s)"]
    )
    names = [panel.get_xlabel() for panel in display.axes_]
    assert names == ["Predicted pitch (Hz)", "Predicted duration (s)"]
    np.testing.assert_allclose(points(display.points_[1])["ann"][:, 1], TRUE[:5] / 100)


def test_out_of_fold_predictions_are_drawn_by_held_out_speaker():
    X = TRUE[:, None] + RNG.normal(0, 5, (15, 2))
    scores = cross_validate_by_speaker(Ridge(), X, TRUE, SPEAKERS)
    display = SpeakerPredictionErrorDisplay.from_cv_results(scores)
    for name, drawn in points(display.points_[0]).items():
        own = SPEAKERS == name
        np.testing.assert_allclose(drawn[:, 0], scores.predictions[own])


def test_clips_that_no_fold_tested_are_not_drawn():
    X = TRUE[:, None]
    split = (np.arange(5, 15), np.arange(5))
    scores = cross_validate_by_speaker(Ridge(), X, TRUE, SPEAKERS, cv=[split])
    display = SpeakerPredictionErrorDisplay.from_cv_results(scores)
    assert list(display.points_[0]) == ["ann"]


def test_many_speakers_have_no_legend():
    display = SpeakerPredictionErrorDisplay.from_predictions(TRUE, PREDICTED, np.arange(15))
    assert display.ax_.get_legend() is None


@pytest.mark.parametrize(
    ("true", "predicted", "speakers", "names", "message"),
    [
        (TRUE, PREDICTED[:-1], SPEAKERS, None, r"shape \(15,\) and y_pred \(14,\)"),
        (TRUE, PREDICTED, SPEAKERS[:-1], None, r"speakers has shape \(14,\)"),
        (TRUE, PREDICTED, SPEAKERS, ["a", "b"], "2 names for 1 numbers a clip"),
    ],
)
def test_mismatched_arguments_are_refused(true, predicted, speakers, names, message):
    with pytest.raises(ValueError, match=message):
        SpeakerPredictionErrorDisplay(true, predicted, speakers, target_names=names).plot()


def test_predicted_classes_are_refused():
    y = np.where(TRUE > 200, "high", "low")
    scores = cross_validate_by_speaker(DummyClassifier(), TRUE[:, None], y, SPEAKERS)
    with pytest.raises(ValueError, match="expected the numbers of a regressor"):
        SpeakerPredictionErrorDisplay.from_cv_results(scores)
