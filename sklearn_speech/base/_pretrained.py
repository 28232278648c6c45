"""Networks whose first layers come from an autoencoder."""

from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from ..modules.front_end_net import FrontEndNet
from ..utils.device import resolve_device
from ..utils.labels import as_targets
from ..utils.lazy_clips import LazyClips
from ..utils.parameters import SET
from ..utils.random import default_float32, draw_seed, torch_seed
from ..utils.sklearn_private import HasMethods, Interval, safe_indexing
from ..utils.speakers import check_speakers
from ..utils.validation import make_ragged
from ..utils.values import check_weights
from ._batches import ClipDataset, map_clips
from ._parameters import SpeechNetParameters
from ._training_clips import DatasetPair, split_for_early_stopping


class PretrainedNet(SpeechNetParameters):
    """Adds the encoder of an autoencoder to a net; mixin placed before BaseSpeechNet.

    The `module_class` must have ``stages``, ``input_norm`` and ``freeze``, and the
    argument ``first_stages``.

    Parameters
    ----------
    pretrainer : ConvAutoencoder, default=None
        Autoencoder whose encoder becomes the first layers of the network. ``fit`` clones
        it and fits the clone on the training clips only, labelled and unlabelled. The
        target of an unlabelled clip is -1 for a classifier (an integer, also beside strings
        in an object array, or a whole row of an indicator matrix), and NaN for a regressor.
        The validation clips of early stopping are not used and, with `groups`, neither are
        other clips of their speakers. With `frontend`, the input of the autoencoder is the
        output of the untrained front end. To use a fitted autoencoder as it is, wrap it in
        :class:`sklearn.frozen.FrozenEstimator`. Without a pretrainer, -1 is a class like
        any other, and NaN is refused.
    freeze_pretrained : int, default=0
        Number of epochs during which the pretrained layers do not change.
    **kwargs
        Training parameters.
    """

    _parameter_constraints = {
        "pretrainer": [HasMethods(["fit", "reconstruct"]), None],
        "freeze_pretrained": [Interval(Integral, 0, None, closed="left")],
    }

    _needs = {"freeze_pretrained": ("pretrainer", SET)}

    def __init__(self, *, pretrainer: Any = None, freeze_pretrained: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.pretrainer = pretrainer
        self.freeze_pretrained = freeze_pretrained

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
            X_val, y_val = _only(X_val, known), labels_of(y_val, known)
        elif X_val is None and self.early_stopping and options.get("lr_schedule") is None:
            # split before the pretrainer is fitted, so that it sees no validation clips
            codes = self._check_y(labels_of(y, labelled), reset=not continuing)
            # clips of weight 0 are not used for validation
            counted = labelled & (np.asarray(sample_weight) > 0) if weighted else labelled
            valid, usable = self._split_validation(codes[counted[labelled]], counted, groups)
            X_val, y_val = _only(X, valid), labels_of(y, valid)
            labelled = labelled & usable
        if not continuing:
            self._fit_pretrainer(
                _only(X, usable), None if groups is None else np.asarray(groups)[usable]
            )
        if weighted:
            sample_weight = np.asarray(sample_weight)[labelled]
        return super()._fit(
            _only(X, labelled), labels_of(y, labelled), sample_weight=sample_weight,
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

    def _fit_pretrainer(self, X: Any, groups: Any) -> None:
        """Set ``pretrainer_``: fit a clone on all clips, or check a frozen one."""
        pretrainer = clone(self.pretrainer)
        if getattr(pretrainer, "random_state", 0) is None and "random_state" in (
            pretrainer.get_params(deep=False)
        ):
            pretrainer.set_params(random_state=draw_seed(self.random_state))
        features, n_bands = self._features(X)
        if groups is None:
            pretrainer.fit(features, None)
        else:
            pretrainer.fit(features, None, groups=groups)
        check_is_fitted(pretrainer)
        check_fits(pretrainer, n_bands, type(self).__name__)
        self.pretrainer_ = pretrainer

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

    def get_params_for(self, prefix: str) -> dict[str, Any]:
        """Arguments for `prefix`; the arguments of the network include the pretrained layers."""
        arguments = super().get_params_for(prefix)
        if prefix == "module" and hasattr(self, "pretrainer_"):
            encoder = self.pretrainer_.module_
            arguments["first_stages"] = encoder.stage_settings
            arguments["input_norm"] = encoder.input_norm.kind
        return arguments

    def initialize_module(self) -> Self:
        """Build the network, and load the weights of the pretrainer into its first layers."""
        super().initialize_module()
        if hasattr(self, "pretrainer_"):
            encoder, network = self.pretrainer_.module_, self._network()
            network.input_norm.load_state_dict(encoder.input_norm.state_dict())
            for stage, trained in zip(network.stages, encoder.stages):
                stage.load_state_dict(trained.state_dict())
        return self

    def _network(self) -> Any:
        """The network without its front end."""
        return self.module_.network if isinstance(self.module_, FrontEndNet) else self.module_

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Freeze or unfreeze the pretrained layers."""
        super().on_epoch_begin(net, **kwargs)
        if hasattr(self, "pretrainer_"):
            frozen = len(self.history_) <= self.freeze_pretrained
            self._network().freeze(len(self.pretrainer_.module_.stages) if frozen else 0)

    def _train(self, data: DatasetPair, lr_schedule: str, continuing: bool) -> None:
        try:
            super()._train(data, lr_schedule, continuing)
        finally:
            if hasattr(self, "pretrainer_"):
                self._network().freeze(0)

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
        return _only(X, labelled), labels_of(y, labelled), sample_weight


def check_fits(pretrainer: Any, n_bands: int, name: str) -> None:
    """Refuse an autoencoder that was fitted on other bands, or with other parameters.

    Parameters
    ----------
    pretrainer : ConvAutoencoder or FrozenEstimator
        It must be fitted.
    n_bands : int
        Number of bands of the input.
    name : str
        Name of the estimator, for errors.

    Raises
    ------
    ValueError
        Names what differs.
    """
    network = pretrainer.module_
    if network.n_bands != n_bands:
        raise ValueError(
            f"the pretrainer of {name} was fitted on {network.n_bands} bands, but X has {n_bands}"
        )
    with torch.device("meta"):
        described = pretrainer.module_class(**pretrainer.get_params_for("module"))
    if len(described.stages) != len(network.stages):
        raise ValueError(
            f"the pretrainer of {name} was fitted with n_layers={len(network.stages)}, but now "
            f"has n_layers={len(described.stages)}; fit it again"
        )
    if described.input_norm.kind != network.input_norm.kind:
        raise ValueError(
            f"the pretrainer of {name} was fitted with input_norm={network.input_norm.kind!r}, "
            f"but now has input_norm={described.input_norm.kind!r}; fit it again"
        )
    for i, (old, new) in enumerate(zip(network.stage_settings, described.stage_settings)):
        names = [key for key in old.keys() | new.keys() if old.get(key) != new.get(key)]
        for key in sorted(names):
            shown = {"out_channels": "n_filters", "pool_size": "stride"}.get(key, key)
            raise ValueError(
                f"layer {i} of the pretrainer of {name} was fitted with {shown}={old.get(key)!r}, "
                f"but now has {shown}={new.get(key)!r}; fit it again"
            )


def labels_of(y: Any, labelled: NDArray[np.bool_]) -> Any:
    """Labels of the labelled clips, as an array of strings if all are strings."""
    y = y[labelled]
    if y.dtype == object and all(isinstance(label, str) for label in y):
        return np.array(y.tolist())
    return y


def as_array(y: Any) -> NDArray[Any]:
    """Targets as an array; an indicator matrix of any form becomes two-dimensional."""
    targets = as_targets(y)
    if targets.ndim == 1 and len(targets) and isinstance(targets[0], (list, tuple, np.ndarray)):
        if len({len(row) for row in targets}) == 1:
            return np.array(targets.tolist())
    return targets


def _only(X: Any, chosen: NDArray[np.bool_]) -> Any:
    return X if chosen.all() else safe_indexing(X, np.flatnonzero(chosen))
