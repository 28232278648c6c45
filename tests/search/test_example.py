"""The documented searches on several machines, run as a user runs them."""

import os
import re
import runpy
import warnings
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

pytestmark = pytest.mark.slow

COMPLETE, PRUNED = TrialState.COMPLETE, TrialState.PRUNED
SCRIPT = Path(__file__).parents[2] / "examples" / "search_beyond_one_machine.py"


def run(*options, monkeypatch, capfd):
    """In this process: a new one would import for seconds what is imported here."""
    monkeypatch.setattr("sys.argv", [os.fspath(SCRIPT), *options])
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # draws depend on how many trials run at a time
        runpy.run_path(os.fspath(SCRIPT), run_name="__main__")
    return re.findall(r"SYNTHETIC digits: (\d+) trials", capfd.readouterr().out)


def test_on_a_dask_cluster(dask_processes, monkeypatch, capfd):
    assert run("--dask", monkeypatch=monkeypatch, capfd=capfd) == ["6"]


def test_by_two_processes_on_one_storage(tmp_path, monkeypatch, capfd):
    url = f"sqlite:///{tmp_path}/search.db"
    options = ["--storage", url, "--workers", "2"]
    assert run(*options, monkeypatch=monkeypatch, capfd=capfd) == ["6", "6"]
    (summary,) = optuna.get_all_study_summaries(url)
    study = optuna.load_study(study_name=summary.study_name, storage=url)
    # neither process repeats trials of the other or exceeds the total
    finished = [trial for trial in study.trials if trial.state in (COMPLETE, PRUNED)]
    assert len(finished) == 6
    assert len({str(trial.params) for trial in finished}) == 6
