"""Where a search keeps its trials: opened, bound to its data, patient when out of reach."""

import os
import re
import time
import warnings
from contextlib import contextmanager

import numpy as np
import optuna
from optuna.exceptions import StorageInternalError
from optuna.storages import JournalStorage, RDBStorage
from optuna.study import StudyDirection
from sqlalchemy.exc import IntegrityError, InterfaceError, OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from ..store._digest import digest, file_identities
from ._journal import SoundJournalFileBackend

#: What a storage raises while it is out of reach, locked or full.
OUT_OF_REACH = (StorageInternalError, OperationalError, InterfaceError, OSError)

#: How long (seconds) a search waits for a storage that it had reached before.
PATIENCE = 600.0

#: How long (seconds) SQLite itself waits for a database that another process has locked.
SQLITE_TIMEOUT = 60.0

#: User attribute of a study that says what it is about.
BOUND_TO = "sklearn_speech:bound_to"

_WHAT_DIFFERS = {
    "data": "X, y, groups or the sizes of the files",
    "params": "what is passed to fit or to the scoring",
    "choices": "what the labels of choices stand for",
    "folds": "the folds (give a shuffling cv a random_state)",
    "scoring": "the scoring",
    "estimator": "the estimator",
    "steps": "prune_by_epoch",
}


def open_storage(storage):
    """A storage of Optuna from what a user names it by.

    Parameters
    ----------
    storage : str, os.PathLike, optuna storage or None
        A URL (``sqlite:///search.db``, ``postgresql+psycopg://...``), or the path
        of a journal file.

    Returns
    -------
    storage : optuna.storages.BaseStorage or None
    """
    if not isinstance(storage, (str, os.PathLike)):
        return storage
    if storage in ("sqlite://", "sqlite:///:memory:"):
        return RDBStorage(storage)
    if isinstance(storage, str) and "://" in storage:
        options = {"poolclass": NullPool}  # no connection stays open between two fits
        if storage.startswith("sqlite"):
            options["connect_args"] = {"timeout": SQLITE_TIMEOUT}  # other processes write too
        for attempt in range(5):
            try:
                return RDBStorage(storage, engine_kwargs=options)
            except (IntegrityError, OperationalError, ProgrammingError):
                if attempt == 4:
                    raise
                time.sleep(0.2 * 2**attempt)  # another process makes the tables just now
    return JournalStorage(SoundJournalFileBackend(os.fspath(storage)))


def describe(estimator, X, y, groups, splits, scoring, params, choices, by_epoch):
    """Digests of what the scores of a search depend on, besides the searched parameters.

    Parameters
    ----------
    estimator : estimator instance
    X, y, groups : array-like or None
        Of paths the sizes of their files are part of the description, not what is in
        them nor when they were changed, which differs between machines.
    splits : list of (ndarray, ndarray)
    scoring : str, callable, list, tuple, dict or None
    params : list of dict
        Parameters passed to ``fit`` and to the scoring.
    choices : dict of str to object
        What is searched; choices that are a dict by label are part of the description,
        ranges are not, which may be widened.
    by_epoch : bool
        Whether trials report parts of folds.

    Returns
    -------
    description : dict of str to str
        By ``"data"``, ``"params"``, ``"choices"``, ``"folds"``, ``"scoring"``,
        ``"estimator"`` and ``"steps"``.
    """
    files = file_identities(X)
    labelled = {
        name: {label: in_words(choice) for label, choice in found.items()}
        for name, found in (choices.items() if isinstance(choices, dict) else ())
        if isinstance(found, dict)
    }
    return {
        "data": digest(X, y, groups, files and [size for _, size, *_ in files]),
        "params": digest(params),
        "choices": digest(labelled),
        "folds": digest([[np.asarray(part) for part in split] for split in splits]),
        "scoring": digest(in_words(scoring)),
        "estimator": digest(type(estimator).__qualname__, _parameters(estimator)),
        "steps": digest(by_epoch),
    }


def _parameters(estimator):
    skipped = ("n_jobs", "verbose", "device", "memory")
    return {
        name: type(value).__qualname__ if hasattr(value, "get_params") else in_words(value)
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] not in skipped
    }


def in_words(value):
    """What a value says of itself, without what differs from run to run."""
    # where in memory something lies
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def open_study(study, storage, study_name, sampler, pruner, description):
    """The study of a search, which holds trials of this search alone.

    Parameters
    ----------
    study : optuna.Study or None
    storage : str, os.PathLike, optuna storage or None
    study_name : str or None
    sampler, pruner : optuna objects
        For a study that is not given.
    description : dict of str to str
        See :func:`describe`.

    Returns
    -------
    study : optuna.Study

    Raises
    ------
    ValueError
        When the study is about something else, minimises, or has several objectives.
    """
    if study is None:
        study = optuna.create_study(
            storage=open_storage(storage),
            study_name=_name(study_name, description) if storage is not None else None,
            sampler=sampler,
            pruner=pruner,
            direction="maximize",
            load_if_exists=storage is not None,
        )
    if study.directions != [StudyDirection.MAXIMIZE]:
        raise ValueError(
            f"study {study.study_name!r} has directions "
            f"{[direction.name.lower() for direction in study.directions]}: expected one, "
            "maximize, as scikit-learn's scores are better the larger they are"
        )
    known = study.user_attrs.get(BOUND_TO)
    if known is None:
        study.set_user_attr(BOUND_TO, description)
    elif known != description:
        differing = [
            words for key, words in _WHAT_DIFFERS.items() if known.get(key) != description[key]
        ]
        raise ValueError(
            f"study {study.study_name!r} belongs to another search: it differs in "
            f"{'; in '.join(differing)}. Its scores cannot be compared with those of this search; "
            "take another study_name, or leave study_name=None, which names it by its data"
        )
    return study


def _name(study_name, description):
    whole = digest(sorted(description.items()))[:16]
    return (study_name or "search-{data}").replace("{data}", whole)


def patiently(function, *args, **kwargs):
    """Call a function that uses the storage, and wait while that is out of reach.

    Parameters
    ----------
    function : callable
    *args, **kwargs
        Its arguments.

    Returns
    -------
    result : object
        What it returned.

    Warns
    -----
    UserWarning
        When the storage is out of reach for the first time.
    """
    began, pause = time.monotonic(), 0.2
    while True:
        try:
            return function(*args, **kwargs)
        except OUT_OF_REACH as error:
            if time.monotonic() - began > PATIENCE:
                raise
            if pause == 0.2:
                warnings.warn(
                    f"the storage of the study is out of reach ({_cause(error)}); "
                    f"trying again for {PATIENCE:.0f} seconds",
                    UserWarning,
                    stacklevel=3,
                )
            time.sleep(pause)
            pause = min(2 * pause, 30.0)


def _cause(error):
    while error.__cause__ is not None:  # Optuna's own words say little
        error = error.__cause__
    return f"{type(error).__name__}: {error}"


@contextmanager
def quiet_log():
    """Let Optuna's log keep to warnings."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)


@contextmanager
def running(study):
    """Let samplers and callbacks stop the study.

    ``Study.stop`` works inside ``Study.optimize`` only, which cannot evaluate a
    trial fold by fold; so this says that such a loop is running.
    """
    state = study._thread_local
    before = state.in_optimize_loop
    state.in_optimize_loop, study._stop_flag = True, False
    try:
        yield
    finally:
        state.in_optimize_loop = before


@contextmanager
def undisturbed(study):
    """Let nobody stop the study, as GridSampler does when its last setting fails for once."""
    before = study._stop_flag
    try:
        yield
    finally:
        study._stop_flag = before


def stopped(study):
    """Whether a sampler or a callback has called ``Study.stop``."""
    return study._stop_flag
