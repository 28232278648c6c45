"""Every example runs, offline, on synthetic speech."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("plot_*.py"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example_runs_without_recordings_and_says_so(path, tmp_path):
    nowhere = {
        "SKLEARN_SPEECH_DATA": str(tmp_path / "data"),
        # no proxy listens there: whatever the machine's network, nothing is downloaded
        "https_proxy": "http://127.0.0.1:9",
        "http_proxy": "http://127.0.0.1:9",
        "no_proxy": "",
        "MPLBACKEND": "Agg",
        "OMP_NUM_THREADS": "1",  # tests run side by side, and threads that wait for cores stall
    }
    run = subprocess.run(
        [sys.executable, path],
        cwd=tmp_path,
        env={**os.environ, **nowhere},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert "SYNTHETIC" in run.stdout + run.stderr
    assert list(tmp_path.glob("*.png")), run.stdout
