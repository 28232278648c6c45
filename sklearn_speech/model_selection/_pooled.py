"""Scores of the out-of-fold predictions of all speakers together."""

import inspect
import warnings
from typing import Any

import numpy as np
import numpy.typing as npt

from ..utils.sklearn_private import (
    ScorerParts,
    check_method_params,
    is_made_scorer,
    parts_of_scorer,
)
from ._undefined import has_no_value


def pooled_scores(
    scorers: dict[str, Any],
    y: npt.NDArray[Any],
    tests: list[npt.NDArray[np.intp]],
    predictions: list[npt.NDArray[Any] | None],
    probabilities: list[npt.NDArray[Any] | None],
    classes: npt.NDArray[Any] | None,
    params: dict[str, dict[str, Any]],
) -> dict[str, float]:
    """Each metric, computed once from the responses of all folds.

    Parameters
    ----------
    scorers : dict of str to callable
    y : ndarray of shape (n_clips, ...)
        True targets.
    tests : list of ndarray of int
        Test clips of each fold.
    predictions, probabilities : list of ndarray or None
        Responses of each fold to them; None of a fold that failed.
    classes : ndarray of shape (n_classes,) or None
        Columns of the probabilities.
    params : dict of str to dict
        Arguments of the scorers, for all clips.

    Returns
    -------
    scores : dict of str to float
        Only of metrics that :func:`sklearn.metrics.make_scorer` made a scorer of. NaN where the
        metric has no value.
    """
    scores = {}
    for name, scorer in scorers.items():
        if not is_made_scorer(scorer):
            continue
        parts = parts_of_scorer(scorer)
        of_folds = predictions if "predict" in parts.responses else probabilities
        pairs = [(t, r) for t, r in zip(tests, of_folds) if r is not None]
        if not pairs:
            continue
        test = np.concatenate([t for t, _ in pairs])
        responses = np.concatenate([r for _, r in pairs])
        given = check_method_params(y, params.get(name, {}), indices=test)
        scores[name] = np.nan
        if not has_no_value(scorer, y[test], classes):
            scores[name] = _score(parts, y[test], responses, classes, given)
    return scores


def _score(
    parts: ScorerParts, y: npt.NDArray[Any], responses: Any, classes: Any, given: dict[str, Any]
) -> float:
    options = {**parts.options, **given}
    if "predict" not in parts.responses and classes is not None:
        if len(classes) == 2:
            positive = options.get("pos_label", classes[1])
            responses = responses[:, classes.tolist().index(positive)]
        elif "labels" in inspect.signature(parts.function).parameters:
            options.setdefault("labels", classes)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the folds have given them
            return float(parts.sign * parts.function(y, responses, **options))
    except (ArithmeticError, LookupError, TypeError, ValueError):
        return np.nan
