"""Mix clips and their labels in pairs."""

from numbers import Real
from typing import Any, ClassVar, NoReturn

import torch
from scipy.special import betaincinv
from torch import Generator, Tensor

from ..modules.masking import steps_mask
from ..utils.sklearn_private import Interval, StrOptions
from ._augmentation import Augmentation
from ._draws import uniform
from ._operations import column


class Mixup(Augmentation):
    """Mix each clip with another clip of the batch; the loss must be mixed in the same way.

    Unlike the other augmentations, this one affects the labels too. Use :meth:`mix`, which also
    returns what is needed to mix the loss::

        x, lengths, permutation, weight = mixup.mix(x, lengths, generator)
        logits = net(x, lengths)
        loss = weight * loss_of(logits, y) + (1 - weight) * loss_of(logits, y[permutation])

    Parameters
    ----------
    alpha : float, default=0.2
        Weights are drawn from Beta(alpha, alpha): small values leave most pairs
        nearly unmixed, 1 makes all weights equally likely. Within 0.001 to 1000.
    domain : {"spectrogram", "waveform"}, default="spectrogram"
        The input. Spectrograms of different lengths are mixed up to the end of the shorter one;
        the rest of the longer one is not changed.
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

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **Augmentation._parameter_constraints,
        "alpha": [Interval(Real, 1e-3, 1e3, closed="both")],
        "domain": [StrOptions({"spectrogram", "waveform"})],
    }

    def __init__(
        self,
        alpha: float = 0.2,
        domain: str = "spectrogram",
        p: float = 1.0,
    ) -> None:
        self.alpha = alpha
        self.domain = domain
        self.p = p

    def __call__(
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> NoReturn:
        """Raise TypeError, because the labels must be mixed too.

        Parameters
        ----------
        x, lengths, generator
            As in :meth:`mix`.

        Raises
        ------
        TypeError
            Always.
        """
        raise TypeError("Mixup mixes labels too: use mix(x, lengths, generator) and mix the loss")

    def mix(
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Validate the parameters and mix each clip with another clip.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_times) or (n_clips, n_bands, n_frames)
        lengths : int64 Tensor of shape (n_clips,), default=None
            Valid samples or frames of each clip of a padded batch; None means all.
        generator : torch.Generator, default=None
            Source of random numbers; None is torch's global generator.

        Returns
        -------
        x : Tensor of the same shape
            ``weight * x + (1 - weight) * x[permutation]``.
        lengths : Tensor of shape (n_clips,) or None
            For a mixed clip, the longer of the two lengths.
        permutation : int64 Tensor of shape (n_clips,)
            The clip that each clip was mixed with.
        weight : Tensor of shape (n_clips,)
            Weight of each clip's own label; 1 if it was not mixed.
        """
        self.validate()
        return self.apply(x, lengths, generator)

    def apply(  # type: ignore[override]
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Mix like :meth:`mix`, without validating the parameters.

        Parameters
        ----------
        x, lengths, generator
            As in :meth:`mix`.

        Returns
        -------
        x, lengths, permutation, weight
            As in :meth:`mix`.
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

    def _weights(self, n_clips: int, generator: Generator | None, x: Tensor) -> Tensor:
        chosen = uniform(n_clips, 0, 1, generator, x.device) < self.p
        quantiles = uniform(n_clips, 0, 1, generator, x.device).double().cpu().numpy()
        weight = torch.from_numpy(betaincinv(self.alpha, self.alpha, quantiles)).to(x)
        return torch.where(chosen, weight, torch.ones_like(weight))
