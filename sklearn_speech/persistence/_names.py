"""Which classes and functions a file may name, and how a name becomes one of them."""

import os
import re
import sys
from collections.abc import Iterable
from importlib import import_module
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.model_selection import BaseCrossValidator, BaseShuffleSplit
from skorch import NeuralNet

from ..base import BaseSpeechNet
from ..base._batches import BatchIterator

#: What users trust: dotted names, classes, and paths of files that may be read.
Trusted = str | type | os.PathLike[str] | Iterable[str | type | os.PathLike[str]]

#: Packages whose classes a file may name without being trusted.
PACKAGES = ("sklearn", "skorch", "sklearn_speech")

#: Subpackages of these that may be imported; all of this library's may.
_ROOMS = {
    "skorch": {"callbacks"},
    "sklearn": {
        "base", "calibration", "cluster", "compose", "covariance", "cross_decomposition",
        "decomposition", "discriminant_analysis", "dummy", "ensemble", "feature_extraction",
        "feature_selection", "frozen", "gaussian_process", "impute", "isotonic",
        "kernel_approximation", "kernel_ridge", "linear_model", "manifold", "metrics", "mixture",
        "model_selection", "multiclass", "multioutput", "naive_bayes", "neighbors",
        "neural_network", "pipeline", "preprocessing", "random_projection", "semi_supervised",
        "svm", "tree", "utils",
    },
}  # fmt: skip

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*", re.ASCII)

#: Classes of scikit-learn that are not estimators, and hold nothing but attributes.
_VALUE_CLASSES = {
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.metrics._scorer._MultimetricScorer",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split.RepeatedKFold",
    "sklearn.model_selection._split.RepeatedStratifiedKFold",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.utils._metadata_requests.MetadataRequest",
    "sklearn.utils._metadata_requests.MethodMetadataRequest",
}

#: Callbacks that neither read nor write files, and talk to no service.
_CALLBACKS = {
    "skorch.callbacks.logging.EpochTimer",
    "skorch.callbacks.logging.PrintLog",
    "skorch.callbacks.logging.ProgressBar",
    "skorch.callbacks.lr_scheduler.LRScheduler",
    "skorch.callbacks.regularization.GradientNormClipping",
    "skorch.callbacks.scoring.BatchScoring",
    "skorch.callbacks.scoring.EpochScoring",
    "skorch.callbacks.scoring.PassthroughScoring",
    "skorch.callbacks.training.EarlyStopping",
    "skorch.callbacks.training.Freezer",
    "skorch.callbacks.training.Initializer",
    "skorch.callbacks.training.ParamMapper",
    "skorch.callbacks.training.Unfreezer",
}

#: Modules whose public functions compute a result from their arguments, and do nothing else.
_FUNCTION_MODULES = (
    "sklearn.feature_selection",
    "sklearn.metrics",
    "sklearn_speech.metrics",
)
_FUNCTIONS = {
    "builtins.print": print,  # the sink of skorch's callbacks
    **{
        f"skorch.utils.{name}": getattr(import_module("skorch.utils"), name)
        for name in ("freeze_parameter", "noop", "to_numpy", "unfreeze_parameter")
    },
}

_TYPES = {
    **{f"builtins.{t.__name__}": t for t in (bool, bytes, complex, float, int, object, str)},
    "torch.utils.data.DataLoader": torch.utils.data.DataLoader,
}
_TYPE_MODULES = {
    "torch.optim": (torch.optim, torch.optim.Optimizer),
    "torch.optim.lr_scheduler": (torch.optim.lr_scheduler, torch.optim.lr_scheduler.LRScheduler),
    "numpy": (np, np.generic),
}


class Names:
    """The classes and functions that may be saved and loaded.

    Parameters
    ----------
    trusted : iterable of str, classes and path-likes
        Dotted prefixes, or classes themselves, that are allowed besides those of
        scikit-learn, skorch and this library; and files that may be read.
    """

    def __init__(self, trusted: Trusted = ()) -> None:
        self.prefixes: list[str] = []
        self.given: dict[str, type] = {}
        self.used: set[str] = set()
        self.files: set[str] = set()
        if isinstance(trusted, (str, type, os.PathLike)):
            trusted = [trusted]
        for item in trusted:
            if isinstance(item, type):
                self.given[full_name(item)] = item
            elif isinstance(item, os.PathLike):
                self.files.add(os.path.abspath(item))
            elif isinstance(item, str) and _DOTTED.fullmatch(item):
                self.prefixes.append(item)
            else:
                raise TypeError(f"trusted holds {item!r}: expected dotted names, classes and paths")

    def _trusts(self, name: str) -> bool:
        return any(name == prefix or name.startswith(prefix + ".") for prefix in self.prefixes)

    def check_file(self, owner: type, name: str, value: Any) -> None:
        """Refuse a path in a loaded estimator that would be read, unless the caller trusts it.

        Raises
        ------
        ValueError
            Tells what to pass as `trusted`.
        """
        if isinstance(value, (str, os.PathLike)) and os.path.abspath(value) not in self.files:
            raise ValueError(
                f"{name}={os.fspath(value)!r} of {owner.__name__} is a file that would be read; "
                f"if you know it and trust it, pass trusted=[pathlib.Path({os.fspath(value)!r})]"
            )

    # From an object to its name

    def name_of_class(self, cls: type) -> str | None:
        """Name by which loading finds a class, or None if its objects cannot be saved."""
        name = full_name(cls)
        if self.given.get(name) is not cls and not self._trusts(name):
            if not _is_buildable(cls):
                return None
            name = _public_name(cls)
        return self._if_found(name, cls)

    def name_of_value(self, value: Any) -> str | None:
        """Name by which loading finds a class or function that is itself a value, or None."""
        if not isinstance(value, (type, np.ufunc, FunctionType, BuiltinFunctionType)):
            return None
        places = [*_TYPE_MODULES, "builtins", "torch.utils.data", *_FUNCTION_MODULES]
        candidates = [f"{place}.{value.__name__}" for place in places]
        if not isinstance(value, np.ufunc):  # has no module
            candidates.append(full_name(value))
        return next((name for name in candidates if self._is_value(name, value)), None)

    def _is_value(self, name: str, value: Any) -> bool:
        try:
            return self._find_value(name) is value
        except ValueError:
            return False

    def _if_found(self, name: str, cls: type) -> str | None:
        try:
            found = self.resolve_class(name) is cls
        except ValueError:
            return None
        return name if found else None

    # From a name to an object

    def resolve_class(self, name: str) -> type:
        """The class called `name`, if its objects may be built.

        Raises
        ------
        ValueError
            When the name is not trusted, is not there, or is not that of such a class.
        """
        cls = self._look_up(name)
        trusted = name in self.given or self._trusts(name)
        if not isinstance(cls, type) or not (trusted or _is_buildable(cls)):
            raise ValueError(f"{name} is not a class whose objects can be loaded")
        if issubclass(cls, NeuralNet) and not issubclass(cls, BaseSpeechNet):
            raise ValueError(f"{name} is a skorch net that is not built on BaseSpeechNet")
        self.used.add(name)
        return cls

    def resolve_value(self, name: str) -> Any:
        """The class or function called `name`, if it may be a value; it is not called."""
        value = self._find_value(name)
        if value is None:
            raise ValueError(f"{name!r} is not a class or function that a file may name")
        self.used.add(name)
        return value

    def _find_value(self, name: object) -> Any:
        if not isinstance(name, str) or not _DOTTED.fullmatch(name):
            return None
        known = self.given.get(name) or _TYPES.get(name) or _FUNCTIONS.get(name)
        if known is not None:
            return known
        module, _, attribute = name.rpartition(".")
        if module in _TYPE_MODULES:
            home, kind = _TYPE_MODULES[module]
            value = getattr(home, attribute, None)
            if isinstance(value, type) and issubclass(value, kind):
                return value
            if module == "numpy" and isinstance(value, np.ufunc):
                return value
        if module in _FUNCTION_MODULES:
            home = import_module(module)
            value = getattr(home, attribute, None)
            public = attribute in getattr(home, "__all__", ())
            return value if public and isinstance(value, FunctionType) else None
        if self._trusts(name):
            value = self._look_up(name)
            return value if isinstance(value, (type, FunctionType)) else None
        if name.startswith("sklearn_speech."):
            value = self._look_up(name)
            return value if isinstance(value, type) and issubclass(value, BatchIterator) else None
        return None

    def _may_import(self, module: str) -> bool:
        return _is_known(module) or self._trusts(module)

    def _module(self, module: str, name: str) -> ModuleType:
        """Import a trusted module; of others, the subpackage, which imports what it needs."""
        if self._trusts(name) or self._trusts(module):
            return import_module(module)
        import_module(".".join(module.split(".")[:2]))
        if module not in sys.modules:
            raise ImportError(f"importing the package of {module} does not import it")
        return sys.modules[module]

    def _look_up(self, name: object) -> Any:
        if not isinstance(name, str) or not _DOTTED.fullmatch(name):
            if isinstance(name, str) and name in self.given:
                return self.given[name]
            raise ValueError(f"{name!r} is not the dotted name of a class")
        if name in self.given:
            return self.given[name]
        module, _, attribute = name.rpartition(".")
        if not (self._may_import(module) or self._trusts(name)):
            raise ValueError(
                f"{name} is a name outside {', '.join(PACKAGES)}; if you know it and trust it, "
                f"pass trusted=[{name!r}]"
            )
        try:
            found = getattr(self._module(module, name), attribute)
        except (ImportError, AttributeError) as error:
            raise ValueError(f"{name} cannot be found: {error}") from error
        # a module also holds what it imported from elsewhere
        home = getattr(found, "__module__", None)
        if not isinstance(home, str) or not (
            self._may_import(home) or self._trusts(f"{home}.{attribute}")
        ):
            raise ValueError(f"{name} comes from {home}, which is not trusted")
        return found


def _is_known(module: str) -> bool:
    """Whether a module is part of a subpackage that is on the list."""
    package, *parts = module.split(".")
    if package not in PACKAGES or not parts:
        return False
    return package == "sklearn_speech" or parts[0] in _ROOMS[package]


def full_name(value: Any) -> str:
    """Module and qualified name of a class or function."""
    return f"{value.__module__}.{value.__qualname__}"


def _is_buildable(cls: type) -> bool:
    name = full_name(cls)
    root = name.partition(".")[0]
    if root == "skorch":
        return name in _CALLBACKS
    if root not in PACKAGES or not all(map(str.isidentifier, name.split("."))):
        return False
    if issubclass(cls, NeuralNet):
        return issubclass(cls, BaseSpeechNet)
    kinds = (BaseEstimator, BaseCrossValidator, BaseShuffleSplit)
    return issubclass(cls, kinds) or name in _VALUE_CLASSES


def _public_name(cls: type) -> str:
    """The name by which users import a class; it lasts longer than that of a private module."""
    parts = cls.__module__.split(".")
    for end in range(min(2, len(parts)), len(parts)):
        module = ".".join(parts[:end])
        if parts[end - 1].startswith("_"):
            break
        if vars(sys.modules[module]).get(cls.__qualname__) is cls:
            return f"{module}.{cls.__qualname__}"
    return full_name(cls)
