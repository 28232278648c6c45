"""Pass the speakers to the steps that split again, with metadata routing on or off."""

import inspect
import warnings
from typing import Any

from sklearn import get_config
from sklearn.feature_selection import RFECV
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    get_routing_for_object,
    process_routing,
)

from ..classification import AugmentedClassifier
from ..utils.sklearn_private import BaseSearchCV


def routing_enabled() -> bool:
    """Whether scikit-learn's metadata routing is switched on."""
    return get_config()["enable_metadata_routing"]


def route_metadata(
    estimator: Any,
    params: dict[str, Any],
    groups: Any,
    scorers: dict[str, Any] | None = None,
    caller: str = "cross_validate_by_speaker",
) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """Return the arguments for an estimator's fit and for scorers, including the speakers.

    Parameters
    ----------
    estimator : estimator instance
        Unfitted.
    params : dict
        Metadata that the user passed, such as ``sample_weight``.
    groups : ndarray of shape (n_clips,)
        Speakers. They are passed only to estimators that request or take groups.
    scorers : dict of str to callable, default=None
        Scorers by name.
    caller : str, default="cross_validate_by_speaker"
        Name of the public function, for messages.

    Returns
    -------
    fit_params : dict
        Keyword arguments of ``estimator.fit``, for all clips.
    score_params : dict of str to dict
        Keyword arguments of each scorer, for all clips.

    Raises
    ------
    sklearn.exceptions.UnsetMetadataPassedError
        With routing on, if a fit could take groups or one of `params`, and ``set_fit_request``
        was not called to say whether it should.
    TypeError
        With routing on, if nothing requests one of `params`.
    """
    scorers = {} if scorers is None else scorers
    if "groups" in params:
        raise ValueError("params holds 'groups'; the groups are the speakers, given as `speakers`")
    if not routing_enabled():
        return groups_params(estimator, groups) | params, {name: {} for name in scorers}
    # a group splitter requests the groups, so that routing never rejects them
    router = (
        MetadataRouter(owner=caller)
        .add(estimator=estimator, method_mapping=_calls("fit"))
        .add(splitter=LeaveOneGroupOut(), method_mapping=_calls("split"))
    )
    for i, scorer in enumerate(scorers.values()):
        router.add(**{f"scorer_{i}": scorer}, method_mapping=_calls("score"))
    routed = process_routing(router, "fit", **params, groups=groups)
    score_params = {name: dict(routed[f"scorer_{i}"]["score"]) for i, name in enumerate(scorers)}
    return dict(routed["estimator"]["fit"]), score_params


def _calls(callee):
    return MethodMapping().add(caller="fit", callee=callee)


def groups_params(estimator: Any, groups: Any) -> dict[str, Any]:
    """Return the keyword arguments that pass groups to an estimator's fit, with routing off.

    Pipelines pass ``step__groups`` on, and AugmentedClassifier everything; a search passes
    ``groups`` to its splitter and everything else to its estimator; other estimators take
    groups if the signature of their fit has them. Calibration and threshold tuning take no
    groups without routing.

    Parameters
    ----------
    estimator : estimator instance
    groups : ndarray of shape (n_clips,)

    Returns
    -------
    params : dict

    Warns
    -----
    UserWarning
        When a search inside the estimator splits without regard to the groups.
    """
    if isinstance(estimator, Pipeline):
        return {
            f"{name}__{key}": value
            for name, step in estimator.steps
            if hasattr(step, "fit")
            for key, value in groups_params(step, groups).items()
        }
    if isinstance(estimator, AugmentedClassifier):
        return groups_params(estimator.estimator, groups)
    if isinstance(estimator, RFECV):
        return {"groups": groups} if splits_by_group(estimator.cv) else {}
    if isinstance(estimator, BaseSearchCV):
        params = groups_params(estimator.estimator, groups)
        params.pop("groups", None)  # the search would pass it to its own splitter
        if splits_by_group(estimator.cv):
            params["groups"] = groups
        else:
            warnings.warn(
                f"{type(estimator).__name__}(cv={estimator.cv!r}) splits without regard to "
                "speakers, so it validates on speakers of the training clips; give it a splitter "
                "by group, such as GroupKFold",
                UserWarning,
                stacklevel=4,
            )
        return params
    return {"groups": groups} if "groups" in inspect.signature(estimator.fit).parameters else {}


def splits_by_group(cv: Any) -> bool:
    """Whether a `cv` parameter keeps groups apart, according to its metadata request.

    Parameters
    ----------
    cv : int, splitter, iterable or None

    Returns
    -------
    by_group : bool
        True for an iterable of splits, because nothing is known about it.
    """
    if not hasattr(cv, "split"):
        return cv is not None and not isinstance(cv, int)
    return bool(get_routing_for_object(cv).consumes("split", ["groups"]))
