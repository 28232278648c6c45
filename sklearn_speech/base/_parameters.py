"""Parameters of the networks: by the rules of scikit-learn, with the prefixes of skorch."""

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from sklearn.base import BaseEstimator

from ..utils.docstrings import inherit_parameters
from ..utils.parameters import refuse_idle_parameters
from ..utils.sklearn_private import (
    DocumentedMixin,
    InvalidParameterError,
    validate_parameter_constraints,
)
from ._mixin import Mixin

#: Parameters of skorch that have a fixed value here, and what to use instead.
SKORCH_PARAMETERS = {
    "classes": "the `classes` of partial_fit",
    "compile": "the module_ of a fitted net, which torch.compile takes",
    "criterion": "a subclass that overrides initialize_criterion",
    "dataset": "a subclass that overrides get_dataset",
    "module": "a subclass that sets module_class",
    "predict_nonlinearity": "predict_log_proba, or module_, which returns logits",
    "torch_load_kwargs": "sklearn_speech.load, or torch.load and module_.load_state_dict",
    "train_split": "early_stopping and validation_fraction, or X_val and y_val of fit",
    "use_caching": "the use_caching of each scoring callback",
}

#: Internal attributes of skorch, which the HTML display of a fitted net leaves out.
_OF_SKORCH = {
    "callbacks_",
    "classes_inferred_",
    "criterion_",
    "cuda_dependent_attributes_",
    "init_context_",
    "initialized_",
    "optimizer_",
    "prefixes_",
    "virtual_params_",
}

#: Prefixes before "__" in names of parameters, besides the names of nested estimators.
PREFIXES = ("optimizer", "iterator_train", "iterator_valid", "callbacks")


class SpeechNetParameters(DocumentedMixin, Mixin):
    """Reads, sets and validates parameters; mixin placed before NeuralNet.

    In skorch, every attribute is a parameter, nested parameters of estimators are refused, and
    scikit-learn's validation never runs. Here, the signature determines the parameters.
    """

    #: Parameters of a base class that have a fixed value here, as a class attribute.
    _fixed_parameters: tuple[str, ...] = ()

    #: Parameters that have an effect only if another parameter has one of some values, as
    #: name -> (other name, values); SET stands for anything but None, False and 0.
    _needs: dict[str, tuple[str, object]] = {}

    _parameter_constraints: dict[str, Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Add the parameters that ``**kwargs`` passes on to the signature of the subclass.

        A class with several bases that have parameters, such as the base of a network and the
        base of a classifier, has the parameters of all, with or without its own ``__init__``.
        """
        bases = [
            c
            for c in cls.__bases__
            if issubclass(c, SpeechNetParameters) and c is not SpeechNetParameters
        ]
        if len(bases) > 1:
            cls._parameter_constraints = _merged(
                vars(c).get("_parameter_constraints", {}) for c in cls.__mro__
            )
            if "__init__" not in vars(cls):
                # mypy allows no assignment to methods, even to those of a new class
                cls.__init__ = _init_of_bases(cls)  # type: ignore[method-assign]
        if "__init__" in vars(cls):
            given = [inspect.signature(c.__init__).parameters for c in (cls, *bases)]
            named = [
                p
                for p in _merged(given).values()
                if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
                and p.name not in cls._fixed_parameters
            ]
            init: Any = cls.__init__
            init.__signature__ = inspect.Signature(sorted(named, key=lambda p: p.kind))
            inherit_parameters(cls, bases, [p.name for p in named])
        super().__init_subclass__(**kwargs)

    def _check_prefixed(self, names: Iterable[str]) -> None:
        """Refuse names of arguments that are neither parameters nor options with a prefix."""
        for name in names:
            head, separator, _ = name.partition("__")
            if separator and head in PREFIXES:
                continue
            raise TypeError(self._unexpected(name))

    def _unexpected(self, name: str) -> str:
        message = f"{type(self).__name__}() got an unexpected argument {name!r}"
        if name in SKORCH_PARAMETERS:
            return f"{message}; use {SKORCH_PARAMETERS[name]}"
        near = difflib.get_close_matches(name, self._signature_names(), n=1)
        if near:
            return f"{message}; did you mean {near[0]!r}?"
        prefixes = ", ".join(f"{prefix}__" for prefix in PREFIXES)
        return f"{message}; options with a prefix begin with {prefixes}"

    @classmethod
    def _signature_names(cls) -> list[str]:
        parameters = inspect.signature(cls.__init__).parameters.values()
        return [p.name for p in parameters if p.name != "self" and p.kind != p.VAR_KEYWORD]

    @property
    def _params_to_validate(self) -> set[str]:
        return {name for name in vars(self) if _prefix_of(name) in PREFIXES or "__" in name}

    def _get_param_names(self) -> list[str]:
        named = self._signature_names()
        return sorted(named) + sorted(
            name for name in vars(self) if "__" in name and not name.startswith("_")
        )

    def _get_params_callbacks(self, deep: bool = True) -> dict[str, Any]:
        # default callbacks are new objects in each call; with them, no two nets would be equal
        if not deep or self.callbacks == "disable":
            return {}
        own = {name for name, _ in self._default_callbacks}
        return {
            name: value
            for name, value in super()._get_params_callbacks(deep).items()
            if name.split("__")[1] not in own
        }

    def set_params(self, **params: Any) -> Self:
        """Set parameters, including nested ones and those with a prefix of skorch.

        Parameters
        ----------
        **params : dict
            Such as ``lr=0.01``, ``frontend__n_mels=40``, ``optimizer__momentum=0.9``
            or ``callbacks__print_log=None``. Fitted attributes do not change, except that
            ``lr``, ``weight_decay`` and ``optimizer__*`` are also set in the optimiser that
            ``partial_fit`` continues to use.

        Returns
        -------
        self : object
        """
        named = set(self._signature_names())
        plain: dict[str, Any] = {}
        prefixed: dict[str, Any] = {}
        callbacks: dict[str, Any] = {}
        for name, value in params.items():
            if "__" in name and _prefix_of(name) in PREFIXES:
                (callbacks if name.startswith("callbacks") else prefixed)[name] = value
            elif _prefix_of(name) in named:
                plain[name] = value
            else:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}. "
                    f"Valid parameters are: {sorted(named)}, and names that begin with "
                    f"{', '.join(prefix + '__' for prefix in PREFIXES)}"
                )
        # estimators are set before their nested parameters
        for name in sorted(plain, key=lambda name: "__" in name):
            head, _, tail = name.partition("__")
            if not tail:
                setattr(self, name, plain[name])
                continue
            nested = getattr(self, head)
            if not hasattr(nested, "set_params") or isinstance(nested, type):
                raise ValueError(
                    f"{name}={plain[name]!r} cannot be set: {head}={nested!r} of "
                    f"{type(self).__name__} is not an estimator with parameters"
                )
            nested.set_params(**{tail: plain[name]})
        self.__dict__.update(prefixed)
        if callbacks:
            super().set_params(**callbacks)
        if self.initialized_ and self.optimizer_ is not None:
            for name, value in params.items():
                head, _, tail = name.partition("__")
                option = (
                    tail if head == "optimizer" else name if name in ("lr", "weight_decay") else ""
                )
                for group in self.optimizer_.param_groups:
                    if option in group:
                        group[option] = value
        return self

    def _validate_params(self) -> None:
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        own = set(self._signature_names())
        for name in vars(self):
            if not (name in own or name.endswith("_") or name.startswith("_")):
                self._check_prefixed([name])
        for name in vars(self):
            if name.startswith("callbacks__"):
                self._check_option_of_callback(name)
        refuse_idle_parameters(self)
        if self.early_stopping and self.lr_schedule == "swa":
            raise InvalidParameterError(
                "lr_schedule='swa' ends with the mean of the weights of many steps, "
                "early_stopping=True with the weights of one epoch: set only one of them"
            )
        if self.frontend is not None and (
            isinstance(self.frontend, type) or not hasattr(self.frontend, "to_module")
        ):
            raise InvalidParameterError(
                f"frontend={self.frontend!r}: expected a transformer with to_module, such as "
                "MelSpectrogram"
            )

    def _check_option_of_callback(self, name: str) -> None:
        """Refuse an option of a callback that does not exist."""
        names = {name for name, _ in self._uniquely_named_callbacks()}
        if self.callbacks == "disable" or name.split("__")[1] not in names:
            raise TypeError(
                f"{name} sets a callback, or a parameter of one, but "
                f"callbacks={self.callbacks!r}: pass callbacks=[(name, callback)]"
            )

    def _get_fitted_attr_html(self, doc_link: str = "") -> dict[str, Any]:
        """Fitted attributes for scikit-learn's HTML display, without those of skorch."""
        shown = super()._get_fitted_attr_html(doc_link)
        for name in _OF_SKORCH & set(shown):
            del shown[name]
        return shown

    __repr__ = BaseEstimator.__repr__
    get_metadata_routing = BaseEstimator.get_metadata_routing


def _init_of_bases(cls: Any) -> Callable[..., None]:
    """An ``__init__`` that passes all arguments on to the bases of a class."""

    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
        super(cls, self).__init__(*args, **kwargs)

    __init__.__qualname__, __init__.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    return __init__


def _merged(mappings: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All entries of some mappings; for a key in several of them, the first value."""
    merged: dict[str, Any] = {}
    for mapping in mappings:
        for name, value in mapping.items():
            merged.setdefault(name, value)
    return merged


def _prefix_of(name: str) -> str:
    return name.partition("__")[0]
