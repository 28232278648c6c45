"""
One search, several machines
============================

There are two ways to run a search on several machines, and they can be combined. With a Dask
cluster, one process draws the trials and the workers of the cluster fit them::

    dask scheduler                                        # on one machine
    dask worker scheduler-address:8786 --nthreads 1       # on each
    python search_beyond_one_machine.py --dask scheduler-address:8786

Without an address, a cluster of two processes is started on this machine.

Alternatively, run the same script on each machine with the same storage. Each machine runs trials
until there are enough; if a machine dies, another one runs its unfinished trials again::

    python search_beyond_one_machine.py --storage postgresql+psycopg://user@host/db

All machines need this library. Clips that are files must have the same paths on all machines.

Several processes on one machine can share an SQLite file; do not use it on a network drive.
``--workers`` is the number of processes to start::

    python search_beyond_one_machine.py --storage sqlite:///search.db --workers 2
"""

import argparse
import subprocess
import sys

import joblib
from optuna.distributions import FloatDistribution, IntDistribution
from sklearn.model_selection import GroupKFold

from sklearn_speech import (
    MelSpectrogram,
    OptunaSearchCV,
    SpectrogramLinearClassifier,
    make_speech_pipeline,
    make_spoken_digits,
)


def search(storage=None, n_trials=6):
    """Search over mel bands and learning rates on synthetic speakers."""
    speech = make_spoken_digits(
        n_speakers=3, n_takes=1, digits=range(4), sample_rate=8000, random_state=0
    )
    pipeline = make_speech_pipeline(
        SpectrogramLinearClassifier(max_epochs=3, random_state=0),
        sample_rate=8000,
        duration=0.5,
        features=MelSpectrogram(sample_rate=8000),
    )[1:]  # the clips are waveforms, so there are no files to read
    space = {
        "melspectrogram__n_mels": IntDistribution(20, 40, step=10),
        "spectrogramlinearclassifier__lr": FloatDistribution(1e-3, 3e-2, log=True),
    }
    found = OptunaSearchCV(
        pipeline, space, n_trials=n_trials, cv=GroupKFold(3), storage=storage, random_state=0
    )
    return found.fit(speech.data, speech.target, groups=speech.speaker)


def on_dask(address):
    """Run all trials on a Dask cluster, which is started on this machine by default."""
    from dask.distributed import Client, LocalCluster

    if address != "here":
        with Client(address), joblib.parallel_config("dask"):
            return search()
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": ":0"}
    with LocalCluster(host="127.0.0.1", **options) as cluster, Client(cluster):
        with joblib.parallel_config("dask", wait_for_workers_timeout=120):
            return search()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--dask", nargs="?", const="here", help="address of a scheduler")
    parser.add_argument("--storage", help="URL, or path of a journal file")
    parser.add_argument("--workers", type=int, default=1, help="processes on this machine")
    options = parser.parse_args()
    if options.dask:
        found = on_dask(options.dask)
    else:
        more = [sys.executable, __file__, "--storage", str(options.storage)]
        if options.workers > 1 and options.storage is None:
            parser.error(
                "--workers needs --storage, through which the processes share their trials"
            )
        others = [subprocess.Popen(more) for _ in range(options.workers - 1)]
        found = search(options.storage)
        for process in others:
            process.wait()
    n_trials = len(found.cv_results_["params"])
    print(f"SYNTHETIC digits: {n_trials} trials, best score {found.best_score_:.3f}")


if __name__ == "__main__":
    main()

# sphinx_gallery_thumbnail_path = '_static/machines.svg'
