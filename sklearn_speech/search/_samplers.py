"""Samplers whose draws depend only on a seed and the number of the trial."""

from copy import deepcopy
from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution
from optuna.samplers import (
    BaseSampler,
    GridSampler,
    PartialFixedSampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.study import Study
from optuna.trial import FrozenTrial

from ..utils.optuna_private import (
    grid_attributes,
    grid_id_of,
    grid_size,
    independent_sampler_of,
    random_state_of,
    set_sequence_position,
    storage_of,
    trial_id_of,
)
from ._stored_trials import is_enqueued, record_of


def depends_on_n_jobs(sampler: BaseSampler) -> bool:
    """Whether the draws of a sampler depend on which trials have finished before.

    Parameters
    ----------
    sampler : optuna.samplers.BaseSampler

    Returns
    -------
    depends : bool
    """
    if isinstance(sampler, PartialFixedSampler):
        return True  # it may wrap a sampler that depends on them
    return not isinstance(sampler, (RandomSampler, GridSampler, QMCSampler))


def learns_from_the_first(sampler: BaseSampler) -> bool:
    """Whether a sampler may choose the second trial by the result of the first.

    Parameters
    ----------
    sampler : optuna.samplers.BaseSampler

    Returns
    -------
    learns : bool
    """
    return depends_on_n_jobs(sampler) and not isinstance(sampler, TrialSeededTPESampler)


def per_trial(sampler: BaseSampler) -> BaseSampler:
    """Return a sampler that draws the k-th trial from its seed and k alone, if it can.

    Parameters
    ----------
    sampler : optuna.samplers.BaseSampler
        A RandomSampler, GridSampler or QMCSampler is not changed.

    Returns
    -------
    sampler : optuna.samplers.BaseSampler
        The given sampler if it learns from trials.
    """
    if isinstance(sampler, RandomSampler):
        return SeededRandomSampler(sampler)
    if isinstance(sampler, QMCSampler):
        return SeededQMCSampler(sampler)
    if isinstance(sampler, GridSampler):
        return OrderedGridSampler(sampler)
    return sampler


class _PerTrialSampler(BaseSampler):
    """Delegates each trial to a copy of a sampler made for the trial's number."""

    def __init__(self, sampler: BaseSampler) -> None:
        self._prototype = deepcopy(sampler)
        self._number: int | None = None
        self._current = self._prototype

    def _make(self, number: int) -> BaseSampler:
        raise NotImplementedError

    def _for(self, trial: FrozenTrial) -> BaseSampler:
        if self._number != trial.number:
            self._current, self._number = self._make(trial.number), trial.number
        return self._current

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Delegate to the sampler for this trial."""
        return self._for(trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Delegate to the sampler for this trial."""
        return self._for(trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Delegate to the sampler for this trial."""
        sampler = self._for(trial)
        return sampler.sample_independent(study, trial, param_name, param_distribution)


class TrialSeededTPESampler(_PerTrialSampler):
    """Optuna's TPE, reseeded for each trial from a seed and the number of the trial.

    Given the same finished trials, a trial draws the same parameters whether or not the search
    was stopped before it, and processes that share a study draw different parameters.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int) -> None:
        super().__init__(TPESampler(seed=seed))
        self._seed = seed

    def _make(self, number: int) -> BaseSampler:
        return TPESampler(seed=_seed_of(self._seed, number))


class SeededRandomSampler(_PerTrialSampler):
    """A RandomSampler that is reseeded for each trial.

    Parameters
    ----------
    sampler : optuna.samplers.RandomSampler
        The seed is drawn from its generator.
    """

    def __init__(self, sampler: RandomSampler) -> None:
        super().__init__(sampler)
        self._seed = _draw_seed(self._prototype)

    def _make(self, number: int) -> BaseSampler:
        sampler = deepcopy(self._prototype)
        random_state_of(sampler).seed(_seed_of(self._seed, number))
        return sampler


class SeededQMCSampler(_PerTrialSampler):
    """A QMCSampler that gives the k-th trial the k-th element of its sequence.

    As in Optuna, the first trial is drawn independently, and its parameters define the
    dimensions of the sequence.

    Parameters
    ----------
    sampler : optuna.samplers.QMCSampler
    """

    def __init__(self, sampler: QMCSampler) -> None:
        super().__init__(sampler)
        self._independent = per_trial(independent_sampler_of(sampler))

    def _make(self, number: int) -> BaseSampler:
        sampler = deepcopy(self._prototype)
        set_sequence_position(sampler, max(number - 1, 0))  # type: ignore[arg-type]
        return sampler

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return the parameters of the first trial."""
        if trial.number == 0:
            return {}
        first = study.get_trials(deepcopy=False)[0]
        return {} if first.number == trial.number else dict(first.distributions)

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        """Delegate to the independent sampler of the QMCSampler."""
        return self._independent.sample_independent(study, trial, param_name, param_distribution)


class OrderedGridSampler(_PerTrialSampler):
    """A GridSampler that runs through its (shuffled) settings in order, each once.

    Parameters
    ----------
    sampler : optuna.samplers.GridSampler
    """

    def _make(self, number: int) -> BaseSampler:
        return self._prototype

    def before_trial(self, study: Study, trial: FrozenTrial) -> None:
        """Choose the setting of a trial."""
        if "grid_id" in trial.system_attrs or "fixed_params" in trial.system_attrs:
            return
        trials = study.get_trials(deepcopy=False)
        left = self.settings(trials)
        n_enqueued = sum(is_enqueued(t) for t in trials if t.number < trial.number)
        position = trial.number - n_enqueued
        if not 0 <= position < len(left):
            raise ValueError(f"trial {trial.number} is beyond the {len(left)} settings of the grid")
        for name, value in grid_attributes(self._grid, left[position]).items():
            storage_of(study).set_trial_system_attr(trial_id_of(trial), name, value)

    def settings(self, trials: list[FrozenTrial]) -> list[int]:
        """Return the settings of the grid that were not tried outside this search.

        Parameters
        ----------
        trials : list of FrozenTrial

        Returns
        -------
        settings : list of int
        """
        foreign = {grid_id_of(self._grid, trial) for trial in trials if record_of(trial) is None}
        return [setting for setting in range(grid_size(self._grid)) if setting not in foreign]

    @property
    def _grid(self) -> GridSampler:
        return self._prototype  # type: ignore[return-value]


def _draw_seed(sampler: BaseSampler) -> int:
    return int(random_state_of(sampler).randint(np.iinfo(np.int32).max))


def _seed_of(seed: int, number: int) -> int:
    return int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
