"""Find the first steps of a pipeline that can be computed once for all folds."""

from typing import Any

from sklearn.pipeline import Pipeline


def split_clipwise(estimator: Any) -> tuple[Pipeline | None, Any]:
    """Split a pipeline after its first steps that process each clip independently.

    Such a step learns nothing from the clips and computes the features of each clip without the
    others, so it may see all clips before they are split. Only this library's own transformers
    declare this, with the attribute ``_treats_clips_alone``, because scikit-learn has no tag
    for it.

    Parameters
    ----------
    estimator : estimator instance

    Returns
    -------
    first : Pipeline or None
        The longest run of such steps at the start of the pipeline; None if there are none.
    rest : estimator instance
        The part to fit on each fold: the other steps, or `estimator` itself.

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
    """Whether a transformer is this library's own and processes each clip independently."""
    own = type(step).__module__.startswith("sklearn_speech.")
    return own and getattr(step, "_treats_clips_alone", False) is True
