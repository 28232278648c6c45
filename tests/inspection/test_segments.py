import itertools

import matplotlib.pyplot as plt
import pytest

from sklearn_speech.inspection._segments import check_segments, draw_segments


def _axes(right):
    _, ax = plt.subplots(figsize=(4, 2), layout="constrained")
    ax.set_xlim(0, right)
    return ax


@pytest.mark.parametrize("bad", [(0.1, 0.2), 3, (0.3, 0.2, "a"), ("0", "1", "a")])
def test_error_names_the_invalid_segment(bad):
    with pytest.raises(ValueError, match=r"segments\[1\]="):
        check_segments([(0, 0.1, "ok"), bad])


def test_boundaries_lie_at_the_times_and_labels_in_the_middle():
    ax = _axes(1.0)
    boundaries, labels = draw_segments(ax, [(0.0, 0.4, "one"), (0.4, 0.8, "two")], color="red")
    assert [path.vertices[0, 0] for path in boundaries.get_paths()] == [0.4, 0.8]
    assert [label.get_text() for label in labels] == ["one", "two"]
    assert [label.get_position()[0] for label in labels] == pytest.approx([0.2, 0.6])


def test_segments_outside_of_the_axes_are_left_out():
    _, labels = draw_segments(_axes(1.0), [(0, 0.5, "in"), (2.0, 3.0, "out")], color="red")
    assert [label.get_text() for label in labels] == ["in"]
    assert draw_segments(_axes(1.0), [(2.0, 3.0, "out")], color="red") == (None, [])


def test_crowded_labels_never_overlap():
    ax = _axes(10.0)
    segments = [(0.1 * i, 0.1 * (i + 1), f"p{i}") for i in range(100)]
    _, labels = draw_segments(ax, segments, color="red")
    ax.figure.draw_without_rendering()
    rows = {}
    for label in labels:
        rows.setdefault(label.get_text().count("\n"), []).append(label.get_window_extent())
    assert len(rows) == 3 and len(labels) < 100
    for boxes in rows.values():
        assert all(a.x1 < b.x0 for a, b in itertools.pairwise(boxes))


def test_title_stands_above_the_labels():
    ax = _axes(1.0)
    title = ax.set_title("sentence")
    _, labels = draw_segments(ax, [(0.0, 0.4, "one")], color="red")
    ax.figure.draw_without_rendering()
    assert title.get_window_extent().y0 >= labels[0].get_window_extent().y1
