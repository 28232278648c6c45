"""Networks whose first layers come from another network."""

import warnings
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.frozen import FrozenEstimator
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ..modules.front_end_net import FrontEndNet
from ..utils.device import resolve_device
from ..utils.lazy_clips import LazyClips
from ..utils.parameters import SET
from ..utils.random import default_float32, draw_seed, torch_seed
from ..utils.sklearn_private import Interval, InvalidParameterError
from ..utils.speakers import check_speakers
from ..utils.validation import make_ragged
from ..utils.values import check_weights
from ._batches import ClipDataset, map_clips
from ._net import BaseSpeechNet
from ._parameters import SpeechNetParameters
from ._partial_labels import as_array, clips_of, labels_of
from ._pretrainer_check import check_front_end, check_input, check_settings, check_unchanged
from ._training_clips import DatasetPair, split_for_early_stopping


class PretrainedNet(SpeechNetParameters):
    """Adds the layers of another network to a net; mixin placed before BaseSpeechNet.

    The `module_class` must be a
    :class:`~sklearn_speech.modules.backbone.BackboneModule`.

    Parameters
    ----------
    pretrainer : FrozenEstimator of a fitted network, network or ConvAutoencoder, default=None
        Network whose layers this one starts from, all but its output layers. To use a
        classifier or regressor of the same kind, fit it on other recordings, such as
        other words of many speakers, and wrap it in
        :class:`sklearn.frozen.FrozenEstimator`. A network that is not frozen is cloned, so
        it forgets what it learned, and the clone is fitted on the labelled training clips
        of ``fit``: a deep network then starts from a shallow one. Where both have a
        `frontend`, the trained front end is copied too. ``SpectrogramCNN`` and
        ``WaveformCNN`` networks get the layers of the pretrainer, followed by `n_layers` of
        their own, which may be 0; in other networks the parameters that determine the
        copied layers must be equal.
        ``SpectrogramCNN`` networks also take the encoder of a ConvAutoencoder. If it is not
        frozen, ``fit`` clones it and fits the clone on the training clips only, labelled and
        unlabelled, but not on the validation clips of early stopping nor, with `groups`, on
        other clips of their speakers. With `frontend`, the input of the autoencoder is the
        output of the untrained front end. With any pretrainer, a clip may be unlabelled, and
        then trains nothing but an autoencoder: its target is -1 for a classifier (an integer,
        also beside strings in an object array, or a whole row of an indicator matrix), and
        NaN for a regressor. Without a pretrainer, -1 is a class like any other, and NaN is
        refused.
    pretrained_lr : float, default=None
        Largest learning rate of the pretrained layers. None is `lr`.
    freeze_pretrained : int or bool, default=0
        Number of epochs during which the pretrained layers do not change; True means all.
    **kwargs
        Training parameters.
    """

    #: Networks besides `module_class` whose layers can be used.
    _takes_layers_of: tuple[type, ...] = ()

    #: Parameters that determine the copied layers, and must be those of the pretrainer.
    _shared_settings: tuple[str, ...] = ()

    #: Whether the copied layers fix the length of the clips.
    _fixes_length = False

    _parameter_constraints = {
        "pretrainer": "no_validation",
        "pretrained_lr": [Interval(Real, 0, None, closed="neither"), None],
        "freeze_pretrained": ["boolean", Interval(Integral, 0, None, closed="left")],
    }

    _needs = {
        "pretrained_lr": ("pretrainer", SET),
        "freeze_pretrained": ("pretrainer", SET),
    }

    def __init__(
        self,
        *,
        pretrainer: Any = None,
        pretrained_lr: float | None = None,
        freeze_pretrained: int | bool = 0,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.pretrainer = pretrainer
        self.pretrained_lr = pretrained_lr
        self.freeze_pretrained = freeze_pretrained

    def _validate_params(self) -> None:
        super()._validate_params()
        if self.pretrainer is None:
            return
        self._check_pretrainer()
        if self.pretrained_lr is not None and self._always_frozen():
            raise InvalidParameterError(
                f"pretrained_lr={self.pretrained_lr!r} of {type(self).__name__} has no effect with "
                f"freeze_pretrained={self.freeze_pretrained!r}, which trains none of these layers"
            )

    def _check_pretrainer(self) -> None:
        """Refuse a pretrainer whose layers this network cannot start from."""
        name, given = type(self).__name__, self.pretrainer
        frozen = isinstance(given, FrozenEstimator)
        network = given.estimator if frozen else given
        if not isinstance(network, BaseSpeechNet):
            hint = "; of a pipeline, pass the network, its last step" if _is_pipeline(given) else ""
            if hasattr(network, "best_estimator_"):
                hint = "; of a search, pass FrozenEstimator(search.best_estimator_)"
            raise InvalidParameterError(
                f"pretrainer={given!r:.200} of {name}: expected a network of this library{hint}"
            )
        kind: Any = network.module_class
        accepted: tuple[Any, ...] = (self.module_class, *self._takes_layers_of)
        if not issubclass(kind, accepted):
            raise InvalidParameterError(
                f"the pretrainer of {name} is a {type(network).__name__}, a network of the class "
                f"{kind.__name__}: expected layers of "
                f"{' or '.join(other.__name__ for other in accepted)}"
            )
        if frozen or not isinstance(network, PretrainedNet):
            return
        if is_classifier(network) != is_classifier(self):
            raise InvalidParameterError(
                f"the pretrainer of {name} is a {type(network).__name__}, which cannot be fitted "
                f"on the targets of a {name}: fit it beforehand, and pass "
                "pretrainer=FrozenEstimator(fitted)"
            )

    def _always_frozen(self) -> bool:
        return isinstance(self.freeze_pretrained, (bool, np.bool_)) and bool(self.freeze_pretrained)

    # Fitting

    def _fit(
        self,
        X: Any,
        y: Any,
        *,
        groups: Any = None,
        sample_weight: Any = None,
        X_val: Any = None,
        y_val: Any = None,
        continuing: bool = False,
        **options: Any,
    ) -> Self:
        if self.pretrainer is None or y is None:
            if not continuing:
                self.__dict__.pop("pretrainer_", None)
            return super()._fit(
                X, y, groups=groups, sample_weight=sample_weight, X_val=X_val, y_val=y_val,
                continuing=continuing, **options,
            )  # fmt: skip
        self._validate_params()
        y = self._check_kinds(as_array(y))
        y_val = None if y_val is None else self._check_kinds(as_array(y_val))
        if groups is not None:
            names, codes = check_speakers(groups, len(y), "groups")
            groups = names[codes]
        weighted = np.ndim(sample_weight) > 0
        check_consistent_length(X, y, groups, sample_weight if weighted else None)
        if weighted:
            sample_weight = check_weights(sample_weight, len(y))
        labelled = ~self._is_unlabelled(y)
        if not labelled.any():
            raise ValueError(
                f"all {len(labelled)} clips are unlabelled (y = {self._unlabelled}, since a "
                f"pretrainer is set): {type(self).__name__} has nothing to learn from"
            )
        usable = np.ones(len(labelled), dtype=bool)
        if y_val is not None:
            known = ~self._is_unlabelled(y_val)
            if not known.any():
                raise ValueError(
                    f"all validation clips are unlabelled (y_val = {self._unlabelled}): they have "
                    "no loss"
                )
            X_val, y_val = clips_of(X_val, known), labels_of(y_val, known)
        elif X_val is None and self.early_stopping and options.get("lr_schedule") is None:
            # split before the pretrainer is fitted, so that it sees no validation clips
            codes = self._check_y(labels_of(y, labelled), reset=not continuing)
            # clips of weight 0 are not used for validation
            counted = labelled & (np.asarray(sample_weight) > 0) if weighted else labelled
            valid, usable = self._split_validation(codes[counted[labelled]], counted, groups)
            X_val, y_val = clips_of(X, valid), labels_of(y, valid)
            labelled = labelled & usable
        if not continuing:
            weights = sample_weight if weighted else None
            self._fit_pretrainer(X, y, usable, labelled, groups, weights)
        if weighted:
            sample_weight = np.asarray(sample_weight)[labelled]
        return super()._fit(
            clips_of(X, labelled), labels_of(y, labelled), sample_weight=sample_weight,
            groups=None if groups is None else np.asarray(groups)[labelled],
            X_val=X_val, y_val=y_val, continuing=continuing, **options,
        )  # fmt: skip

    def _split_validation(
        self, codes: torch.Tensor, among: NDArray[np.bool_], groups: Any
    ) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Masks of the validation clips, and of the clips that training may use.

        If the speakers are known, training uses no clip of a speaker with validation clips.
        """
        places = ClipDataset(torch.from_numpy(np.flatnonzero(among))[:, None], codes)
        speakers = None if groups is None else np.asarray(groups)
        with torch_seed(draw_seed(self.random_state)):
            _, aside = split_for_early_stopping(
                places,
                None if speakers is None else speakers[among],
                self.validation_fraction,
                self._stratify(places),
            )
        valid = np.zeros(len(among), dtype=bool)
        valid[aside.X[:, 0].numpy()] = True
        return valid, ~(valid if speakers is None else np.isin(speakers, speakers[valid]))

    def _fit_pretrainer(
        self,
        X: Any,
        y: Any,
        usable: NDArray[np.bool_],
        labelled: NDArray[np.bool_],
        groups: Any,
        sample_weight: Any,
    ) -> None:
        """Set ``pretrainer_``: fit a clone on the training clips, or check a frozen one."""
        pretrainer = clone(self.pretrainer)
        if isinstance(pretrainer, FrozenEstimator):
            check_is_fitted(pretrainer)
            self._check_X(clips_of(X, usable), reset=True)
            check_front_end(pretrainer, self)
            check_input(pretrainer, self, self._input_size())
        else:
            if pretrainer.random_state is None:
                pretrainer.set_params(random_state=draw_seed(self.random_state))
            with_labels = isinstance(pretrainer, PretrainedNet)
            chosen = labelled if with_labels else usable
            options = {} if groups is None else {"groups": groups[chosen]}
            if with_labels and sample_weight is not None:
                options["sample_weight"] = np.asarray(sample_weight)[chosen]
            X = clips_of(X, chosen)
            if with_labels and pretrainer.frontend is not None:
                self._check_X(X, reset=True)
                check_front_end(pretrainer, self)
                features, n_bands = X, self._input_size()
            else:
                features, n_bands = self._features(X)
            if with_labels and hasattr(self.pretrainer, "module_"):
                warnings.warn(
                    f"the pretrainer of {type(self).__name__} is fitted, but not frozen: a clone "
                    "of it learns from the clips of this fit alone; to keep what it learned, pass "
                    "pretrainer=FrozenEstimator(fitted)",
                    stacklevel=5,
                )
            pretrainer.fit(features, labels_of(y, chosen) if with_labels else None, **options)
            check_input(pretrainer, self, n_bands)
        check_unchanged(pretrainer, type(self).__name__)
        check_settings(pretrainer, self, self._shared_settings)
        self.pretrainer_ = pretrainer

    def _input_size(self) -> int | None:
        """Bands that enter the network, or samples: None where clips differ in length."""
        if self.frontend is None:
            return self.input_shape_[0]
        return self._make_front_end().n_bands

    def _features(self, X: Any) -> tuple[Any, int]:
        """Input of the network at the start of training, and its number of bands."""
        clips = self._check_X(X, reset=True)
        if self.frontend is None:
            return X, self.input_shape_[0]
        if isinstance(clips, LazyClips):
            raise ValueError(
                "pretrainer and frontend are both set, and the waveforms are larger than max_ram "
                "of ClipStore: the pretrainer would need the features of all clips in memory; put "
                "the front end before the network as a step of its own, or set a larger max_ram"
            )
        device = resolve_device(self.device)
        with torch_seed(draw_seed(self.random_state)), default_float32():
            front_end = self._make_front_end().to(device).eval()
        # the network must start with the same random filters
        self.__dict__["_untrained_front_end"] = front_end

        def extract(
            x: torch.Tensor, lengths: torch.Tensor | None
        ) -> tuple[torch.Tensor, torch.Tensor | None]:
            return front_end(x, lengths), None if lengths is None else front_end.n_frames(lengths)

        features = map_clips(ClipDataset(clips), extract, device)
        if isinstance(features, list):
            return make_ragged(f.numpy() for f in features), front_end.n_bands
        return features.numpy(), front_end.n_bands

    def _make_front_end(self) -> Any:
        made = self.__dict__.pop("_untrained_front_end", None)
        return super()._make_front_end() if made is None else made

    # The network

    def _settings_of(self, network: Any) -> dict[str, Any]:
        """Arguments of the network that the network of the pretrainer determines."""
        return {}

    def get_params_for(self, prefix: str) -> dict[str, Any]:
        """Arguments for `prefix`; the arguments of the network include the pretrained layers."""
        arguments = super().get_params_for(prefix)
        if prefix == "module" and hasattr(self, "pretrainer_"):
            arguments.update(self._settings_of(network_in(self.pretrainer_.module_)))
        return arguments

    def initialize_module(self) -> Self:
        """Build the network, and load the weights of the pretrainer into its first layers."""
        super().initialize_module()
        if hasattr(self, "pretrainer_"):
            given = self.pretrainer_.module_
            own = network_in(self.module_).backbone()
            for name, layer in network_in(given).backbone().items():
                own[name].load_state_dict(layer.state_dict())
            if isinstance(given, FrontEndNet):
                self.module_.front_end.load_state_dict(given.front_end.state_dict())
        return self

    def _pretrained_names(self) -> tuple[str, ...]:
        """Names of the layers of the network that come from the pretrainer."""
        return tuple(network_in(self.pretrainer_.module_).backbone())

    def _freeze(self, frozen: bool) -> None:
        """Freeze or unfreeze the pretrained layers, the front end included if it is one of them."""
        network_in(self.module_).freeze(self._pretrained_names() if frozen else ())
        if isinstance(self.pretrainer_.module_, FrontEndNet):
            self.module_.freeze_front_end(frozen)
        self.__dict__["_frozen"] = frozen

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Freeze or unfreeze the pretrained layers."""
        super().on_epoch_begin(net, **kwargs)
        if hasattr(self, "pretrainer_"):
            frozen = self._always_frozen() or len(self.history_) <= self.freeze_pretrained
            if frozen != self.__dict__.get("_frozen", False):
                self._freeze(frozen)

    def _train(self, data: DatasetPair, lr_schedule: str, continuing: bool) -> None:
        if hasattr(self, "pretrainer_") and self._always_frozen():
            self._freeze(True)  # before training begins: a constant front end runs only once
        try:
            super()._train(data, lr_schedule, continuing)
        finally:
            if self.__dict__.get("_frozen", False):
                self._freeze(False)
            self.__dict__.pop("_frozen", None)

    def _own_rates(self) -> list[tuple[set[torch.nn.Parameter], float]]:
        own = super()._own_rates()
        if self.pretrained_lr is None or not hasattr(self, "pretrainer_"):
            return own
        layers = network_in(self.module_).backbone()
        inside = {p for name in self._pretrained_names() for p in layers[name].parameters()}
        if isinstance(self.pretrainer_.module_, FrontEndNet) and (
            getattr(self.frontend, "lr", None) is None
        ):
            inside |= set(self.module_.front_end.parameters())
        return [*own, (inside, self.pretrained_lr)]

    def _scored(self, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        if self.pretrainer is None:
            return super()._scored(X, y, sample_weight)
        y = as_array(y)
        labelled = ~self._is_unlabelled(y)
        if not labelled.any():
            raise ValueError(
                f"all clips are unlabelled (y = {self._unlabelled}): there is nothing to score"
            )
        if sample_weight is not None:
            sample_weight = check_weights(sample_weight, len(y))[labelled]
        return clips_of(X, labelled), labels_of(y, labelled), sample_weight


def network_in(module: Any) -> Any:
    """The network without its front end."""
    return module.network if isinstance(module, FrontEndNet) else module


def _is_pipeline(pretrainer: Any) -> bool:
    return hasattr(getattr(pretrainer, "estimator", pretrainer), "steps")
