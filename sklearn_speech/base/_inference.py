"""Outputs of a fitted network, batch by batch."""

import torch


class NetworkInference:
    """How a skorch net is asked, to stand before it among the bases."""

    def infer(self, x, lengths=None):
        """Output of the network for one batch."""
        x = x.to(self.device_, non_blocking=True)
        if lengths is None:
            return self.module_(x)
        return self.module_(x, lengths.to(self.device_))

    def evaluation_step(self, batch, training=False):
        """Output of the network for one batch, without gradients unless `training`."""
        self.check_is_fitted()
        self._set_training(training)
        with torch.set_grad_enabled(training):
            return self.infer(batch[0], getattr(batch, "lengths", None))

    def forward_iter(self, X, training=False, device="cpu"):
        """Yield the output of the network batch by batch, in the order of X.

        Parameters
        ----------
        X : array-like of shape (n_clips, ...) or dataset
        training : bool, default=False
            Whether the network is in training mode.
        device : str or torch.device, default="cpu"
            Where outputs are put.

        Yields
        ------
        output : Tensor of shape (n_clips_of_batch, ...)
        """
        self.check_is_fitted()
        for batch in self.get_iterator(self.get_dataset(X)):
            if self.module_.training != training:
                self._set_training(training)
            x, lengths = batch[0], getattr(batch, "lengths", None)
            with torch.set_grad_enabled(training):
                output = self.infer(x if training else _whole_blocks(x, lengths), lengths)
            yield output[: len(x)].to(device)


#: Clips that torch's kernels take at a time.
_BLOCK = 16


def _whole_blocks(x, lengths):
    """A batch filled up with silence to whole blocks, so that no clip is in a smaller one.

    The last few clips of a batch are otherwise rounded in another way than those
    before them, and what a clip gives would depend on where it stands.
    """
    missing = -len(x) % _BLOCK
    if lengths is not None or len(x) == 1 or missing == 0:
        return x
    return torch.cat([x, x.new_zeros(missing, *x.shape[1:])])
