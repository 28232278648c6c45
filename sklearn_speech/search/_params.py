"""Parameters of stored trials: their digests, and whether a space still contains them."""

from collections.abc import Callable
from copy import copy
from typing import Any

from optuna.distributions import check_distribution_compatibility
from optuna.trial import FrozenTrial

from ..store._cache_key import digest
from ..utils.optuna_private import contains
from ._stable_repr import stable_repr
from ._stored_trials import RECORD

#: A function that returns the parameters of a trial.
Space = Callable[[Any], dict[str, Any]]


def digest_of_params(params: dict[str, Any]) -> str:
    """Return a digest of the parameters of a trial that is the same on every machine.

    Parameters
    ----------
    params : dict of str to object
        The parameters that a space returned.

    Returns
    -------
    digest : str
    """
    # the last digits of a power or a logarithm differ between machines
    words = {k: f"{v:.9g}" if isinstance(v, float) else stable_repr(v) for k, v in params.items()}
    return digest(words)


def params_of(trial: FrozenTrial, space: Space) -> dict[str, Any]:
    """Return the parameters that a space gives for a stored trial.

    Parameters
    ----------
    trial : optuna.trial.FrozenTrial
    space : callable
        Takes a trial and returns its parameters.

    Returns
    -------
    params : dict of str to object

    Raises
    ------
    ValueError
        If the trial was drawn from another space.
    """
    replayed = copy(trial)
    replayed.distributions = {}
    params = space(replayed)
    if gone := sorted(trial.params.keys() - replayed.distributions.keys()):
        names = ", ".join(map(repr, gone))
        raise ValueError(f"it has {names}, which param_distributions no longer contains")
    for name, now in replayed.distributions.items():
        value, before = trial.params[name], trial.distributions[name]
        check_distribution_compatibility(before, now)
        # a user may have enqueued a value outside the range
        if contains(before, value) and not contains(now, value):
            raise ValueError(f"its {name}={value!r} is outside {now}")
    digest_then = trial.user_attrs.get(RECORD, {}).get("params")
    if digest_then not in (None, digest_of_params(params)):
        raise ValueError(f"{trial.params} meant other parameters when it ran")
    return params
