"""The first steps of a pipeline, which may be computed once for all folds."""

from typing import Any

from sklearn.pipeline import Pipeline


def split_clipwise(estimator: Any) -> tuple[Pipeline | None, Any]:
    """Split a pipeline after the steps that treat each clip alone.

    Such a step learns nothing from the clips and computes each one's features
    without regard to the others, so it may see all clips before they are split.
    Only this library's own transformers promise that, by the attribute
    ``_treats_clips_alone``. Scikit-learn has no tag for it.

    Parameters
    ----------
    estimator : estimator instance

    Returns
    -------
    first : Pipeline or None
        The longest beginning whose steps all promise it; None where there is none.
    rest : estimator instance
        To be fitted on each fold: the other steps, or `estimator` as it is.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> split_clipwise(make_pipeline(StandardScaler(), LogisticRegression()))[0] is None
    True
    """
    if type(estimator) is not Pipeline or getattr(estimator, "transform_input", None):
        return None, estimator
    n_first = 0
    for _, step in estimator.steps[:-1]:
        if not is_clipwise(step):
            break
        n_first += 1
    if n_first == 0:
        return None, estimator
    return estimator[:n_first], estimator[n_first:]


def is_clipwise(step: Any) -> bool:
    """Whether a transformer is this library's own and promises to treat each clip alone."""
    own = type(step).__module__.startswith("sklearn_speech.")
    return own and getattr(step, "_treats_clips_alone", False) is True
