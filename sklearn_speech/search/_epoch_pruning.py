"""Prune within a fold: score the network while it is being trained."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from optuna.trial import Trial
from skorch.callbacks import Callback

from ..base import BaseSpeechNet
from ..utils.sklearn_private import check_method_params, safe_indexing
from ._trial_folds import CHECKS_PER_FOLD, StopFold, metric_of


class EpochPruning:
    """Consults the pruner after each quarter of the epochs of a fold.

    Each check scores the held-out clips with the current weights. It draws no random numbers
    and does not change the network, so a trial that is not stopped gets the same scores as
    without checks.

    Parameters
    ----------
    trial : optuna.Trial
    X, y : array-likes of shape (n_clips, ...)
    scores : list of float
        Scores of the folds that ran before this one.
    options : dict
        Options of scikit-learn's ``_fit_and_score``.
    metric : str or None
        See :func:`metric_of`.
    """

    def __init__(
        self,
        trial: Trial,
        X: Any,
        y: Any,
        scores: list[float],
        options: dict[str, Any],
        metric: str | None,
    ) -> None:
        self.trial = trial
        self.X = X
        self.y = y
        self.scores = scores
        self.options = options
        self.metric = metric
        self.pruned = False

    def __call__(self, model: Any, fold: int, test: np.ndarray) -> None:
        """Add the checks to `model` if its last step is a network of this library.

        Parameters
        ----------
        model : estimator instance
            The estimator that is about to be fitted.
        fold : int
        test : ndarray of int
            Held-out clips.
        """
        net = model.steps[-1][1] if hasattr(model, "steps") else model
        if not isinstance(net, BaseSpeechNet):
            return
        others = net.callbacks if isinstance(net.callbacks, list) else []
        X, y = safe_indexing(self.X, test), safe_indexing(self.y, test)
        params = check_method_params(self.X, self.options["score_params"], indices=test)

        def check(quarter: int) -> None:
            score = metric_of(self.options["scorer"](model, X, y, **params), self.metric)
            mean = float(np.mean([*self.scores, score]))
            if not np.isfinite(mean):
                return
            self.trial.report(mean, CHECKS_PER_FOLD * fold + quarter)
            if self.trial.should_prune():
                self.pruned = True
                raise StopFold

        net.set_params(callbacks=[*others, _AfterEachQuarter(check)])


class _AfterEachQuarter(Callback):
    """Calls a function after each quarter of the epochs except the last."""

    def __init__(self, check: Callable[[int], None]) -> None:
        self.check = check

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Call the function if a quarter of the epochs has just ended."""
        epoch = len(net.history_)
        for quarter in range(CHECKS_PER_FOLD - 1, 0, -1):
            if epoch == math.ceil(quarter * net.max_epochs / CHECKS_PER_FOLD) < net.max_epochs:
                self.check(quarter)
                return
