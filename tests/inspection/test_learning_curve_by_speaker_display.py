import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB

from sklearn_speech.inspection import LearningCurveBySpeakerDisplay
from sklearn_speech.model_selection import learning_curve_by_speaker
from sklearn_speech.model_selection._statistics import mean_interval

SIZES = [1, 2, 4]
SCORES = np.array([[0.3, 0.5, 0.4], [0.5, 0.7, 0.6], [0.8, 0.9, 0.7]])


def _band(display, name=""):
    """Bounds of the band at the numbers of speakers."""
    (path,) = display.bands_[name].get_paths()
    return [
        (ys.min(), ys.max())
        for ys in (path.vertices[path.vertices[:, 0] == n, 1] for n in display.n_speakers)
    ]


def _legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_the_line_is_the_mean_over_speakers_on_an_axis_that_doubles():
    display = LearningCurveBySpeakerDisplay(SIZES, SCORES).plot()
    line = display.lines_[""]
    assert line.get_xdata().tolist() == SIZES
    assert line.get_ydata() == pytest.approx([0.4, 0.6, 0.8])
    ticks = display.ax_.transData.transform([(n, 0) for n in SIZES])[:, 0]
    assert ticks[1] - ticks[0] == pytest.approx(ticks[2] - ticks[1])


def test_the_band_is_the_confidence_interval_over_speakers():
    display = LearningCurveBySpeakerDisplay(SIZES, SCORES, confidence=0.8).plot()
    for bounds, values in zip(_band(display), SCORES):
        assert bounds == pytest.approx(mean_interval(values, 0.8))
    assert display.ax_.get_legend().get_title().get_text() == "Mean over speakers, 80% CI"


def test_given_intervals_are_drawn():
    intervals = {"": [(0.1, 0.6), (0.2, 0.7), (0.3, 0.9)]}
    display = LearningCurveBySpeakerDisplay(
        SIZES, SCORES, intervals=intervals, interval_name="range"
    ).plot()
    assert _band(display) == [pytest.approx(pair) for pair in intervals[""]]
    assert display.ax_.get_legend().get_title().get_text() == "range"


def test_a_single_speaker_has_no_band():
    display = LearningCurveBySpeakerDisplay(SIZES, SCORES[:, :1]).plot()
    assert display.bands_ == {}
    assert display.ax_.get_legend().get_title().get_text() == ""


def test_a_number_of_speakers_without_a_score_is_a_gap():
    scores = SCORES.copy()
    scores[0, 1] = np.nan
    display = LearningCurveBySpeakerDisplay(SIZES, scores).plot()
    assert np.isnan(display.lines_[""].get_ydata()).tolist() == [True, False, False]
    display.figure_.draw_without_rendering()


def test_several_pipelines_have_their_own_colour_marker_and_name():
    display = LearningCurveBySpeakerDisplay(SIZES, {"a": SCORES, "b": SCORES - 0.3}).plot(
        chance=0.1
    )
    a, b = display.lines_.values()
    assert a.get_color() != b.get_color() and a.get_marker() != b.get_marker()
    assert _legend(display) == ["a", "b", "chance"]


@pytest.mark.parametrize("scores", [SCORES[0], SCORES[:2], np.zeros((3, 0)), {}])
def test_scores_of_the_wrong_shape_are_refused(scores):
    with pytest.raises(ValueError, match="scores"):
        LearningCurveBySpeakerDisplay(SIZES, scores).plot()


@pytest.fixture(scope="module")
def clips():
    rng = np.random.default_rng(0)
    y, speakers = np.tile([0, 1], 60), np.repeat(["ann", "bob", "cem", "dan"], 30)
    return y[:, None] + rng.normal(scale=0.7, size=(120, 1)), y, speakers


def _curve(classifier, clips, **kwargs):
    scoring = ["balanced_accuracy", "neg_log_loss"]
    return learning_curve_by_speaker(
        classifier, *clips, n_draws=3, scoring=scoring, random_state=0, **kwargs
    )


def test_results_are_drawn_by_name_and_metric(clips):
    results = {"bayes": _curve(GaussianNB(), clips), "constant": _curve(DummyClassifier(), clips)}
    _, ax = plt.subplots()
    display = LearningCurveBySpeakerDisplay.from_result(results, metric="neg_log_loss", ax=ax)
    for name, result in results.items():
        expected = result.mean("neg_log_loss")
        assert display.lines_[name].get_ydata() == pytest.approx(expected)
        interval = result.confidence_interval(metric="neg_log_loss")
        assert _band(display, name) == [pytest.approx(pair) for pair in interval]
    assert display.ax_ is ax and ax.get_ylabel() == "Neg log loss"


def test_the_band_over_draws_reaches_from_the_worst_to_the_best(clips):
    result = _curve(GaussianNB(), clips)
    display = LearningCurveBySpeakerDisplay.from_result(result, over="draws")
    draws = result.draw_scores()
    expected = zip(draws.min(axis=1), draws.max(axis=1))
    assert _band(display) == [pytest.approx(pair) for pair in expected]
    assert display.ax_.get_legend().get_title().get_text() == "Mean, range of draws"


def test_an_estimator_is_drawn_as_its_result(clips):
    display = LearningCurveBySpeakerDisplay.from_estimator(
        GaussianNB(), *clips, n_draws=3, random_state=0, chance=0.5
    )
    result = learning_curve_by_speaker(GaussianNB(), *clips, n_draws=3, random_state=0)
    assert display.lines_[""].get_ydata() == pytest.approx(result.mean())
    assert display.ax_.get_ylabel() == "Accuracy" and "chance" in _legend(display)


def test_curves_of_other_numbers_of_speakers_are_refused(clips):
    results = {"a": _curve(GaussianNB(), clips), "b": _curve(GaussianNB(), clips, n_speakers=[1])}
    with pytest.raises(ValueError, match=r"result 'b' is of \[1\] training speakers"):
        LearningCurveBySpeakerDisplay.from_result(results)
    with pytest.raises(ValueError, match="over='clips': expected 'speakers' or 'draws'"):
        LearningCurveBySpeakerDisplay.from_result(results["a"], over="clips")
    with pytest.raises(ValueError, match="results is empty"):
        LearningCurveBySpeakerDisplay.from_result({})
    with pytest.raises(ValueError, match="metric='x': expected one of"):
        LearningCurveBySpeakerDisplay.from_result(results["a"], metric="x")
