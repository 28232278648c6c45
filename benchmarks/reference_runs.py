"""One run of ``reference_systems.py``: fit and evaluate a system on one fold."""

import functools
import time

import numpy as np
import reference_protocols as protocols
import torch
from sklearn.base import clone, is_classifier

from sklearn_speech import make_recipe
from sklearn_speech.base import nets_of


@functools.cache
def divided(protocol):
    """Paths, labels and folds of a protocol."""
    X, y, speakers = protocols.clips(protocol)
    return X, y, protocols.folds(protocol, y, speakers)


@functools.lru_cache(maxsize=1)
def features(protocol, system):
    """Output of the steps before the network for all clips, and the time of computing it.

    Each step must transform clips independently, so that fitting it on all clips learns nothing.
    The result for the current system is cached.
    """
    recipe, options = protocols.systems(protocol)[system]
    steps = make_recipe(recipe, **options)[:-1]
    for _, step in steps.steps:
        if not getattr(step, "_treats_clips_alone", False):
            raise TypeError(f"{step!r} may be fitted on clips, so that folds cannot share features")
    start = time.perf_counter()
    return steps.fit_transform(divided(protocol)[0]), time.perf_counter() - start


def run_fold(network, X, y, train, test):
    """Fit and evaluate a network once."""
    start, began = time.perf_counter(), time.process_time()
    network.fit(X[train], y[train])
    fitted = time.perf_counter()
    nets = nets_of(network).values()
    row = {
        "processor_seconds": round(time.process_time() - began, 2),
        "parameters": sum(
            p.numel() for net in nets for p in net.module_.parameters() if p.requires_grad
        ),
        "seconds": round(fitted - start, 2),
    }
    if is_classifier(network):
        answers = network.predict(X[test])
        row["clips_per_second"] = round(len(test) / (time.perf_counter() - fitted), 1)
        row["accuracy"] = float(np.mean(answers == y[test]))
        row["train_accuracy"] = float(np.mean(network.predict(X[train]) == y[train]))
        row["answers"] = answers.tolist()
    else:
        errors = -network.score_samples(X[test])
        row["restored"] = float(1 - errors.mean() / X[test].var())
    return row


def run_row(row, made, device, threads):
    """Do one run and add its results to `row`."""
    torch.set_num_threads(threads)
    _, y, splits = divided(row["protocol"])
    front, seconds = features(row["protocol"], row["system"])
    network = clone(made[-1])
    for net in nets_of(network).values():
        net.set_params(max_epochs=row["epochs"], device=device)
    found = run_fold(network, front, y, *splits[row["fold"]])
    return row | found | {"feature_seconds": round(seconds, 2), "threads": threads}
