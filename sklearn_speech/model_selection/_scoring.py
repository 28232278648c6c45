"""Metrics by name, and a fitted estimator that is asked each question once."""

from functools import partial

import numpy as np
from sklearn.base import ClassifierMixin, is_classifier
from sklearn.metrics import check_scoring, get_scorer
from sklearn.pipeline import Pipeline

from ..utils.sklearn_private import is_made_scorer, parts_of_scorer, safe_indexing

RESPONSES = ("predict", "predict_proba", "predict_log_proba", "decision_function")


def check_scorers(estimator, scoring):
    """Scorers by name, and what a table calls each of them.

    Parameters
    ----------
    estimator : estimator instance
    scoring : str, callable, list, tuple, set, dict or None
        As in :func:`sklearn.model_selection.cross_validate`.

    Returns
    -------
    scorers : dict of str to callable
    labels : dict of str to str
    """
    if scoring is None:
        final = estimator
        while isinstance(final, Pipeline):
            final = final.steps[-1][1]
        if is_classifier(final) and getattr(type(final), "score", None) is ClassifierMixin.score:
            return {"score": get_scorer("accuracy")}, {"score": "accuracy"}
        return {"score": check_scoring(estimator)}, {"score": "score"}
    if isinstance(scoring, str):
        return {"score": get_scorer(scoring)}, {"score": scoring}
    if callable(scoring):
        return {"score": scoring}, {"score": _label(scoring)}
    if isinstance(scoring, dict):
        pairs = list(scoring.items())
    elif isinstance(scoring, (list, tuple, set)):
        pairs = [(name, name) for name in (sorted(scoring) if type(scoring) is set else scoring)]
    else:
        raise ValueError(
            f"scoring={scoring!r}: expected a scorer's name, a callable, or a list or dict of them"
        )
    if not pairs or len({name for name, _ in pairs}) < len(pairs):
        raise ValueError(f"scoring={scoring!r}: expected at least one metric, and each once")
    scorers = {name: check_scoring(estimator, scoring=scorer) for name, scorer in pairs}
    return scorers, {name: name for name in scorers}


def _label(scorer):
    """What a table calls a scorer that is no name."""
    if is_made_scorer(scorer):
        function, sign, options = parts_of_scorer(scorer)
        while isinstance(function, partial):
            function = function.func
        name = getattr(function, "__name__", type(function).__name__).removesuffix("_score")
        listed = ", ".join(f"{key}={value!r}" for key, value in options.items())
        return ("neg_" if sign < 0 else "") + name + (f" ({listed})" if listed else "")
    name = getattr(scorer, "__name__", type(scorer).__name__)
    return name if name.isidentifier() and name != "score" else "custom score"


def common_label(labels):
    """What a table calls the one metric of several results.

    Parameters
    ----------
    labels : iterable of str
        Of the results; "score" is an estimator's own, which may be any metric.

    Returns
    -------
    label : str

    Raises
    ------
    ValueError
        When the results are of different metrics.
    """
    labels = set(labels)
    if len(labels) > 1:
        labels.discard("score")
    if len(labels) > 1:
        raise ValueError(f"the results are of different metrics: {', '.join(sorted(labels))}")
    return labels.pop()


class AskedOnce:
    """A fitted estimator that answers about the test clips, or a part of them, from memory.

    Each further metric, the score of each speaker and the stored predictions then
    cost no further pass of the network, and a pipeline's features are computed once.

    Parameters
    ----------
    estimator : estimator instance
        Fitted.
    X : array-like of shape (n_clips, ...)
        Test clips. Answers are about this very object.
    parts : list of (array-like, ndarray of int), default=()
        Parts of X that may be asked about, and their positions in X.
    """

    def __init__(self, estimator, X, parts=()):
        self._estimator = estimator
        self._X = X
        self._rows = {id(part): (part, rows) for part, rows in parts}
        self._answers = {}
        self._features = None

    def __getattr__(self, name):
        value = getattr(self._estimator, name)
        if name not in RESPONSES:
            return value

        def respond(X, **kwargs):
            if kwargs or (X is not self._X and id(X) not in self._rows):
                return value(X, **kwargs)
            answer = self._ask(name)
            return answer if X is self._X else safe_indexing(answer, self._rows[id(X)][1])

        respond.__name__ = name
        return respond

    def _ask(self, name):
        if name not in self._answers:
            estimator, X = self._estimator, self._X
            if type(estimator) is Pipeline and len(estimator.steps) > 1:
                if self._features is None:
                    self._features = (estimator[:-1].transform(X),)
                estimator, X = estimator.steps[-1][1], self._features[0]
            self._answers[name] = getattr(estimator, name)(X)
        return self._answers[name]


def score_once(name, scorer, asked, X, y, params):
    """What a scorer says, as a dict of numbers.

    Parameters
    ----------
    name : str
        Of the metric.
    scorer : callable
        Returns a number, or a dict of numbers.
    asked : AskedOnce
    X, y : array-likes of shape (n_clips, ...)
    params : dict
        Keyword arguments of the scorer.

    Returns
    -------
    scores : dict of str to float
        The one entry is called `name` where the scorer returns one number.
    """
    # a scorer of somebody else's may look into the estimator, so it gets the real one
    score = scorer(asked if is_made_scorer(scorer) else asked._estimator, X, y, **params)
    scores = score if isinstance(score, dict) else {name: score}
    if any(
        np.ndim(value) or np.asarray(value).dtype.kind not in "fiub" for value in scores.values()
    ):
        raise TypeError(f"the scorer {scorer!r} returned {score!r}: expected one number a metric")
    return {key: float(value) for key, value in scores.items()}
