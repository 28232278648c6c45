"""A pruner that compares trials on the folds that all of them have run."""

import math
from collections.abc import Mapping

from optuna.pruners import BasePruner
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

#: States of trials that count; failed trials do not.
_JUDGED = (TrialState.RUNNING, TrialState.PRUNED, TrialState.COMPLETE)


class FoldPruner(BasePruner):
    """Lets a share of the trials go on after certain steps.

    At such a step a trial is compared with all others by the value that they reported at
    the same step, that is by the mean over the same folds. Speakers differ more than
    settings, so means over different folds cannot be compared. Unlike in
    :class:`optuna.pruners.SuccessiveHalvingPruner`, shares are of all trials begun, not of
    those that reached the step. Once all trials have reported, the decision does not
    depend on their order. :class:`OptunaSearchCV` therefore runs the first fold of its
    first trials before any of them goes on when it has this pruner.

    Parameters
    ----------
    shares : dict of int to float, default=None
        Step, and share in (0, 1] of the trials begun that goes on after it; at least one
        does. In :class:`OptunaSearchCV` steps count the folds run, from 1, and
        with ``prune_by_epoch=True`` quarters of folds. None is ``{1: 1/4, 2: 1/8}``.

    Raises
    ------
    ValueError
        When a step is below 1 or a share is not in (0, 1].

    Examples
    --------
    >>> from sklearn_speech.model_selection import FoldPruner
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
        """Judge a trial by its last step; ``trial.should_prune()`` calls this.

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
            for other in study.get_trials(deepcopy=False, states=_JUDGED)
            if other.intermediate_values
        ]
        n_go_on = math.ceil(self.shares[step] * len(reported))
        sign = 1 if study.direction == StudyDirection.MAXIMIZE else -1
        own = sign * trial.intermediate_values[step]
        n_better = sum(sign * values[step] > own for values in reported if step in values)
        return n_better >= n_go_on
