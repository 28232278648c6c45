"""Open the study of a search, and bind it to the data of the search."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import optuna
from optuna.study import Study, StudyDirection

from ..store._cache_key import digest, file_identities
from ..utils.optuna_private import location_of, storage_of
from ._stable_repr import stable_repr
from ._storage import errors_named, open_storage

#: User attribute of a study that describes its search.
BOUND_TO = "sklearn_speech:bound_to"

#: Files that are read to tell data sets apart, and how much of each.
_N_READ, _N_BYTES = 256, 2**16

_WHAT_DIFFERS = {
    "data": "X, y, groups or the files",
    "params": "the arguments of fit or of the scoring",
    "choices": "the values behind the labels of choices",
    "folds": "the folds (give a shuffling cv a random_state)",
    "scoring": "the scoring",
    "estimator": "the estimator",
    "steps": "prune_by_epoch",
}


def describe(
    estimator: Any,
    X: Any,
    y: Any,
    groups: Any,
    splits: list[tuple[np.ndarray, np.ndarray]],
    scoring: Any,
    params: list[dict[str, Any]],
    choices: Any,
    by_epoch: bool,
) -> dict[str, str]:
    """Return digests of everything that the scores depend on, except the searched parameters.

    Parameters
    ----------
    estimator : estimator instance
    X, y, groups : array-like or None
        For paths, the description contains the sizes of all files and the beginnings of some,
        but not their modification times, which differ between machines.
    splits : list of (ndarray, ndarray)
    scoring : str, callable, list, tuple, dict or None
    params : list of dict
        Parameters passed to ``fit`` and to the scoring.
    choices : dict of str to object
        The search space. The description contains choices given as a dict by label, but no
        ranges, because ranges may be widened.
    by_epoch : bool
        Whether trials report scores within folds.

    Returns
    -------
    description : dict of str to str
        The keys are ``"data"``, ``"params"``, ``"choices"``, ``"folds"``, ``"scoring"``,
        ``"estimator"`` and ``"steps"``.
    """
    files = file_identities(X)
    labelled = {
        name: {label: stable_repr(choice) for label, choice in found.items()}
        for name, found in (choices.items() if isinstance(choices, dict) else ())
        if isinstance(found, dict)
    }
    return {
        "data": digest(X, y, groups, files and _content(files)),
        "params": digest(params),
        "choices": digest(labelled),
        "folds": digest([[np.asarray(part) for part in split] for split in splits]),
        "scoring": digest(stable_repr(scoring)),
        "estimator": digest(type(estimator).__qualname__, _parameters(estimator)),
        "steps": digest(by_epoch),
    }


def _content(files: list[tuple[Any, ...]]) -> tuple[list[Any], list[bytes | None]]:
    """Sizes of all files, and the first bytes of some, evenly chosen."""
    chosen = np.unique(np.linspace(0, len(files) - 1, min(len(files), _N_READ)).astype(int))
    return [size for _, size, *_ in files], [_first_bytes(*files[i][:2]) for i in chosen]


def _first_bytes(path: Any, size: Any) -> bytes | None:
    if not isinstance(path, str) or size is None:
        return None  # a recording in memory, which is in X, or a missing file
    try:
        with open(path, "rb") as file:
            return file.read(_N_BYTES)
    except OSError:
        return None


def _parameters(estimator: Any) -> dict[str, str]:
    skipped = ("n_jobs", "verbose", "device", "memory")
    return {
        name: type(value).__qualname__ if hasattr(value, "get_params") else stable_repr(value)
        for name, value in estimator.get_params(deep=True).items()
        if name.rpartition("__")[2] not in skipped
    }


def open_study(
    study: Study | None,
    storage: Any,
    study_name: str | None,
    sampler: Any,
    pruner: Any,
    description: dict[str, str],
) -> Study:
    """Open the study of a search, which holds no other trials.

    Parameters
    ----------
    study : optuna.Study or None
    storage : str, os.PathLike, optuna storage or None
    study_name : str or None
    sampler, pruner : optuna objects
        Used if no study is given.
    description : dict of str to str
        See :func:`describe`.

    Returns
    -------
    study : optuna.Study

    Raises
    ------
    ValueError
        If the study belongs to another search, minimises, or has several objectives.
    StorageError
        If the storage cannot be used.
    """
    if study is None:
        opened = open_storage(storage)
        with errors_named("memory" if opened is None else location_of(opened)):
            study = optuna.create_study(
                storage=opened,
                study_name=_name(study_name, description) if storage is not None else None,
                sampler=sampler,
                pruner=pruner,
                direction="maximize",
                load_if_exists=storage is not None,
            )
    with errors_named(location_of(storage_of(study))):
        _bind(study, description)
    return study


def _bind(study: Study, description: dict[str, str]) -> None:
    if study.directions != [StudyDirection.MAXIMIZE]:
        raise ValueError(
            f"study {study.study_name!r} has directions "
            f"{[direction.name.lower() for direction in study.directions]}: expected one, "
            "maximize, because scores of scikit-learn are better when larger"
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
            "use another study_name, or study_name=None, which derives the name from the data"
        )


def _name(study_name: str | None, description: dict[str, str]) -> str:
    whole = digest(sorted(description.items()))[:16]
    return (study_name or "search-{data}").replace("{data}", whole)


@contextmanager
def quiet_log() -> Iterator[None]:
    """Limit Optuna's log to warnings within the block."""
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(level, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(level)
