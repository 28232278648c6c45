"""Batch normalisation that leaves padding out, over the whole spectrum or part of it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .precision import at_least_single


class MaskedBatchNorm(nn.BatchNorm1d):
    """Batch normalisation whose statistics leave out the padding of a batch.

    Without a mask it is torch's batch normalisation. With one, the statistics of
    a training batch are those of the valid steps alone, so that how clips were
    put into batches does not change what is learned. A training batch with one
    value a feature, which torch refuses, has variance zero.

    The running statistics are the plain mean over the first ``1 / momentum`` batches, and
    only then forget exponentially: torch starts from 0 and 1, and for a small variance that
    start takes a hundred batches to fade, more than a short training has.

    Parameters
    ----------
    n_channels : int
    n_groups : int, default=1
        Contiguous groups of bands that are normalised separately. If they do not divide the
        number of bands, their sizes are as equal as possible; each needs at least one band.
    eps, momentum, affine
        As in ``torch.nn.BatchNorm1d``: with a momentum of None the running statistics
        are the plain mean over all batches.

    Shape
    -----
    Input and output (n_clips, n_channels, ..., n_steps); mask (n_clips, n_steps),
    bool. With ``n_groups > 1`` the third axis is that of the bands.
    """

    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(
        self,
        n_channels: int,
        n_groups: int = 1,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
    ) -> None:
        super().__init__(n_channels * n_groups, eps=eps, momentum=momentum, affine=affine)
        self.n_groups = n_groups

    def reset_running_stats(self) -> None:
        """Reset to mean 0 and variance 1, with no batches counted."""
        super().reset_running_stats()
        self._n_batches: int | None = None  # num_batches_tracked, without waiting for a GPU

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        n_clips, n_channels = x.shape[:2]
        n_bands = x[0, 0, ..., 0].numel()
        even = n_bands % self.n_groups == 0
        alone = x.numel() == self.num_features
        if even and not (self.training and (alone or mask is not None)):
            if self.n_groups == 1:  # no view: with one, torch's gradient of a single clip is wrong
                return self._plain(x)
            split = x.reshape(n_clips, n_channels * self.n_groups, -1, x.shape[-1])
            return self._plain(split).reshape(x.shape)
        bands = x.reshape(n_clips, n_channels, n_bands, x.shape[-1])
        return self._by_hand(bands, mask).reshape(x.shape)

    def _plain(self, x: Tensor) -> Tensor:
        momentum = self._next_momentum() if self.training else 0.0
        return F.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            self.training,
            momentum,
            self.eps,
        )

    def _next_momentum(self) -> float:
        """Count a training batch, and return its weight in the running statistics."""
        if self._n_batches is None:
            self._n_batches = int(self.num_batches_tracked)
        self._n_batches += 1
        self.num_batches_tracked.add_(1)
        return max(self.momentum or 0.0, 1 / self._n_batches)

    def _by_hand(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """The same from sums over each band: (n_clips, n_channels, n_bands, n_steps) in and out."""
        member = _membership(x.shape[2], self.n_groups, self.running_mean)
        if self.training:
            mean, var = self._batch_statistics(at_least_single(x), mask, member)
        else:
            mean, var = self.running_mean, self.running_var
        scale, shift = self._scale_and_shift(mean, var)
        scale, shift = (_to_bands(value, member).to(x.dtype) for value in (scale, shift))
        return torch.addcmul(shift, x, scale)

    def folded(self, conv: nn.Conv1d | nn.Conv2d) -> tuple[Tensor, Tensor] | None:
        """Weight and bias of a convolution that includes this normalisation of its output.

        Parameters
        ----------
        conv : Conv1d or Conv2d
            The convolution whose output is normalised.

        Returns
        -------
        weight, bias : Tensor, or None
            None where the normalisation has to stay apart: in training, if gradients are
            needed, for groups of bands, if a hook waits for the output of one of the two, and
            while the network is exported.
        """
        if (
            self.training
            or self.n_groups > 1
            or torch.is_grad_enabled()
            or torch.compiler.is_compiling()
            or any(module._forward_hooks or module._forward_pre_hooks for module in (conv, self))
        ):
            return None
        scale, shift = self._scale_and_shift(self.running_mean, self.running_var)
        if conv.bias is not None:
            shift = torch.addcmul(shift, conv.bias, scale)
        return conv.weight * scale.view(-1, *[1] * (conv.weight.dim() - 1)), shift

    def _scale_and_shift(self, mean: Tensor, var: Tensor) -> tuple[Tensor, Tensor]:
        """Factor and offset of each feature."""
        scale = torch.rsqrt(var + self.eps)
        if not self.affine:
            return scale, -mean * scale
        scale = self.weight * scale
        return scale, torch.addcmul(self.bias, mean, scale, value=-1)

    def _batch_statistics(
        self, x: Tensor, mask: Tensor | None, member: Tensor
    ) -> tuple[Tensor, Tensor]:
        n_clips, n_channels, n_bands, n_steps = x.shape
        steps = n_clips * n_steps if mask is None else mask.sum()
        count = (member.sum(0) * steps).clamp(min=1)  # (n_groups,)

        def mean_of(values: Tensor) -> Tensor:
            if mask is None:
                total = values.sum((0, 3))
            else:  # a matrix product, which needs no masked copy of the values
                flat = values.reshape(n_clips, n_channels * n_bands, n_steps)
                total = (flat @ mask.to(x.dtype).unsqueeze(2)).sum(0).view(n_channels, n_bands)
            return ((total @ member) / count).flatten()

        mean = mean_of(x)
        var = mean_of((x - _to_bands(mean, member)).square())
        with torch.no_grad():
            momentum = self._next_momentum()
            unbiased = var.view(-1, self.n_groups) * (count / (count - 1).clamp(min=1))
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(unbiased.flatten(), momentum)
        return mean, var


class SubSpectralNorm(MaskedBatchNorm):
    """Separate batch normalisation of five parts of the spectrum.

    After Chang et al., "Subspectral normalization for neural audio data processing", ICASSP
    2021: ``BatchNorm2d(n_channels * n_groups)`` on a view that moves the groups of bands
    among the channels. This version also accepts numbers of bands that the groups do not
    divide.

    Parameters
    ----------
    n_channels : int
    n_groups : int, default=5

    Shape
    -----
    Input and output (n_clips, n_channels, n_bands, n_frames), with
    ``n_bands >= n_groups``.
    """

    def __init__(self, n_channels: int, n_groups: int = 5) -> None:
        super().__init__(n_channels, n_groups)


def _membership(n_bands: int, n_groups: int, like: Tensor) -> Tensor:
    """(n_bands, n_groups), 1 where a band belongs to a group; of the dtype and device of `like`."""
    group = torch.arange(n_bands, device=like.device) * n_groups // n_bands
    return (group[:, None] == torch.arange(n_groups, device=like.device)).to(like.dtype)


def _to_bands(value: Tensor, member: Tensor) -> Tensor:
    """(n_channels * n_groups,) spread to (n_channels, n_bands, 1)."""
    return (value.view(-1, member.shape[1]) @ member.T)[..., None]
