"""Clips mixed in pairs, and their labels with them."""

import torch
from scipy.special import betaincinv

from ..modules.masking import steps_mask
from ._augmentation import (
    Augmentation,
    check_number,
    check_option,
    column,
    uniform,
)


class Mixup(Augmentation):
    """Mix each clip with another one of the batch; the loss must be mixed alike.

    Unlike other augmentations this one needs the labels, so it is not called but
    used through :meth:`mix`, which also gives what the loss needs::

        x, lengths, permutation, weight = mixup.mix(x, lengths, generator)
        logits = net(x, lengths)
        loss = weight * loss_of(logits, y) + (1 - weight) * loss_of(logits, y[permutation])

    Parameters
    ----------
    alpha : float, default=0.2
        Weights are drawn from Beta(alpha, alpha): small values leave most pairs
        nearly unmixed, 1 makes all weights alike.
    domain : {"spectrogram", "waveform"}, default="spectrogram"
        What is mixed. Spectrograms of clips that differ in length are mixed where
        both last; where one has ended, the other goes on alone.
    p : float, default=1.0
        Probability that a clip is mixed.

    References
    ----------
    H. Zhang, M. Cisse, Y. N. Dauphin and D. Lopez-Paz, "mixup: beyond empirical
    risk minimization", ICLR 2018.

    Examples
    --------
    >>> import torch
    >>> x, lengths, permutation, weight = Mixup().mix(torch.rand(4, 40, 50))
    >>> x.shape, permutation.shape, weight.shape
    (torch.Size([4, 40, 50]), torch.Size([4]), torch.Size([4]))
    """

    def __init__(self, alpha=0.2, domain="spectrogram", p=1.0):
        check_number("alpha", alpha, 1e-3, 1e3)
        check_option("domain", domain, ("spectrogram", "waveform"))
        check_number("p", p, 0, 1)
        self.alpha = alpha
        self.domain = domain
        self.p = p

    def __call__(self, x, lengths=None, generator=None):
        """Refuse: the labels are needed too."""
        raise TypeError("Mixup mixes labels too: use mix(x, lengths, generator) and mix the loss")

    def mix(self, x, lengths=None, generator=None):
        """Mix each clip with the one that `permutation` names.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_times) or (n_clips, n_bands, n_frames)
        lengths : int64 Tensor of shape (n_clips,), default=None
        generator : torch.Generator, default=None

        Returns
        -------
        x : Tensor of the same shape
            ``weight * x + (1 - weight) * x[permutation]``.
        lengths : Tensor of shape (n_clips,) or None
            The longer of the two, where a clip was mixed.
        permutation : int64 Tensor of shape (n_clips,)
        weight : Tensor of shape (n_clips,)
            Of each clip's own label; 1 where it was not mixed.
        """
        self._check_shape(x)
        permutation = uniform(len(x), 0, 1, generator, x.device).argsort()
        weight = self._weights(len(x), generator, x)
        ours = column(weight, x)
        theirs = 1 - ours
        if lengths is not None:
            inside = steps_mask(lengths.to(x.device), x)
            if self.domain == "spectrogram":
                ours, theirs = ours * inside, theirs * inside[permutation]
                total = (ours + theirs).clamp(min=torch.finfo(x.dtype).tiny)
                ours, theirs = ours / total, theirs / total
            other = lengths[permutation.to(lengths.device)]
            mixed = weight.to(lengths.device) < 1
            lengths = torch.where(mixed, torch.maximum(lengths, other), lengths)
        return ours * x + theirs * x[permutation], lengths, permutation, weight

    def _weights(self, n_clips, generator, x):
        chosen = uniform(n_clips, 0, 1, generator, x.device) < self.p
        quantiles = uniform(n_clips, 0, 1, generator, x.device).double().cpu().numpy()
        weight = torch.from_numpy(betaincinv(self.alpha, self.alpha, quantiles)).to(x)
        return torch.where(chosen, weight, torch.ones_like(weight))
