import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.dummy import DummyClassifier
from sklearn.metrics import classification_report

from sklearn_speech.inspection import ClassReportDisplay

RNG = np.random.default_rng(0)
WORDS = np.array(["down", "go", "left", "no"])
TRUE = RNG.choice(WORDS, 200, p=[0.4, 0.3, 0.2, 0.1])
PREDICTED = np.where(RNG.random(200) < 0.7, TRUE, RNG.choice(WORDS, 200))
REPORT = classification_report(TRUE, PREDICTED, output_dict=True)


def _rows(display):
    return [label.get_text().split(" ")[0] for label in display.ax_.get_yticklabels()]


def test_bars_are_precision_recall_and_f1_of_scikit_learns_report():
    display = ClassReportDisplay.from_predictions(TRUE, PREDICTED)
    for metric, key in {"precision": "precision", "recall": "recall", "f1": "f1-score"}.items():
        widths = [bar.get_width() for bar in display.bars_[metric]]
        assert widths == pytest.approx([REPORT[word][key] for word in _rows(display)])


def test_dashed_line_and_title_are_the_mean_over_classes():
    display = ClassReportDisplay.from_predictions(TRUE, PREDICTED)
    for panel, key in zip(display.axes_, ("precision", "recall", "f1-score")):
        (line,) = panel.lines
        assert line.get_xdata()[0] == pytest.approx(REPORT["macro avg"][key])
        assert panel.get_title() == f"mean {REPORT['macro avg'][key]:.3f}"


def test_best_class_is_on_top():
    display = ClassReportDisplay.from_predictions(TRUE, PREDICTED)
    widths = [bar.get_width() for bar in display.bars_["f1"]]
    heights = [bar.get_y() for bar in display.bars_["f1"]]
    assert widths == sorted(widths, reverse=True) and heights == sorted(heights)
    assert display.ax_.yaxis_inverted()


def test_classes_are_named_with_their_number_of_clips():
    display = ClassReportDisplay.from_predictions(TRUE, PREDICTED, sort_by=None)
    expected = [f"{word} ({(word == TRUE).sum()})" for word in WORDS]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == expected


def test_numbers_stand_beside_the_bars_and_off_the_mean_line():
    display = ClassReportDisplay.from_predictions(TRUE, PREDICTED, metrics=["recall"])
    texts = [text for text in display.ax_.texts]
    assert [t.get_text() for t in texts] == [
        f"{REPORT[word]['recall']:.2f}" for word in _rows(display)
    ]
    display.figure_.draw_without_rendering()
    right = display.ax_.get_window_extent().x1
    assert all(text.get_window_extent().x0 > right for text in texts)


def test_class_never_predicted_has_precision_zero_without_a_warning():
    display = ClassReportDisplay.from_predictions(["a", "b"], ["a", "a"])
    assert dict(zip(display.class_names, display.scores["precision"])) == {"a": 0.5, "b": 0.0}


def test_weights_of_clips_count():
    display = ClassReportDisplay.from_predictions(
        [0, 0, 1], [0, 1, 1], sample_weight=[3, 1, 1], sort_by=None
    )
    assert display.scores["recall"].tolist() == [0.75, 1.0]
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["0", "1"]


def test_fitted_classifier_is_drawn():
    X = np.zeros((200, 1))
    classifier = DummyClassifier(strategy="constant", constant="go").fit(X, TRUE)
    display = ClassReportDisplay.from_estimator(classifier, X, TRUE, labels=WORDS)
    assert display.scores["recall"].tolist() == [0, 1, 0, 0]
    assert display.scores["precision"][1] == pytest.approx((TRUE == "go").mean())


def test_unknown_metric_and_wrong_lengths_are_refused():
    display = ClassReportDisplay({"f1": [0.5, 0.6]}, ["a", "b"])
    with pytest.raises(ValueError, match="metric 'accuracy'"):
        display.plot(metrics=["accuracy"])
    with pytest.raises(ValueError, match=r"scores\['f1'\] has shape \(2,\)"):
        ClassReportDisplay({"f1": [0.5, 0.6]}, ["a"]).plot()


def test_each_label_of_an_indicator_matrix_has_a_bar():
    rng = np.random.default_rng(0)
    true = rng.integers(0, 2, (40, 3))
    true[:, 2] = 0  # this label never occurs
    predicted = np.where(rng.random((40, 3)) < 0.8, true, 1 - true)
    report = classification_report(true, predicted, output_dict=True, zero_division=0)
    for form in (np.asarray, csr_matrix):
        display = ClassReportDisplay.from_predictions(
            form(true), form(predicted), display_labels=["go", "no", "yes"], sort_by=None
        )
        assert _rows(display) == ["go", "no", "yes"]
        widths = [bar.get_width() for bar in display.bars_["recall"]]
        assert widths == pytest.approx([report[str(j)]["recall"] for j in range(3)])
        assert display.support.tolist() == true.sum(axis=0).tolist()
    two = ClassReportDisplay.from_predictions(
        true, predicted, labels=[1, 0], display_labels=["no", "go"], sort_by=None
    )
    assert _rows(two) == ["no", "go"]
    with pytest.raises(ValueError, match="display_labels has 2 names, but there are 3 labels"):
        ClassReportDisplay.from_predictions(true, predicted, display_labels=["no", "go"])


def test_without_f1_the_first_metric_sorts():
    display = ClassReportDisplay({"recall": [0.2, 0.9]}, ["no", "yes"]).plot()
    assert [label.get_text() for label in display.ax_.get_yticklabels()] == ["yes", "no"]
