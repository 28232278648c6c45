"""The documented searches on several machines, run as a user runs them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

pytestmark = pytest.mark.slow

COMPLETE, PRUNED = TrialState.COMPLETE, TrialState.PRUNED
SCRIPT = Path(__file__).parents[2] / "examples" / "search_beyond_one_machine.py"


def run(*options, cwd):
    command = [sys.executable, SCRIPT, *options]
    process = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=500, check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert process.returncode == 0, process.stderr[-3000:]
    return re.findall(r"SYNTHETIC digits: (\d+) trials", process.stdout)


def test_on_a_dask_cluster(tmp_path):
    pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    assert run("--dask", cwd=tmp_path) == ["6"]


def test_by_two_processes_on_one_storage(tmp_path):
    url = f"sqlite:///{tmp_path}/search.db"
    assert run("--storage", url, "--workers", "2", cwd=tmp_path) == ["6", "6"]
    (summary,) = optuna.get_all_study_summaries(url)
    study = optuna.load_study(study_name=summary.study_name, storage=url)
    # neither process repeats trials of the other or exceeds the total
    finished = [trial for trial in study.trials if trial.state in (COMPLETE, PRUNED)]
    assert len(finished) == 6
    assert len({str(trial.params) for trial in finished}) == 6
