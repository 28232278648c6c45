"""The only file that uses private names of Optuna; tested with Optuna 4.0 to 5.0."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import numpy as np
from optuna import pruners
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GridSampler, QMCSampler
from optuna.storages import BaseStorage, RDBStorage
from optuna.study import Study
from optuna.trial import FrozenTrial, Trial, TrialState

#: System attribute of a trial that was enqueued: its fixed parameters by name.
FIXED_PARAMS = "fixed_params"


def storage_of(study: Study) -> BaseStorage:
    """Return the storage of a study."""
    return study._storage


def study_id_of(study: Study) -> int:
    """Return the id of a study in its storage."""
    return study._study_id


def trial_id_of(trial: Trial | FrozenTrial) -> int:
    """Return the id of a trial in its storage, which differs from its number within the study."""
    return trial._trial_id


def set_trial_id(trial: FrozenTrial, trial_id: int) -> None:
    """Set the id of a trial in its storage."""
    trial._trial_id = trial_id


def with_storage(study: Study, storage: BaseStorage, sampler: BaseSampler) -> Study:
    """Return a copy of a study that reads and writes through another storage object."""
    other = copy.copy(study)
    other._storage = storage
    other.sampler = sampler
    other._stop_flag = False
    return other


@contextmanager
def stop_allowed(*studies: Study) -> Iterator[None]:
    """Let samplers and callbacks call ``study.stop()``.

    ``Study.stop`` raises outside ``Study.optimize``, which cannot evaluate a trial fold
    by fold.
    """
    before = [study._thread_local.in_optimize_loop for study in studies]
    for study in studies:
        study._thread_local.in_optimize_loop, study._stop_flag = True, False
    try:
        yield
    finally:
        for study, state in zip(studies, before):
            study._thread_local.in_optimize_loop = state


def stop_requested(study: Study) -> bool:
    """Whether ``study.stop()`` was called."""
    return study._stop_flag


def forget_cached_trials(study: Study) -> None:
    """Let samplers read the trials of a study again, as ``Study.ask`` does."""
    study._thread_local.cached_all_trials = None


def contains(distribution: BaseDistribution, value: Any) -> bool:
    """Whether a distribution contains the value of a parameter."""
    return distribution._contains(distribution.to_internal_repr(value))


def random_state_of(sampler: BaseSampler) -> np.random.RandomState:
    """Return the random generator of a RandomSampler, GridSampler or similar."""
    return sampler._rng.rng  # type: ignore[attr-defined]


def independent_sampler_of(sampler: QMCSampler) -> BaseSampler:
    """Return the sampler that draws the first trial of a QMCSampler."""
    return sampler._independent_sampler


def set_sequence_position(sampler: QMCSampler, position: int) -> None:
    """Let a QMCSampler draw this element of its sequence, instead of counting trials."""
    sampler._find_sample_id = lambda study, search_space: position  # type: ignore[method-assign]


def grid_size(sampler: GridSampler) -> int:
    """Return the number of settings of a GridSampler."""
    return len(sampler._all_grids)


def grid_attributes(sampler: GridSampler, grid_id: int) -> dict[str, Any]:
    """Return the system attributes that tell a GridSampler the setting of a trial."""
    return {"search_space": sampler._search_space, "grid_id": grid_id}


def grid_id_of(sampler: GridSampler, trial: FrozenTrial) -> int | None:
    """Return which setting of the grid a trial has, or None."""
    attributes = trial.system_attrs
    if "grid_id" in attributes and sampler._same_search_space(attributes["search_space"]):
        return attributes["grid_id"]
    return None


def engine_of(storage: BaseStorage) -> Any:
    """Return the SQLAlchemy engine of a relational database; None for other storages."""
    database = getattr(storage, "_backend", storage)  # Optuna wraps it in a cache
    return getattr(database, "engine", None)


def location_of(storage: BaseStorage) -> str:
    """Return the location of a storage without passwords: a URL, a path, or its class."""
    engine = engine_of(storage)
    if engine is not None:
        return engine.url.render_as_string(hide_password=True)
    path = getattr(getattr(storage, "_backend", storage), "_file_path", None)
    return type(storage).__name__ if path is None else str(path)


def remember_report(trial: Trial, intermediate_values: dict[int, float]) -> None:
    """Add reported values to a running trial, as ``trial.report`` does."""
    trial._cached_frozen_trial.intermediate_values.update(intermediate_values)


def after_trial(
    study: Study, trial: FrozenTrial, state: TrialState, values: list[float] | None
) -> None:
    """Notify the sampler of a study that a trial has ended, as ``Study.tell`` does."""
    forget_cached_trials(study)
    filtered = pruners._filter_study(study, trial)
    filtered.sampler.after_trial(filtered, trial, state, values)


def write_trial(
    storage: BaseStorage,
    trial_id: int,
    user_attrs: dict[str, Any],
    intermediate_values: dict[int, float],
    state: TrialState | None = None,
    values: list[float] | None = None,
) -> None:
    """Write user attributes and intermediate values of a trial, and its last state if given.

    A relational database writes all of them in one commit.
    """
    database = getattr(storage, "_backend", storage)
    if isinstance(database, RDBStorage) and _can_write_together(database):
        _write_together(database, trial_id, user_attrs, intermediate_values, state, values)
        return
    for name, value in user_attrs.items():
        storage.set_trial_user_attr(trial_id, name, value)
    for step, mean in intermediate_values.items():
        storage.set_trial_intermediate_value(trial_id, step, mean)
    if state is not None:
        storage.set_trial_state_values(trial_id, state, values)


def _can_write_together(database: Any) -> bool:
    names = ("trial_attr", "trial_intermediate_value", "trial_value")
    return all(hasattr(database, f"_set_{name}_without_commit") for name in names)


def _write_together(
    database: Any,
    trial_id: int,
    user_attrs: dict[str, Any],
    intermediate_values: dict[int, float],
    state: TrialState | None,
    values: list[float] | None,
) -> None:
    from optuna.storages._rdb import models
    from optuna.storages._rdb.storage import _create_scoped_session

    with _create_scoped_session(database.scoped_session, True) as session:
        for name, value in user_attrs.items():
            database._set_trial_attr_without_commit(
                session, models.TrialUserAttributeModel, trial_id, name, value
            )
        for step, mean in intermediate_values.items():
            database._set_trial_intermediate_value_without_commit(session, trial_id, step, mean)
        if state is None:
            return
        trial = models.TrialModel.find_or_raise_by_id(trial_id, session, for_update=True)
        database.check_trial_is_updatable(trial_id, trial.state)
        for objective, value in enumerate(values or []):
            database._set_trial_value_without_commit(session, trial, objective, value)
        trial.state, trial.datetime_complete = state, datetime.now()
