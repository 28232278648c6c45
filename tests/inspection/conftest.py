import matplotlib.pyplot as plt
import pytest


@pytest.fixture(autouse=True)
def _nothing_is_shown(monkeypatch):
    """Displays must draw without showing the figure."""

    def show(*args, **kwargs):
        pytest.fail("a display called plt.show")

    monkeypatch.setattr(plt, "show", show)
    yield
    plt.close("all")
