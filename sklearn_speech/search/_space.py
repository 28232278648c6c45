"""Convert both forms of search space that a user may give into one."""

from collections.abc import Callable
from typing import Any

from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)

from ._params import Space


def as_space(param_distributions: dict[str, Any] | Callable[[Any], Any]) -> Space:
    """Convert a search space of either form to a function of a trial.

    Parameters
    ----------
    param_distributions : dict of str to optuna distribution or dict, or callable
        See :class:`OptunaSearchCV`.

    Returns
    -------
    space : callable
        Takes a running or a finished trial and returns parameters by name.

    Raises
    ------
    TypeError
        When an entry of the dict is not a distribution of Optuna.
    """
    if callable(param_distributions):
        return _checked(param_distributions)
    for name, distribution in param_distributions.items():
        labelled = isinstance(distribution, dict) and all(isinstance(k, str) for k in distribution)
        if not labelled and not isinstance(distribution, BaseDistribution):
            raise TypeError(
                f"param_distributions[{name!r}]={distribution!r}: expected an Optuna "
                "distribution, such as IntDistribution(2, 5); for a list of choices write "
                "CategoricalDistribution([...]), and for choices other than numbers and strings "
                "a dict of the choices by label"
            )
    searched = param_distributions
    return lambda trial: {name: _suggest(trial, name, found) for name, found in searched.items()}


def _checked(function: Callable[[Any], Any]) -> Space:
    def space(trial: Any) -> dict[str, Any]:
        params = function(trial)
        if not isinstance(params, dict) or not all(isinstance(name, str) for name in params):
            raise TypeError(
                f"param_distributions returned {params!r}: expected a dict of parameters by name"
            )
        return params

    return space


def _suggest(trial: Any, name: str, distribution: Any) -> Any:
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
