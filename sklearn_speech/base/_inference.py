"""Outputs of a fitted network, batch by batch."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from skorch.dataset import unpack_data

from ..utils.lazy_clips import LazyClips
from ..utils.values import TOO_LARGE, check_finite
from ._batches import ClipDataset, Inputs, split_inputs
from ._mixin import Mixin


class NetworkInference(Mixin):
    """Batched inference; mixin placed before NeuralNet."""

    #: Whether a single small clip is padded to a whole block too, so that it is rounded in the
    #: same way as in a batch.
    _fills_single = False

    def check_is_fitted(self, attributes: Any = None, *args: Any, **kwargs: Any) -> None:
        """Refuse a net without a network, as in skorch, whose check takes longer than a clip.

        Parameters
        ----------
        attributes : list of str, default=None
            Attributes that a fitted net has; None is ``module_``.
        *args, **kwargs
            As in ``skorch.NeuralNet.check_is_fitted``.
        """
        if attributes or args or kwargs or not _has_parts(self):
            super().check_is_fitted(attributes, *args, **kwargs)

    def infer(self, x: Inputs, **fit_params: Any) -> torch.Tensor:
        """Output of the network for one batch.

        Parameters
        ----------
        x : Tensor or dict
            Clips of shape (n_clips, ...), or a dict with ``"x"`` (or ``"features"``, the output
            of the front end) and, if clips were padded, ``"lengths"``.
        **fit_params : dict
            Passed to the ``forward`` of the network.

        Returns
        -------
        output : Tensor of shape (n_clips, ...)
        """
        clips, is_features, lengths = split_inputs(x)
        network = self.module_
        if is_features:
            state = vars(self).get("_running")
            begun = state is not None and state.begins_constant
            network = network.from_constant if begun else network.network
        clips = torch.as_tensor(clips).to(self.device_, non_blocking=True)
        if lengths is None:
            return network(clips, **fit_params)
        return network(clips, lengths.to(self.device_), **fit_params)

    def evaluation_step(self, batch: Any, training: bool = False) -> torch.Tensor:
        """Output of the network for one batch, without gradients unless `training`.

        Parameters
        ----------
        batch : tuple
            Inputs and targets, as returned by the iterator.
        training : bool, default=False
            Whether the network is in training mode.

        Returns
        -------
        output : Tensor of shape (n_clips, ...)
        """
        if training:
            return super().evaluation_step(batch, training=training)
        X, y = unpack_data(batch)
        filled = _whole_blocks(X, self._fills_single)
        outputs = super().evaluation_step((filled, y))
        return outputs if filled is X else outputs[: len(split_inputs(X)[0])]

    def forward_iter(
        self, X: Any, training: bool = False, device: str | torch.device = "cpu"
    ) -> Iterator[torch.Tensor]:
        """Yield the output of the network batch by batch, in the order of X.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or dataset
        training : bool, default=False
            Whether the network is in training mode.
        device : str or torch.device, default="cpu"
            Device of the outputs.

        Yields
        ------
        output : Tensor of shape (n_clips_of_batch, ...)

        Raises
        ------
        ValueError
            When the output for a clip is NaN or infinite.
        """
        n_before = 0
        for batch in self.get_iterator(self.get_dataset(X)):
            outputs = self.evaluation_step(batch, training=training).to(device)
            if not isinstance(X, ClipDataset):  # else checked in the order of the user's clips
                self._check_outputs(outputs, n_before)
                n_before += len(outputs)
            yield outputs

    def _outputs(self, X: Any) -> torch.Tensor:
        """Outputs for all clips in the order of X, a tensor on the CPU."""
        if "forward_iter" in vars(self):  # skorch replaces it with cached outputs
            return torch.cat(list(self.forward_iter(X, device="cpu")))
        if isinstance(X, LazyClips):
            n_clips = max(self.batch_size, 1) * -(-LAZY_BLOCK // max(self.batch_size, 1))
            return torch.cat([self._outputs(block) for block in X.blocks(n_clips)])
        data = self.get_dataset(X)
        if not data.ragged:
            parts = list(self.forward_iter(data))
            return self._check_outputs(parts[0] if len(parts) == 1 else torch.cat(parts))
        # sorted by length, so that little of a batch is padding, then put back in order
        order = torch.argsort(data.lengths)
        outputs = torch.cat(list(self.forward_iter(data.subset(order))))
        return self._check_outputs(outputs[torch.argsort(order)])

    def _check_outputs(self, outputs: torch.Tensor, n_before: int = 0) -> torch.Tensor:
        """The outputs for clips, none of them NaN or infinite."""
        # the sum of finite values may be infinite, but no other sum is finite
        if not math.isfinite(outputs.sum().item()) and not bool(outputs.isfinite().all()):
            state = self.module_.state_dict()
            bad = [name for name, tensor in state.items() if not bool(tensor.isfinite().all())]
            advice = f"its {bad[0]} holds NaN or infinity; fit it again" if bad else TOO_LARGE
            check_finite(outputs.cpu().numpy(), "the output of the network", advice, n_before)
        return outputs

    def _set_training(self, training: bool = True) -> None:
        # switching a network of many layers costs more than running a small one
        if self.module_.training != training:
            super()._set_training(training)


def _has_parts(net: Any) -> bool:
    """Whether a net has the networks that skorch has registered."""
    fitted = vars(net)
    return all(name + "_" in fitted for name in net._modules or ("module",))


#: Number of stored clips that are in memory together; rounded up to whole batches.
LAZY_BLOCK = 1024

#: Number of clips that the kernels of torch process together.
_BLOCK = 16

#: Batches of clips with more values are not padded: for them, padding costs time and changes
#: nothing but the last digit.
_SMALL_CLIP = 256


def _whole_blocks(X: Inputs, fills_single: bool) -> Inputs:
    """A batch of small clips padded with silent clips to whole blocks.

    Kernels round the last few clips of a batch differently from those before them. Without
    the padding, the output for a clip of a few values would depend on its position in the batch,
    which scikit-learn does not allow; larger clips fill the kernels on their own.
    """
    x, _, lengths = split_inputs(X)
    missing = -len(x) % _BLOCK
    small = x[0].numel() <= _SMALL_CLIP
    if lengths is not None or missing == 0 or not small or (len(x) == 1 and not fills_single):
        return X
    filled = torch.cat([x, x.new_zeros(missing, *x.shape[1:])])
    if not isinstance(X, dict):
        return filled
    return {key: filled if value is x else value for key, value in X.items()}
