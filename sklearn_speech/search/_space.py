"""Search spaces, and a sampler whose draws depend on the trial's number alone."""

import math

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import (
    BaseSampler,
    GridSampler,
    PartialFixedSampler,
    QMCSampler,
    RandomSampler,
    TPESampler,
)
from optuna.trial import TrialState


def as_space(param_distributions):
    """One form for both kinds of search space: a function of a trial.

    Parameters
    ----------
    param_distributions : dict of str to optuna distribution or dict, or callable
        See :class:`OptunaSearchCV`.

    Returns
    -------
    space : callable
        Takes a running or a finished trial, returns parameters by name.

    Raises
    ------
    TypeError
        When an entry of the dict is no distribution of Optuna.
    """
    if callable(param_distributions):
        return _checked(param_distributions)
    for name, distribution in param_distributions.items():
        labelled = isinstance(distribution, dict) and all(isinstance(k, str) for k in distribution)
        if not labelled and not isinstance(distribution, BaseDistribution):
            raise TypeError(
                f"param_distributions[{name!r}]={distribution!r}: expected a distribution of "
                "Optuna, such as IntDistribution(2, 5); for a list of choices write "
                "CategoricalDistribution([...]), and for choices that are no numbers or strings "
                "a dict of them by label"
            )
    return lambda trial: {
        name: _suggest(trial, name, distribution)
        for name, distribution in param_distributions.items()
    }


def _checked(function):
    def space(trial):
        params = function(trial)
        if not isinstance(params, dict) or not all(isinstance(name, str) for name in params):
            raise TypeError(
                f"param_distributions returned {params!r}: expected a dict of parameters by name"
            )
        return params

    return space


def _suggest(trial, name, distribution):
    if isinstance(distribution, dict):
        return distribution[trial.suggest_categorical(name, list(distribution))]
    if isinstance(distribution, FloatDistribution):
        return trial.suggest_float(
            name,
            distribution.low,
            distribution.high,
            step=distribution.step,
            log=distribution.log,
        )
    if isinstance(distribution, IntDistribution):
        return trial.suggest_int(
            name,
            distribution.low,
            distribution.high,
            step=distribution.step,
            log=distribution.log,
        )
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    raise TypeError(
        f"param_distributions[{name!r}]={distribution!r}: expected FloatDistribution, "
        "IntDistribution or CategoricalDistribution"
    )


def depends_on_n_jobs(sampler):
    """Whether what a sampler draws depends on which trials have finished before.

    Parameters
    ----------
    sampler : optuna.samplers.BaseSampler

    Returns
    -------
    depends : bool
    """
    if isinstance(sampler, PartialFixedSampler):
        return True  # on a sampler that it does not show
    return not isinstance(sampler, (RandomSampler, GridSampler, QMCSampler))


def learns_from_the_first(sampler):
    """Whether a sampler may draw the second trial by what the first one gave.

    Parameters
    ----------
    sampler : optuna.samplers.BaseSampler

    Returns
    -------
    learns : bool
    """
    return depends_on_n_jobs(sampler) and not isinstance(sampler, TrialSeededTPESampler)


def n_settings_left(sampler, study):
    """How many trials a sampler has settings for that no trial was begun with.

    Parameters
    ----------
    sampler : optuna.samplers.BaseSampler
    study : optuna.Study

    Returns
    -------
    n : int or float
        Those included that wait to be tried again; infinite for all but a grid.
    """
    if not isinstance(sampler, GridSampler):
        return math.inf
    trials = study.get_trials(deepcopy=False)
    begun = {
        trial.system_attrs["grid_id"]
        for trial in trials
        if trial.state != TrialState.WAITING
        and "grid_id" in trial.system_attrs
        and sampler._same_search_space(trial.system_attrs["search_space"])
    }
    n_waiting = sum(trial.state == TrialState.WAITING for trial in trials)
    return len(sampler._all_grids) - len(begun) + n_waiting


class TrialSeededTPESampler(BaseSampler):
    """Optuna's TPE, seeded anew for each trial by a seed and the trial's number.

    So a search that was stopped goes on with other draws than it began with,
    the same ones that it would have made without the stop, and processes that
    share a study do not try the same parameters.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed):
        self._seed = seed
        self._sampler = None
        self._number = None

    def _of(self, trial):
        if self._number != trial.number:
            words = np.random.SeedSequence([self._seed, trial.number]).generate_state(1)
            self._sampler, self._number = TPESampler(seed=int(words[0])), trial.number
        return self._sampler

    def infer_relative_search_space(self, study, trial):
        """As TPESampler."""
        return self._of(trial).infer_relative_search_space(study, trial)

    def sample_relative(self, study, trial, search_space):
        """As TPESampler."""
        return self._of(trial).sample_relative(study, trial, search_space)

    def sample_independent(self, study, trial, param_name, param_distribution):
        """As TPESampler."""
        return self._of(trial).sample_independent(study, trial, param_name, param_distribution)
