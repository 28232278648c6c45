"""Build scorers, and score a fold and each of its speakers."""

import inspect
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import ClassifierMixin, is_classifier, is_regressor
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import check_scoring, get_scorer, get_scorer_names
from sklearn.pipeline import Pipeline

from ..utils.sklearn_private import is_made_scorer, parts_of_scorer, scorer_with_options
from ._means_of_clips import RowsOfSpeakers, means_by_speaker
from ._metric_names import name_of_own_score, name_of_scorer
from ._responses import CachedResponses
from ._routing import routing_enabled
from ._undefined import has_no_value


def check_scorers(estimator: Any, scoring: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Return scorers by name, and the name of each metric in tables.

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
        if is_classifier(final) and _scores_by_accuracy(final):
            return {"score": get_scorer("accuracy")}, {"score": "accuracy"}
        label = name_of_own_score(estimator)
        # a scorer tells what it computes, and uses cached responses
        named = is_regressor(final) and label in get_scorer_names() and not routing_enabled()
        scorer = get_scorer(label) if named else check_scoring(estimator)
        return {"score": scorer}, {"score": label}
    if isinstance(scoring, str):
        return {"score": get_scorer(scoring)}, {"score": scoring}
    if callable(scoring):
        return {"score": scoring}, {"score": name_of_scorer(scoring)}
    if isinstance(scoring, dict):
        pairs = list(scoring.items())
    elif isinstance(scoring, (list, tuple, set)):
        pairs = [(name, name) for name in (sorted(scoring) if type(scoring) is set else scoring)]
    else:
        raise ValueError(
            f"scoring={scoring!r}: expected a scorer's name, a callable, or a list or dict of them"
        )
    if not pairs or len({name for name, _ in pairs}) < len(pairs):
        raise ValueError(f"scoring={scoring!r}: expected at least one metric, each only once")
    scorers = {name: check_scoring(estimator, scoring=scorer) for name, scorer in pairs}
    return scorers, {name: name for name in scorers}


def _scores_by_accuracy(classifier: Any) -> bool:
    """Whether ``classifier.score`` can be replaced by the accuracy scorer, which is faster.

    The scorer uses cached responses. Unlabelled clips, which this library's classifiers leave
    out of their score, are in no test part. With metadata routing on, this library's
    classifiers keep their own method, which has its own metadata requests.
    """
    method = getattr(type(classifier), "score", None)
    if method is ClassifierMixin.score or type(classifier) is DummyClassifier:
        return True
    return getattr(method, "metric", None) == "accuracy" and not routing_enabled()


def with_all_classes(scorers: dict[str, Any], estimator: Any, y_test: Any) -> dict[str, Any]:
    """Return scorers for test clips that may lack some of the classes.

    A metric of probabilities, such as the log loss, assumes that the test clips contain all
    classes unless ``labels=`` is given. Metrics of predicted classes are not changed, because
    ``labels=`` would change what they average.

    Parameters
    ----------
    scorers : dict of str to callable
    estimator : estimator instance
        A fitted estimator.
    y_test : ndarray of shape (n_clips, ...)

    Returns
    -------
    scorers : dict of str to callable

    Raises
    ------
    ValueError
        If test clips have a class that the estimator does not know, and a metric needs a
        probability for each class.
    """
    classes = getattr(estimator, "classes_", None)
    if classes is None or np.ndim(classes) != 1 or np.ndim(y_test) != 1:
        return scorers
    adapted = {
        name: scorer_with_options(scorer, labels=np.asarray(classes))
        for name, scorer in scorers.items()
        if _takes_labels(scorer)
    }
    if adapted:
        unknown = set(np.asarray(y_test).tolist()).difference(np.asarray(classes).tolist())
        if unknown:
            listed = ", ".join(sorted(map(repr, unknown))[:3])
            raise ValueError(
                f"no training clip of this fold has class {listed}, so {', '.join(adapted)} is "
                "undefined: leave out the clips of a class that only held-out speakers have, or "
                "choose a metric of predicted classes, such as 'accuracy'"
            )
    return scorers | adapted


class AllClassesScorer:
    """A scorer that tells its metric the classes of the fitted estimator.

    See :func:`with_all_classes`. Everything else comes from the scorer inside.

    Parameters
    ----------
    scorer : callable
        Made by :func:`sklearn.metrics.make_scorer`.
    """

    def __init__(self, scorer: Any) -> None:
        self.scorer = scorer

    def __call__(self, estimator: Any, X: Any, y: Any, **params: Any) -> Any:
        (scorer,) = with_all_classes({"score": self.scorer}, estimator, y).values()
        return scorer(estimator, X, y, **params)

    def __getattr__(self, name: str) -> Any:
        if name == "scorer" or name.startswith("__"):  # asked for while a copy is made
            raise AttributeError(name)
        return getattr(self.scorer, name)


def for_all_classes(scorer: Any) -> Any:
    """The scorer, or an :class:`AllClassesScorer` of it where its metric takes `labels`."""
    return AllClassesScorer(scorer) if _takes_labels(scorer) else scorer


def _takes_labels(scorer: Any) -> bool:
    if not is_made_scorer(scorer):
        return False
    parts = parts_of_scorer(scorer)
    if parts.responses == ("predict",) or "labels" in parts.options:
        return False
    return "labels" in inspect.signature(parts.function).parameters


def score_clips(
    name: str, scorer: Any, responses: CachedResponses, X: Any, y: Any, params: dict[str, Any]
) -> dict[str, float]:
    """Score the clips, and return a dict of numbers.

    Parameters
    ----------
    name : str
        Name of the metric.
    scorer : callable
        Returns a number, or a dict of numbers.
    responses : CachedResponses
    X, y : array-likes of shape (n_clips, ...)
    params : dict
        Keyword arguments of the scorer.

    Returns
    -------
    scores : dict of str to float
        The one entry is called `name` where the scorer returns one number. NaN where the
        metric has no value for these clips.
    """
    if has_no_value(scorer, y, getattr(responses.fitted, "classes_", None)):
        return {name: np.nan}
    # a scorer written by the user may look into the estimator, so it gets the real one
    estimator = responses if is_made_scorer(scorer) else responses.fitted
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UndefinedMetricWarning)
        score = scorer(estimator, X, y, **params)
    scores = score if isinstance(score, dict) else {name: score}
    if any(
        np.ndim(value) or np.asarray(value).dtype.kind not in "fiub" for value in scores.values()
    ):
        raise TypeError(f"the scorer {scorer!r} returned {score!r}: expected one number per metric")
    scores = {key: float(value) for key, value in scores.items()}
    for warning in caught:
        # a NaN score already shows this, and the caller warns by speaker
        if (
            not issubclass(warning.category, UndefinedMetricWarning)
            or np.isfinite(list(scores.values())).all()
        ):
            warnings.warn_explicit(
                warning.message, warning.category, warning.filename, warning.lineno
            )
    return scores


def score_speakers(
    scorers: dict[str, Any],
    responses: CachedResponses,
    y: npt.NDArray[Any],
    rows_of_speakers: RowsOfSpeakers,
    params_of: Callable[[str, npt.NDArray[np.intp]], dict[str, Any]],
    metrics_of: dict[str, list[str]],
    whole: dict[str, float],
) -> dict[str, list[float]]:
    """Score the clips of each speaker separately.

    Parameters
    ----------
    scorers : dict of str to callable
    responses : CachedResponses
        Cached responses to all test clips, which each scorer has already scored.
    y : ndarray of shape (n_clips, ...)
        Targets of the test clips.
    rows_of_speakers : RowsOfSpeakers
        Positions of each speaker's clips among the test clips.
    params_of : callable
        Takes the name of a scorer and positions of clips; returns the scorer's keyword arguments.
    metrics_of : dict of str to list of str
        The metrics that each scorer returns.
    whole : dict of str to float
        The metrics of all test clips.

    Returns
    -------
    scores : dict of str to list of float
        For each metric, one score per speaker; NaN if the metric is undefined for a single
        speaker, such as an AUC of one class.
    """
    scores: dict[str, list[float]] = {key: [] for keys in metrics_of.values() for key in keys}
    one_by_one = {}
    for name, scorer in scorers.items():
        means = None
        if not params_of(name, rows_of_speakers[0]):
            means = means_by_speaker(
                scorer, responses, y, rows_of_speakers, whole.get(name, np.nan)
            )
        if means is None:
            one_by_one[name] = scorer
        else:
            scores[name] = means
    for rows in rows_of_speakers if one_by_one else ():
        part = responses.part(rows)
        for name, scorer in one_by_one.items():
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", UndefinedMetricWarning)
                    found = score_clips(
                        name, scorer, responses, part, y[rows], params_of(name, rows)
                    )
            except (ArithmeticError, LookupError, ValueError):
                found = {}
            for key in metrics_of[name]:
                scores[key].append(found.get(key, np.nan))
        responses.forget_parts()
    return scores
