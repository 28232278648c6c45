"""Find the parts of an estimator: pipelines, ensembles, meta-estimators, networks."""

from collections.abc import Iterator
from typing import Any

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline


def final_step(estimator: Any) -> Any:
    """Return the last step of a (nested) pipeline, or the estimator itself.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> final_step(make_pipeline(make_pipeline(LogisticRegression())))
    LogisticRegression()
    """
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def unwrapped(estimator: Any) -> Any:
    """Return the estimator that answers for a search, a frozen one or one fitted on copies.

    Others are returned as they are.
    """
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif getattr(estimator, "_only_fits", False) and hasattr(estimator, "estimator_"):
            estimator = estimator.estimator_
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator


def unwrapped_final_step(estimator: Any) -> Any:
    """Return the last step of pipelines, searches and frozen estimators within each other."""
    while (last := final_step(unwrapped(estimator))) is not estimator:
        estimator = last
    return last


def parts_of(estimator: Any, *, fitted: bool = False) -> list[tuple[str, Any]]:
    """Return the estimators that an estimator contains directly, unfitted or fitted.

    Parameters
    ----------
    estimator : estimator instance or anything else
        Anything other than an estimator has no parts.
    fitted : bool, default=False
        Whether to return the fitted parts of a fitted ensemble or search instead of its
        parameters.

    Returns
    -------
    parts : list of (str, estimator)
        Steps of a pipeline, members of an ensemble and parameters, with their names; names of
        estimators in a list have an index, such as ``augment[0]``.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn_speech import AddNoise, BCResNetClassifier, PadOrTrim
    >>> pipeline = make_pipeline(PadOrTrim(), BCResNetClassifier(augment=[AddNoise()]))
    >>> [name for name, _ in parts_of(pipeline)]
    ['padortrim', 'bcresnetclassifier']
    >>> [name for name, _ in parts_of(pipeline[-1])]
    ['augment[0]']
    """
    if isinstance(estimator, type) or not hasattr(estimator, "get_params"):
        return []
    if isinstance(estimator, Pipeline):
        return [(name, step) for name, step in estimator.steps if _is_part(step)]
    if fitted:
        found = _fitted_parts(estimator)
        if found is not None:
            return found
    parts: list[tuple[str, Any]] = []
    for name, value in sorted(estimator.get_params(deep=False).items()):
        parts += _in_parameter(name, value)
    return parts


def _fitted_parts(estimator: Any) -> list[tuple[str, Any]] | None:
    if hasattr(estimator, "named_estimators_"):
        return [(name, part) for name, part in estimator.named_estimators_.items()]
    for name in ("estimators_", "calibrated_classifiers_"):
        if hasattr(estimator, name):
            return [(str(i), part) for i, part in enumerate(getattr(estimator, name))]
    for name in ("best_estimator_", "estimator_"):
        if hasattr(estimator, name):
            return [("", getattr(estimator, name))]
    return None


def _in_parameter(name: str, value: Any) -> list[tuple[str, Any]]:
    if _is_part(value):
        return [(name, value)]
    if not isinstance(value, (list, tuple)):
        return []
    parts = []
    for i, item in enumerate(value):
        is_pair = isinstance(item, tuple) and len(item) >= 2 and isinstance(item[0], str)
        if is_pair and _is_part(item[1]):
            parts.append((item[0], item[1]))
        elif _is_part(item):
            parts.append((f"{name}[{i}]", item))
    return parts


def _is_part(value: Any) -> bool:
    return hasattr(value, "get_params") and not isinstance(value, type)


def walk(estimator: Any, *, fitted: bool = False) -> Iterator[tuple[str, Any]]:
    """Yield an estimator and, recursively, its parts, each with its path.

    Parameters
    ----------
    estimator : estimator instance
    fitted : bool, default=False
        See :func:`parts_of`.

    Yields
    ------
    path : str
        Names joined by ``__``, as in ``set_params``; empty for the estimator itself.
    part : estimator

    Examples
    --------
    >>> from sklearn_speech import BCResNetClassifier, MelSpectrogram
    >>> [path for path, _ in walk(BCResNetClassifier(frontend=MelSpectrogram()))]
    ['', 'frontend']
    """
    yield "", estimator
    for name, part in parts_of(estimator, fitted=fitted):
        for inner, found in walk(part, fitted=fitted):
            yield "__".join(filter(None, (name, inner))), found


def sample_rates(estimator: Any) -> list[tuple[str, float]]:
    """Return the sample rates of the parts of an estimator, with their paths.

    Examples
    --------
    >>> from sklearn_speech import BCResNetClassifier, MelSpectrogram
    >>> sample_rates(BCResNetClassifier(frontend=MelSpectrogram(8000)))
    [('frontend', 8000)]
    """
    return [
        (path, part.get_params(deep=False)["sample_rate"])
        for path, part in walk(estimator)
        if hasattr(part, "get_params")
        and part.get_params(deep=False).get("sample_rate") is not None
    ]
