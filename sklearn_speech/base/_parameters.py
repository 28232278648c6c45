"""Parameters as scikit-learn wants them, with skorch's prefixes."""

import inspect

from sklearn.base import BaseEstimator

from ..utils.sklearn_private import InvalidParameterError, validate_parameter_constraints

#: What may stand before "__" in the name of a parameter that is not an estimator's.
PREFIXES = ("optimizer", "iterator_train", "iterator_valid", "callbacks")


class SpeechNetParameters:
    """Reads, sets and validates parameters of a skorch net, to stand before it among the bases.

    skorch takes every attribute for a parameter, rejects nested parameters of
    estimators, and shadows scikit-learn's validation; here the signature decides.
    """

    #: Parameters of a base class that have one value in this one, a class attribute.
    _fixed_parameters: tuple[str, ...] = ()

    def __init_subclass__(cls, **kwargs):
        """Show the parameters that ``**kwargs`` hands on in the signature of the subclass."""
        if "__init__" in vars(cls):
            shown = dict(inspect.signature(cls.__init__).parameters)
            # mixins of scikit-learn may stand before the class that arguments are handed on to
            bases = [c for c in cls.__mro__[1:] if issubclass(c, SpeechNetParameters)]
            if bases[0] is not SpeechNetParameters:
                inherited = inspect.signature(bases[0].__init__).parameters
                shown = {**{k: v for k, v in inherited.items() if k not in shown}, **shown}
            named = [
                p
                for p in shown.values()
                if p.kind != p.VAR_KEYWORD and p.name not in cls._fixed_parameters
            ]
            cls.__init__.__signature__ = inspect.Signature(sorted(named, key=lambda p: p.kind))
        super().__init_subclass__(**kwargs)

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
        return super()._get_params_callbacks(deep) if self.callbacks != "disable" else {}

    @property
    def _default_callbacks(self):
        # the training loop itself keeps history and progress, at a fraction of the cost
        return []

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
        if self.initialized_:
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
        for name in self._params_to_validate:
            if _prefix_of(name) not in PREFIXES:
                raise TypeError(
                    f"{type(self).__name__}() got an unexpected argument {name!r}; prefixes are "
                    f"{', '.join(prefix + '__' for prefix in PREFIXES)}"
                )
            if name.startswith("callbacks__") and not self.callbacks:
                raise TypeError(
                    f"{name} sets a callback, or a parameter of one, but "
                    f"callbacks={self.callbacks!r}: pass callbacks=[(name, callback)]"
                )
        own = set(self._signature_names())
        for name in vars(self):
            if not (name in own or "__" in name or name.endswith("_") or name.startswith("_")):
                raise TypeError(f"{type(self).__name__}() got an unexpected argument {name!r}")
        for name, idle in (("train_frontend", None), ("masked_bins", None), ("random_mel", False)):
            if self.frontend is None and (value := getattr(self, name)) not in (idle, None):
                raise InvalidParameterError(
                    f"{name}={value!r} needs a frontend, but frontend is None"
                )
        if self.frontend is not None and (
            isinstance(self.frontend, type) or not hasattr(self.frontend, "to_module")
        ):
            raise InvalidParameterError(
                f"frontend={self.frontend!r}: expected a transformer with to_module, such as "
                "MelSpectrogram"
            )

    __repr__ = BaseEstimator.__repr__
    get_metadata_routing = BaseEstimator.get_metadata_routing


def _prefix_of(name):
    return name.partition("__")[0]
