"""Every example runs, offline, on synthetic speech, with a few epochs of training.

The gallery of the documentation runs them as they are.
"""

import os
import runpy
import warnings
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest
import sklearn

from sklearn_speech.base._loop import NetworkLoop
from sklearn_speech.datasets import _download

pytestmark = pytest.mark.slow

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("plot_*.py"))


#: No network of an example is trained for more epochs than these.
MAX_EPOCHS = 4


@pytest.fixture
def short_training(monkeypatch):
    fit_loop = NetworkLoop.fit_loop

    def few_epochs(net, X, y=None, epochs=None, **options):
        wanted = net.max_epochs if epochs is None else epochs
        return fit_loop(net, X, y, min(wanted, MAX_EPOCHS), **options)

    monkeypatch.setattr(NetworkLoop, "fit_loop", few_epochs)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.usefixtures("short_training")
def test_example_runs_without_recordings_and_says_so(path, tmp_path, monkeypatch, capfd):
    monkeypatch.setenv("SKLEARN_SPEECH_DATA", str(tmp_path / "data"))
    # no proxy listens there: whatever the machine's network, nothing is downloaded
    for name in ("https_proxy", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setattr(_download, "time", SimpleNamespace(sleep=lambda seconds: None))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # for processes that an example starts
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [os.fspath(path)])
    # in this process: a new one would import for four seconds what is imported here
    with (
        plt.rc_context(),
        sklearn.config_context(),
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        runpy.run_path(os.fspath(path), run_name="__main__")
    plt.close("all")
    printed = capfd.readouterr().out
    assert "SYNTHETIC" in printed + " ".join(str(warning.message) for warning in warned)
    assert list(tmp_path.glob("*.png")), printed
