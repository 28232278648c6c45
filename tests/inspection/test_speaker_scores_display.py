import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats
from sklearn.dummy import DummyClassifier
from sklearn.neighbors import KNeighborsClassifier

from sklearn_speech.inspection import SpeakerScoresDisplay
from sklearn_speech.model_selection import cross_validate_by_speaker

SCORES = np.array([0.9, 0.6, 0.8])
SPEAKERS = ["ann", "bob", "eve"]


def _points(display, name=""):
    line = display.points_[name]
    rows = dict(zip(display.ax_.get_yticks(), display.ax_.get_yticklabels()))
    return [(rows[y].get_text(), x) for x, y in zip(line.get_xdata(), line.get_ydata())]


def _bar(display, name=""):
    line, _, (segments,) = display.errorbars_[name]
    (segment,) = segments.get_segments()
    return line.get_xdata()[0], *segment[:, 0]


def _legend(display):
    return [text.get_text() for text in display.ax_.get_legend().get_texts()]


def test_speakers_are_sorted_with_the_best_on_top():
    display = SpeakerScoresDisplay(SCORES, SPEAKERS).plot()
    assert _points(display) == [("bob", 0.6), ("eve", 0.8), ("ann", 0.9)]


def test_error_bar_is_students_interval_over_speakers():
    mean, low, high = _bar(SpeakerScoresDisplay(SCORES, SPEAKERS, confidence=0.9).plot())
    assert mean == pytest.approx(SCORES.mean())
    expected = stats.t.interval(0.9, 2, loc=SCORES.mean(), scale=stats.sem(SCORES))
    assert (low, high) == pytest.approx(expected)


def test_legend_and_tick_state_mean_interval_and_level():
    display = SpeakerScoresDisplay(SCORES, SPEAKERS, confidence=0.9).plot()
    assert display.ax_.get_yticklabels()[0].get_text() == "Mean, 90% CI"
    assert _legend(display) == ["mean: 0.767 [0.509, 1.024]"]


def test_given_intervals_are_drawn_as_they_are():
    display = SpeakerScoresDisplay(SCORES, SPEAKERS, intervals={"": (0.5, 0.85)}).plot()
    assert _bar(display)[1:] == pytest.approx((0.5, 0.85))


def test_one_speaker_has_no_interval():
    display = SpeakerScoresDisplay([0.7], ["ann"]).plot()
    assert _legend(display) == ["mean: 0.700 (one speaker: no interval)"]
    display.figure_.draw_without_rendering()


def test_the_mean_is_undefined_if_a_speaker_has_no_score():
    display = SpeakerScoresDisplay([0.7, np.nan, 0.8], SPEAKERS).plot()
    assert _legend(display) == ["mean: no mean, because a speaker has no score"]
    assert _points(display)[0][0] == "bob"
    display.figure_.draw_without_rendering()


def test_several_pipelines_share_the_rows_with_own_colour_and_marker():
    display = SpeakerScoresDisplay({"a": SCORES, "b": SCORES - 0.3}, SPEAKERS).plot()
    assert _points(display, "a") == [("bob", 0.6), ("eve", 0.8), ("ann", 0.9)]
    assert [x for _, x in _points(display, "b")] == pytest.approx([0.3, 0.5, 0.6])
    a, b = display.points_.values()
    assert a.get_color() != b.get_color() and a.get_marker() != b.get_marker()
    assert [text.split(":")[0] for text in _legend(display)] == ["a", "b"]


def test_means_are_drawn_apart_from_each_other_and_from_the_speakers():
    display = SpeakerScoresDisplay({"a": SCORES, "b": SCORES}, SPEAKERS).plot()
    rows = [container[0].get_ydata()[0] for container in display.errorbars_.values()]
    assert max(rows) < 0.5 < min(display.points_["a"].get_ydata())
    assert len(set(rows)) == 2
    bottom, top = display.ax_.get_ylim()
    assert bottom < min(rows) and top > 3


def test_chance_is_a_line_named_in_the_legend():
    display = SpeakerScoresDisplay(SCORES, SPEAKERS).plot(chance=0.1)
    assert "chance" in _legend(display)
    assert [0.1, 0.1] in [list(line.get_xdata()) for line in display.ax_.lines]


def test_hundreds_of_speakers_are_counted_instead_of_named():
    scores = np.linspace(0.5, 1, 300)
    display = SpeakerScoresDisplay(scores, np.arange(300)).plot()
    assert display.ax_.get_ylabel() == "300 speakers, by score"
    assert len(display.ax_.get_yticks()) == 1
    assert display.figure_.get_figheight() < 8


@pytest.fixture(scope="module")
def results():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 60)
    speakers = np.repeat(["ann", "bob", "cem", "dan"], 30)
    X = y[:, None] + rng.normal(scale=0.7, size=(120, 1))
    classifiers = {"neighbours": KNeighborsClassifier(), "constant": DummyClassifier()}
    return {
        name: cross_validate_by_speaker(
            classifier, X, y, speakers, scoring=["balanced_accuracy", "neg_log_loss"]
        )
        for name, classifier in classifiers.items()
    }


def test_result_of_a_cross_validation_is_drawn(results):
    result = results["neighbours"]
    _, ax = plt.subplots()
    display = SpeakerScoresDisplay.from_cv_results(result, ax=ax)
    expected = dict(zip(result.speakers, result.speaker_scores()))
    assert dict(_points(display)) == pytest.approx(expected)
    mean = result.mean["balanced_accuracy"]
    assert _bar(display) == pytest.approx((mean, *result.confidence_interval()))
    assert display.ax_ is ax
    assert ax.get_xlabel() == "Balanced accuracy"


def test_several_results_are_drawn_by_name(results):
    display = SpeakerScoresDisplay.from_cv_results(results, metric="neg_log_loss", confidence=0.8)
    for name, result in results.items():
        interval = result.confidence_interval(0.8, metric="neg_log_loss")
        expected = (result.mean["neg_log_loss"], *interval)
        assert _bar(display, name) == pytest.approx(expected)


def test_results_of_other_speakers_are_refused(results):
    y, speakers = np.tile([0, 1], 10), np.repeat(["ann", "zoe"], 10)
    other = cross_validate_by_speaker(DummyClassifier(), np.zeros((20, 1)), y, speakers)
    with pytest.raises(ValueError, match="result 'other' is of speakers"):
        SpeakerScoresDisplay.from_cv_results({**results, "other": other})


def test_there_must_be_one_score_per_speaker():
    with pytest.raises(ValueError, match=r"scores of 'b' have shape \(2,\); .* \(3,\)"):
        SpeakerScoresDisplay({"a": SCORES, "b": SCORES[:2]}, SPEAKERS).plot()
    with pytest.raises(ValueError, match="scores is empty"):
        SpeakerScoresDisplay({}, SPEAKERS).plot()
