"""Parameters as scikit-learn wants them, with skorch's prefixes."""

import difflib
import inspect

from sklearn.base import BaseEstimator

from ..utils.docstrings import inherit_parameters
from ..utils.parameters import refuse_idle_parameters
from ..utils.sklearn_private import InvalidParameterError, validate_parameter_constraints
from ._mixin import Mixin

#: Parameters of skorch that have one value here, and what to use instead.
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

#: Attributes with which skorch keeps its books, of no use to a reader of a fitted net.
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

#: What may stand before "__" in the name of a parameter that is not an estimator's.
PREFIXES = ("optimizer", "iterator_train", "iterator_valid", "callbacks")


class SpeechNetParameters(Mixin):
    """Reads, sets and validates parameters; mixin placed before NeuralNet.

    skorch takes every attribute for a parameter, rejects nested parameters of
    estimators, and shadows scikit-learn's validation; here the signature decides.
    """

    #: Parameters of a base class that have one value in this one, a class attribute.
    _fixed_parameters: tuple[str, ...] = ()

    #: Parameters that have an effect only where another parameter has one of some values:
    #: name -> (other name, values); SET stands for anything but None, False and 0.
    _needs: dict[str, tuple[str, object]] = {}

    def __init_subclass__(cls, **kwargs):
        """Show the parameters that ``**kwargs`` hands on in the signature of the subclass.

        A class with several bases that have parameters, such as those of a network and those of
        a classifier, has all of them, whether it has an ``__init__`` or not.
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
                cls.__init__ = _handing_on(cls)
        if "__init__" in vars(cls):
            given = [inspect.signature(c.__init__).parameters for c in (cls, *bases)]
            named = [
                p
                for p in _merged(given).values()
                if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
                and p.name not in cls._fixed_parameters
            ]
            cls.__init__.__signature__ = inspect.Signature(sorted(named, key=lambda p: p.kind))
            inherit_parameters(cls, bases, [p.name for p in named])
        super().__init_subclass__(**kwargs)

    def _check_prefixed(self, names):
        """Refuse names of arguments that are neither parameters nor options with a prefix."""
        for name in names:
            head, separator, _ = name.partition("__")
            if separator and head in PREFIXES:
                continue
            raise TypeError(self._unexpected(name))

    def _unexpected(self, name):
        message = f"{type(self).__name__}() got an unexpected argument {name!r}"
        if name in SKORCH_PARAMETERS:
            return f"{message}; use {SKORCH_PARAMETERS[name]}"
        near = difflib.get_close_matches(name, self._signature_names(), n=1)
        if near:
            return f"{message}; did you mean {near[0]!r}?"
        prefixes = ", ".join(f"{prefix}__" for prefix in PREFIXES)
        return f"{message}; options with a prefix begin with {prefixes}"

    @classmethod
    def _signature_names(cls):
        parameters = inspect.signature(cls.__init__).parameters.values()
        return [p.name for p in parameters if p.name != "self" and p.kind != p.VAR_KEYWORD]

    @property
    def _params_to_validate(self):
        return {name for name in vars(self) if _prefix_of(name) in PREFIXES or "__" in name}

    def _get_param_names(self):
        named = self._signature_names()
        return sorted(named) + sorted(
            name for name in vars(self) if "__" in name and not name.startswith("_")
        )

    def _get_params_callbacks(self, deep=True):
        # those that every net has are made anew at each call, and no two nets would be equal
        if not deep or self.callbacks == "disable":
            return {}
        own = {name for name, _ in self._default_callbacks}
        return {
            name: value
            for name, value in super()._get_params_callbacks(deep).items()
            if name.split("__")[1] not in own
        }

    def set_params(self, **params):
        """Set parameters, also nested ones and those with one of skorch's prefixes.

        Parameters
        ----------
        **params : dict
            Such as ``lr=0.01``, ``frontend__n_mels=40``, ``optimizer__momentum=0.9``
            or ``callbacks__print_log=None``. Nothing that was fitted changes,
            except that a new ``lr`` or ``optimizer__*`` reaches the optimiser with
            which ``partial_fit`` goes on.

        Returns
        -------
        self : object
        """
        named = set(self._signature_names())
        plain, prefixed, callbacks = {}, {}, {}
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
        # nested names are applied after the estimators that they belong to
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
        vars(self).update(prefixed)
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

    def _validate_params(self):
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
                "early_stopping=True with those of one epoch: choose one of the two"
            )
        if self.frontend is not None and (
            isinstance(self.frontend, type) or not hasattr(self.frontend, "to_module")
        ):
            raise InvalidParameterError(
                f"frontend={self.frontend!r}: expected a transformer with to_module, such as "
                "MelSpectrogram"
            )

    def _check_option_of_callback(self, name):
        """Refuse an option of a callback that is not there."""
        names = {name for name, _ in self._uniquely_named_callbacks()}
        if self.callbacks == "disable" or name.split("__")[1] not in names:
            raise TypeError(
                f"{name} sets a callback, or a parameter of one, but "
                f"callbacks={self.callbacks!r}: pass callbacks=[(name, callback)]"
            )

    def _get_fitted_attr_html(self, doc_link=""):
        """Fitted attributes for scikit-learn's HTML display, without those of skorch."""
        shown = super()._get_fitted_attr_html(doc_link)
        for name in _OF_SKORCH & set(shown):
            del shown[name]
        return shown

    __repr__ = BaseEstimator.__repr__
    get_metadata_routing = BaseEstimator.get_metadata_routing


def _handing_on(cls):
    """An ``__init__`` that hands all arguments on to the bases of a class."""

    def __init__(self, *args, **kwargs):
        super(cls, self).__init__(*args, **kwargs)

    __init__.__qualname__, __init__.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    return __init__


def _merged(mappings):
    """All entries of some mappings; where several have a name, the first one's."""
    merged = {}
    for mapping in mappings:
        for name, value in mapping.items():
            merged.setdefault(name, value)
    return merged


def _prefix_of(name):
    return name.partition("__")[0]
