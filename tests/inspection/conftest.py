import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def _nothing_is_shown(monkeypatch):
    """A display draws; whether and where it is shown is the caller's business."""

    def show(*args, **kwargs):
        pytest.fail("a display called plt.show")

    monkeypatch.setattr(plt, "show", show)
    yield
    plt.close("all")
