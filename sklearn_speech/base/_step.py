"""One training step: augmentation, loss, gradients and new weights for a batch."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from ..modules.front_end_net import FrontEndNet
from ._augmentations import augmentations_by_domain
from ._batches import ClipDataset, Inputs, map_clips, split_inputs
from ._mixin import Mixin

#: A dataset is moved to the device as a whole if it fits into this fraction of the free memory.
_MEMORY_FRACTION = 0.5


class TrainingState:
    """Values that stay the same for all steps of a training, computed once.

    Parameters
    ----------
    net : BaseSpeechNet
        It must be initialised.
    """

    def __init__(self, net: Any):
        module = net.module_
        self.net = net
        self.parameters = [p for p in module.parameters() if p.requires_grad]
        weights = [p for p in self.parameters if p.dim() > 1]
        self.penalised = weights if net.l1 or net.l2 else []
        self.constrained = [m for m in module.modules() if hasattr(m, "apply_constraints")]
        self.on_waveforms, self.on_spectrograms = augmentations_by_domain(net)
        self.front_end = module.front_end if isinstance(module, FrontEndNet) else None
        # a constant front end runs once, not once per epoch
        self.features_first = (
            self.front_end is not None
            and not self.on_waveforms
            and not any(p.requires_grad for p in self.front_end.parameters())
        )
        # likewise the constant layers of a front end whose last layers are trained
        self.begins_constant = (
            not self.features_first
            and not self.on_waveforms
            and not self.on_spectrograms
            and getattr(self.front_end, "n_constant", 0) > 0
        )
        self.generator = torch.Generator(device=net.device_)
        self.generator.manual_seed(int(torch.randint(2**31 - 1, ()).item()))
        self.mixed_precision = net.mixed_precision and net.device_.type == "cuda"

    def prepared(self, data: ClipDataset) -> ClipDataset:
        """Prepare a dataset: compute constant features, and move it to the device if it fits."""
        device = self.net.device_
        if data.lazy:
            return data.to(device)
        if not data.is_features:
            module = self.net.module_.eval()
            if self.features_first:
                data = data.with_clips(map_clips(data, module.features, device), is_features=True)
            elif self.begins_constant:
                data = data.with_clips(map_clips(data, module.front_end.begin, device), True)
        if device.type == "cuda" and not data.ragged:
            free, _ = torch.cuda.mem_get_info(device)
            if data.X.nbytes < _MEMORY_FRACTION * free:
                data = data.to(device)
        return data

    def augmented(self, X: Inputs) -> Inputs:
        """Apply the augmentations of the net to the inputs of a training batch.

        Parameters
        ----------
        X : Tensor or dict
            First part of a batch.

        Returns
        -------
        X : Tensor or dict
            With ``"features"`` in place of ``"x"`` if the front end was run, and with
            ``"mixed_with"``, a permutation and a weight, if clips were mixed.
        """
        if not self.on_waveforms and not self.on_spectrograms:
            return X
        x, is_features, lengths = split_inputs(X)
        x = x.to(self.net.device_)
        lengths = None if lengths is None else lengths.to(self.net.device_)
        more = dict(X) if isinstance(X, Mapping) else {}
        x, lengths = self._apply(self.on_waveforms, x, lengths, more)
        if self.on_spectrograms and self.front_end is not None and not is_features:
            x, lengths = self.net.module_.features(x, lengths)
            is_features = True
        x, lengths = self._apply(self.on_spectrograms, x, lengths, more)
        more.pop("x", None)
        more["features" if is_features else "x"] = x
        if lengths is not None:
            more["lengths"] = lengths
        return more if len(more) > 1 or is_features else x

    def _apply(
        self,
        augmentations: Iterable[Any],
        x: torch.Tensor,
        lengths: torch.Tensor | None,
        more: dict[str, Any],
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        for augmentation in augmentations:
            if hasattr(augmentation, "mix"):
                x, lengths, *more["mixed_with"] = augmentation.apply(x, lengths, self.generator)
            else:
                x, lengths = augmentation.apply(x, lengths, self.generator)
        return x, lengths

    def penalty(self) -> torch.Tensor | float:
        """L1 and L2 penalties on the weights; 0.0 if there are none."""
        total: torch.Tensor | float = 0.0
        for weight in self.penalised:
            if self.net.l1:
                total = total + self.net.l1 * weight.abs().sum()
            if self.net.l2:
                total = total + self.net.l2 * weight.square().sum()
        return total


class NetworkTraining(Mixin):
    """The steps of skorch's training loop; mixin placed before NeuralNet.

    As in skorch, ``train_step`` calls ``train_step_single``, which calls ``infer`` and
    ``get_loss``; ``validation_step`` calls the last two. Subclasses may override each of them.
    """

    @property
    def _training_state(self) -> TrainingState:
        """State of the current training; a new one if a step is called directly."""
        return vars(self).get("_running") or TrainingState(self)

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, torch.Tensor]:
        """One step of the optimiser on a batch.

        Parameters
        ----------
        batch : tuple
            Inputs and targets, as returned by the iterator.
        **fit_params : dict
            Passed to ``train_step_single``.

        Returns
        -------
        step : dict
            ``"loss"`` and ``"y_pred"``, tensors.
        """
        step = super().train_step(batch, **fit_params)
        if "_running" not in vars(self):  # called directly, not by fit_loop
            for module in self._training_state.constrained:
                module.apply_constraints()
        return step

    def train_step_single(self, batch: Any, **fit_params: Any) -> dict[str, torch.Tensor]:
        """Compute loss and output for a batch, and the gradients of the weights.

        Parameters
        ----------
        batch : tuple
            Inputs and targets, as returned by the iterator.
        **fit_params : dict
            Passed to ``infer``.

        Returns
        -------
        step : dict
            ``"loss"`` and ``"y_pred"``, tensors.
        """
        self._set_training(True)
        state = self._training_state
        X, y = batch
        y_pred, X = self._training_output(X, state, **fit_params)
        loss = self.get_loss(y_pred.float(), y, X=X, training=True)
        loss.backward()
        if self.gradient_clip is not None:
            nn.utils.clip_grad_norm_(state.parameters, self.gradient_clip)
        return {"loss": loss.detach(), "y_pred": y_pred.detach()}

    def _training_output(
        self, X: Inputs, state: TrainingState, **fit_params: Any
    ) -> tuple[torch.Tensor, Inputs]:
        """Output of the network for an augmented copy of a batch, and the copy."""
        with torch.autocast(self.device_.type, torch.bfloat16, enabled=state.mixed_precision):
            X = state.augmented(X)
            return self.infer(X, **fit_params), X

    def get_loss(
        self,
        y_pred: torch.Tensor,
        y_true: torch.Tensor,
        X: Inputs | None = None,
        training: bool = False,
    ) -> torch.Tensor:
        """Mean loss of a batch, weighted if its clips have weights.

        Parameters
        ----------
        y_pred : Tensor
            Output of the network.
        y_true : Tensor of shape (n_clips, ...)
            Targets as numbers.
        X : Tensor or dict, default=None
            Inputs of the batch. A dict may hold ``"sample_weight"``.
        training : bool, default=False
            Whether to add the L1 and L2 penalties on the weights.

        Returns
        -------
        loss : Tensor of shape ()
        """
        y_true = self._to_device(y_true)
        more = X if isinstance(X, Mapping) else {}
        if "mixed_with" in more:
            losses = self._mixed_losses(y_pred, y_true, more)
        else:
            losses = self.clip_losses(y_pred, y_true, more)
        weight = self._to_device(more.get("sample_weight"))
        loss = losses.mean() if weight is None else (losses * weight).mean()
        return loss + self._training_state.penalty() if training and (self.l1 or self.l2) else loss

    def clip_losses(
        self, y_pred: torch.Tensor, y_true: torch.Tensor, X: Mapping[str, Any]
    ) -> torch.Tensor:
        """Loss of each clip of a batch.

        Parameters
        ----------
        y_pred : Tensor of shape (n_clips, ...)
            Output of the network.
        y_true : Tensor of shape (n_clips, ...)
            Targets as numbers.
        X : dict
            Further entries of the batch, besides the clips; may be empty.

        Returns
        -------
        losses : Tensor of shape (n_clips,)
        """
        return self.criterion_(y_pred, y_true)

    def _mixed_losses(
        self, y_pred: torch.Tensor, y_true: torch.Tensor, X: Mapping[str, Any]
    ) -> torch.Tensor:
        """Loss of each clip that was mixed with another one, given by ``X["mixed_with"]``."""
        permutation, share = X["mixed_with"]
        own = self.clip_losses(y_pred, y_true, X)
        return share * own + (1 - share) * self.clip_losses(y_pred, y_true[permutation], X)

    def _to_device(self, values: Any) -> Any:
        if values is None or not isinstance(values, torch.Tensor):
            return values
        return values.to(self.device_, non_blocking=True)
