"""Every private name of scikit-learn that this package uses, under a public name.

No other file touches scikit-learn's private modules, classes or attributes, so a new
release of scikit-learn can break this file only. ``tests/test_layering.py`` checks it.
"""

from collections.abc import Callable
from copy import copy
from numbers import Integral
from typing import Any, NamedTuple
from urllib.parse import quote

from sklearn.base import _fit_context as fit_context
from sklearn.metrics._scorer import _MultimetricScorer, _PassthroughScorer, _Scorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _fit_and_score as fit_and_score
from sklearn.model_selection._validation import (
    _warn_or_raise_about_fit_failures as warn_or_raise_about_fit_failures,
)
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils._metadata_requests import MetadataRequest, MethodMetadataRequest
from sklearn.utils._param_validation import (
    HasMethods,
    Interval,
    InvalidParameterError,
    Options,
    StrOptions,
    validate_parameter_constraints,
)
from sklearn.utils._set_output import (
    _auto_wrap_is_configured,
    _get_output_config,
    _wrap_data_with_container,
)
from sklearn.utils.validation import _check_feature_names_in as check_feature_names_in
from sklearn.utils.validation import _check_method_params as check_method_params

__all__ = [
    "METADATA_REQUESTS",
    "BaseSearchCV",
    "DocumentedMixin",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "Options",
    "ScorerParts",
    "StrOptions",
    "WholeNumber",
    "as_table",
    "check_feature_names_in",
    "check_method_params",
    "fit_and_score",
    "fit_context",
    "gives_tables",
    "is_made_scorer",
    "is_sklearn_scorer",
    "label_above_threshold",
    "map_scorers",
    "parts_of_scorer",
    "safe_indexing",
    "scorer_with_options",
    "scorers_by_name",
    "validate_parameter_constraints",
    "warn_or_raise_about_fit_failures",
    "without_tables",
]


#: The class in which scikit-learn stores the metadata requests of an estimator.
METADATA_REQUESTS = (MetadataRequest, MethodMetadataRequest)


class DocumentedMixin:
    """Explain each parameter in scikit-learn's HTML display; placed before BaseEstimator.

    scikit-learn shows the entry of a parameter in the docstring as its tooltip, but only where
    the estimator has a link to its documentation.
    """

    def _get_doc_link(self) -> str:
        return "#" + quote(f"{type(self).__module__}.{type(self).__qualname__}")


class WholeNumber(Interval):
    """Constraint of a parameter that is a whole number of at least `lowest`, and no bool."""

    def __init__(self, lowest: int) -> None:
        super().__init__(Integral, lowest, None, closed="left")

    def is_satisfied_by(self, val: Any) -> bool:
        return not isinstance(val, bool) and super().is_satisfied_by(val)


def gives_tables(step: Any) -> bool:
    """Whether ``transform`` returns a table of pandas or polars.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> gives_tables(StandardScaler())
    False
    >>> gives_tables(StandardScaler().set_output(transform="pandas"))
    True
    """
    is_wrapped = _auto_wrap_is_configured(step)
    return is_wrapped and _get_output_config("transform", step)["dense"] != "default"


def without_tables(step: Any) -> Any:
    """Copy a transformer, so that ``transform`` returns an array whatever the configuration.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> step = StandardScaler().set_output(transform="pandas")
    >>> gives_tables(without_tables(step)), gives_tables(step)
    (False, True)
    """
    step = copy(step)
    step._sklearn_output_config = {"transform": "default"}  # set_output would change the original
    return step


def as_table(features: Any, step: Any) -> Any:
    """Convert the output of a fitted transformer to the table that it is configured to give."""
    return _wrap_data_with_container("transform", features, features, step)


class ScorerParts(NamedTuple):
    """The arguments of :func:`sklearn.metrics.make_scorer`."""

    function: Callable[..., float]
    sign: int
    options: dict[str, Any]
    #: Methods of the estimator; the scorer calls the first one that exists.
    responses: tuple[str, ...]


def is_made_scorer(scorer: object) -> bool:
    """Whether :func:`sklearn.metrics.make_scorer` made a scorer.

    Such a scorer uses only the targets and one response of the estimator.

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> is_made_scorer(get_scorer("accuracy"))
    True
    """
    return type(scorer) is _Scorer


def is_sklearn_scorer(scorer: object) -> bool:
    """Whether a scorer is scikit-learn's own: made by ``make_scorer``, or ``estimator.score``."""
    return type(scorer) in (_Scorer, _PassthroughScorer)


def parts_of_scorer(scorer: Any) -> ScorerParts:
    """Return function, sign (1 or -1), keyword arguments and responses of such a scorer.

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> parts_of_scorer(get_scorer("neg_log_loss")).sign
    -1
    """
    responses = scorer._response_method
    responses = (responses,) if isinstance(responses, str) else tuple(responses)
    return ScorerParts(scorer._score_func, scorer._sign, dict(scorer._kwargs), responses)


def scorer_with_options(scorer: Any, **options: Any) -> Any:
    """Copy a scorer made by ``make_scorer``, with further keyword arguments.

    The copy keeps the metadata requests.

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> parts_of_scorer(scorer_with_options(get_scorer("accuracy"), normalize=False)).options
    {'normalize': False}
    """
    changed = copy(scorer)
    changed._kwargs = {**scorer._kwargs, **options}
    return changed


def map_scorers(function: Callable[[Any], Any], scorers: Any) -> Any:
    """Apply a function to each scorer in what scikit-learn's searches keep.

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> map_scorers(lambda scorer: "changed", get_scorer("accuracy"))
    'changed'
    """
    if not isinstance(scorers, _MultimetricScorer):
        return function(scorers)
    changed = copy(scorers)
    changed._scorers = {name: function(scorer) for name, scorer in scorers._scorers.items()}
    return changed


def scorers_by_name(scorers: Any) -> dict[str, Callable[..., Any]]:
    """Return the individual scorers of a scikit-learn search by name.

    Examples
    --------
    >>> from sklearn.metrics import get_scorer
    >>> list(scorers_by_name(get_scorer("accuracy")))
    ['score']
    """
    if isinstance(scorers, _MultimetricScorer):
        scorers = scorers._scorers
    return dict(scorers) if isinstance(scorers, dict) else {"score": scorers}


def label_above_threshold(estimator: Any) -> Any:
    """The label that a fitted ``TunedThresholdClassifierCV`` gives to high scores.

    Returns
    -------
    label : object
        None where it is the second class.
    """
    return estimator._curve_scorer._get_pos_label()
