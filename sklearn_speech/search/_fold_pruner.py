"""A pruner that compares trials on the same folds."""

import math
from collections.abc import Mapping

from optuna.pruners import BasePruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

#: States of the trials that are compared; failed trials are left out.
_COMPARED = (TrialState.RUNNING, TrialState.PRUNED, TrialState.COMPLETE)


class FoldPruner(BasePruner):
    """Lets only a share of the trials continue after certain steps.

    At such a step, a trial is compared with all others by the value that they reported at the
    same step, which is the mean over the same folds. Speakers differ more than settings, so
    means over different folds cannot be compared. Unlike in
    :class:`optuna.pruners.SuccessiveHalvingPruner`, shares refer to all trials that have
    started, not to those that reached the step. Once all trials have reported, the decision
    does not depend on their order. With this pruner, :class:`OptunaSearchCV` therefore runs the
    first fold of its first trials before it continues any of them.

    Parameters
    ----------
    shares : dict of int to float, default=None
        For each step, the share in (0, 1] of the started trials that continue after it; at
        least one trial continues. In :class:`OptunaSearchCV`, steps count the folds run,
        starting at 1; with ``prune_by_epoch=True`` they count quarters of folds. None means
        ``{1: 1/4, 2: 1/8}``.

    Raises
    ------
    ValueError
        When a step is below 1 or a share is not in (0, 1].

    Examples
    --------
    >>> from sklearn_speech import FoldPruner
    >>> FoldPruner({1: 1 / 3})
    FoldPruner(shares={1: 0.3333333333333333})
    """

    def __init__(self, shares: Mapping[int, float] | None = None) -> None:
        shares = {1: 1 / 4, 2: 1 / 8} if shares is None else dict(shares)
        for step, share in shares.items():
            if step < 1 or not 0 < share <= 1:
                raise ValueError(
                    "shares of FoldPruner must map steps from 1 on to numbers above 0 and at "
                    f"most 1, got {step!r}: {share!r}"
                )
        self.shares = shares

    def __repr__(self) -> str:
        return f"FoldPruner(shares={self.shares})"

    def prune(self, study: Study, trial: FrozenTrial) -> bool:
        """Decide about a trial at its last step; ``trial.should_prune()`` calls this.

        Parameters
        ----------
        study : optuna.Study
        trial : optuna.trial.FrozenTrial

        Returns
        -------
        stop : bool
        """
        step = trial.last_step
        if step not in self.shares:
            return False
        reported = [
            other.intermediate_values
            for other in study.get_trials(deepcopy=False, states=_COMPARED)
            if other.intermediate_values
        ]
        n_go_on = math.ceil(self.shares[step] * len(reported))
        sign = 1 if study.direction == StudyDirection.MAXIMIZE else -1
        own = sign * trial.intermediate_values[step]
        n_better = sum(sign * values[step] > own for values in reported if step in values)
        return n_better >= n_go_on
