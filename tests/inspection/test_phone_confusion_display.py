import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sklearn_speech.inspection import PhoneConfusionDisplay
from sklearn_speech.metrics import TIMIT_PHONES, phone_confusion_matrix

SAID = [["n", "ay", "n"], ["w", "ah", "n"], ["ey", "tcl", "t"]]
HEARD = [["m", "ay", "n"], ["w", "n"], ["ey", "tcl", "t", "s"]]


def test_colours_are_shares_of_each_spoken_phone():
    display = PhoneConfusionDisplay.from_predictions(SAID, HEARD)
    shares = dict(zip(display.labels, display.image_.get_array()))
    column = {label: i for i, label in enumerate(display.labels)}
    assert shares["n"][column["m"]] == pytest.approx(1 / 3)
    assert shares["n"][column["n"]] == pytest.approx(2 / 3)
    assert shares["ah"][column["-"]] == 1
    assert shares["-"][column["s"]] == 1
    assert not shares["m"].any()  # never said
    assert display.image_.get_clim() == (0, 1)


def test_labels_are_at_their_rows_and_columns():
    display = PhoneConfusionDisplay.from_predictions(SAID, HEARD)
    for axis in (display.ax_.xaxis, display.ax_.yaxis):
        assert [label.get_text() for label in axis.get_ticklabels()] == display.labels
        assert axis.get_ticklocs().tolist() == list(range(len(display.labels)))


def test_labels_of_all_timit_phones_do_not_overlap():
    said = [list(TIMIT_PHONES)]
    display = PhoneConfusionDisplay.from_predictions(said, said)
    display.figure_.draw_without_rendering()
    boxes = [label.get_window_extent() for label in display.ax_.get_yticklabels()]
    assert len(boxes) == 62
    for above, below in itertools.pairwise(boxes):
        assert above.y0 >= below.y1 - 1


def test_folding_and_axes_are_passed_on():
    _, (left, right) = plt.subplots(1, 2)
    said, heard = [["ix", "q"]], [["ih"]]
    display = PhoneConfusionDisplay.from_predictions(
        said, heard, folding=39, ax=right, colorbar=False
    )
    assert display.ax_ is right and display.colorbar_ is None and not left.has_data()
    assert display.labels == ["ih", "-"]
    assert np.array_equal(display.confusion_matrix, [[1, 0], [0, 0]])


def test_from_estimator_predicts_once():
    class Recogniser:
        n_calls = 0

        def predict(self, X):
            self.n_calls += 1
            return HEARD

    recogniser = Recogniser()
    display = PhoneConfusionDisplay.from_estimator(recogniser, np.zeros((3, 10)), SAID)
    matrix, labels = phone_confusion_matrix(SAID, HEARD)
    assert recogniser.n_calls == 1
    assert np.array_equal(display.confusion_matrix, matrix) and display.labels == labels


def test_a_matrix_that_does_not_fit_its_labels_is_refused():
    with pytest.raises(ValueError, match=r"shape \(2, 2\); expected \(3, 3\)"):
        PhoneConfusionDisplay(np.eye(2), ["a", "b", "-"]).plot()
