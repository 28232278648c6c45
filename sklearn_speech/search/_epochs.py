"""A look into a fold while it is trained, so that a hopeless one need not be trained to its end."""

import math

import numpy as np
from skorch.callbacks import Callback

from ..base import BaseSpeechNet
from ..utils.sklearn_private import check_method_params, safe_indexing
from ._trial_folds import LOOKS, StopFold, metric_of


class EpochWatch:
    """Shows the pruner how a fold does after each quarter of its epochs.

    Each look scores the held-out clips with the network as it is then. That
    draws nothing from any generator and leaves the network as it was, so that
    a trial that is not stopped ends with the scores that it has without looks.

    Parameters
    ----------
    trial : optuna.Trial
    X, y : array-likes of shape (n_clips, ...)
    scores : list of float
        Of the folds that were run before.
    options : dict
        For scikit-learn's ``_fit_and_score``.
    metric : str or None
        See :func:`metric_of`.
    """

    def __init__(self, trial, X, y, scores, options, metric):
        self.trial = trial
        self.X = X
        self.y = y
        self.scores = scores
        self.options = options
        self.metric = metric
        self.pruned = False

    def __call__(self, model, fold, test):
        """Follow the fit of `model`, where its last step is a network of this library.

        Parameters
        ----------
        model : estimator instance
            About to be fitted.
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

        def look(quarter):
            score = metric_of(self.options["scorer"](model, X, y, **params), self.metric)
            mean = float(np.mean([*self.scores, score]))
            if not np.isfinite(mean):
                return
            self.trial.report(mean, LOOKS * fold + quarter)
            if self.trial.should_prune():
                self.pruned = True
                raise StopFold

        net.set_params(callbacks=[*others, _Quarters(look)])


class _Quarters(Callback):
    """Calls a function after each quarter of the epochs but the last."""

    def __init__(self, look):
        self.look = look

    def on_epoch_end(self, net, **kwargs):
        """Look, when a quarter is over."""
        epoch = len(net.history_)
        for quarter in range(LOOKS - 1, 0, -1):
            if epoch == math.ceil(quarter * net.max_epochs / LOOKS) < net.max_epochs:
                self.look(quarter)
                return
