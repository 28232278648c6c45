import os
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch

matplotlib.use("Agg")


@pytest.fixture(autouse=True)
def _seeded():
    """Every test starts from the same global generators, whatever ran before it."""
    np.random.seed(0)  # noqa: NPY002 - scikit-learn draws from it
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _one_thread_per_worker():
    """Workers of a parallel run share the cores instead of fighting for them."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        torch.set_num_threads(1)


def real_data(name):
    """Folder of real recordings under SKLEARN_SPEECH_DATA, or a skip that says what is missing."""
    home = os.environ.get("SKLEARN_SPEECH_DATA")
    folder = Path(home or ".") / name
    if not home or not folder.is_dir():
        pytest.skip(f"real recordings not at hand: no {name!r} under SKLEARN_SPEECH_DATA={home!r}")
    return folder


@pytest.fixture(scope="session")
def fsdd_folder():
    """Folder that holds `recordings/` of the Free Spoken Digit Dataset."""
    return real_data("fsdd")


@pytest.fixture(scope="session")
def timit_folder():
    """Folder of the TIMIT sample: one folder a speaker."""
    return real_data("timit_sample")


@pytest.fixture(scope="session")
def speech_commands_folder():
    """Folder of the Speech Commands slice: one folder a word."""
    return real_data("speech_commands_v0.01")
