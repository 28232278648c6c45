import compileall
import gc
import os
import signal
from pathlib import Path

import numpy as np
import pytest

os.environ["MPLBACKEND"] = "Agg"

# A run in the background ignores Ctrl-C, which some tests send to themselves.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The tests that are collected live until the end: the garbage collector need not look at them.
gc.disable()

if "PYTEST_XDIST_WORKER" in os.environ:
    # Workers of a parallel run, and the processes that they start, share the cores instead of
    # fighting for them. A fixture would not reach the doctests of the package.
    os.environ["OMP_NUM_THREADS"] = "1"
    import torch

    torch.set_num_threads(1)
else:
    # The many processes that tests start need not compile the package again. Of a parallel run,
    # this is the process that starts the workers; it runs no test, so it does not import torch.
    compileall.compile_dir(Path(__file__).parents[1] / "sklearn_speech", quiet=2)


def pytest_collection_finish():
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _seeded():
    """Every test starts from the same global generators, whatever ran before it."""
    import torch

    np.random.seed(0)  # noqa: NPY002 - scikit-learn draws from it
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def dask_processes():
    """Workers of Dask are forked from a process that has imported the library once."""
    pytest.importorskip("distributed", reason="dask[distributed] is not installed")
    import dask
    from distributed.utils import get_mp_context

    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        used = [
            "distributed",
            "sklearn_speech.base",
            "sklearn_speech.search",
            "sklearn_speech.store",
        ]
        get_mp_context().set_forkserver_preload(used)
        yield


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
