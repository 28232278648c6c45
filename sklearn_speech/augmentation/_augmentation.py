"""The base class of all augmentations."""

from typing import Any, ClassVar

import torch
from sklearn.base import BaseEstimator
from torch import Generator, Tensor

from ..modules.masking import fill_padding, steps_mask
from ..utils.sklearn_private import DocumentedMixin, validate_parameter_constraints
from ._constraints import FRACTION
from ._draws import uniform
from ._operations import column


class Augmentation(DocumentedMixin, BaseEstimator):
    """A random change of a batch of clips, drawn separately for each clip.

    Augmentations are called on training batches: ``aug(x, lengths, generator)``
    returns the changed clips and their lengths. The batch keeps its width: longer clips are cut
    and shorter clips are padded, with zeros if `lengths` are given, otherwise with silence. The
    whole batch is changed at once, on its device. The same generator state gives the same
    result.

    The parameters follow scikit-learn's conventions: the constructor only stores them,
    ``clone``, ``get_params`` and ``set_params`` work, and a search can set them. They are
    validated when the augmentation is called, or by :meth:`validate`. Training validates once
    per fit and then calls :meth:`apply`.

    Subclasses set `domain` and define ``_transform(x, lengths, generator)``, which
    changes all clips and returns them with their new lengths. Padding may have any values
    afterwards.

    Attributes
    ----------
    domain : {"waveform", "spectrogram"}
        The input: batches of shape (n_clips, n_times) or (n_clips, n_bands, n_frames).
    p : float, default=1.0
        Probability that a clip is changed.

    Examples
    --------
    >>> import torch
    >>> from sklearn_speech.augmentation import Augmentation
    >>> class Reverse(Augmentation):
    ...     domain = "spectrogram"
    ...     def _transform(self, x, lengths, generator):
    ...         return x.flip(2), lengths
    >>> Reverse()(torch.tensor([[[1.0, 2.0, 3.0]]]))[0]
    tensor([[[3., 2., 1.]]])
    """

    domain: str | None = None
    p: float = 1.0

    _parameter_constraints: ClassVar[dict[str, Any]] = {"p": FRACTION}

    def __call__(
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Validate the parameters and change each clip with probability `p`.

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
        lengths : Tensor of shape (n_clips,) or None

        Raises
        ------
        ValueError
            When a parameter is invalid or x has the wrong number of axes.
        """
        self.validate()
        return self.apply(x, lengths, generator)

    def validate(self) -> None:
        """Check the values of all parameters.

        Raises
        ------
        ValueError
            When a parameter, or a combination of them, is invalid.
        """
        validate_parameter_constraints(
            self._parameter_constraints, self.get_params(deep=False), type(self).__name__
        )
        self._check_parameters()

    def apply(
        self, x: Tensor, lengths: Tensor | None = None, generator: Generator | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Change each clip with probability `p`, without validating the parameters.

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
        lengths : Tensor of shape (n_clips,) or None
        """
        self._check_shape(x)
        if self.p == 0 or x.numel() == 0:
            return x, lengths
        n_steps = x.shape[-1]
        if lengths is None:
            own = torch.full((len(x),), n_steps, device=x.device)
        else:
            own = lengths.to(x.device)
        chosen = uniform(len(x), 0, 1, generator, x.device) < self.p
        y, new = self._transform(x, own, generator)
        if lengths is not None:
            y = fill_padding(y, steps_mask(new, y), 0.0)
        elif new is not own:
            y = torch.where(steps_mask(new, y), y, self._silence(x, own))
        y = torch.where(column(chosen, y), y, x)
        if lengths is None:
            return y, None
        new = torch.where(chosen, new.clamp(1, n_steps), own)
        return y, new.to(lengths.device)

    def _transform(
        self, x: Tensor, lengths: Tensor, generator: Generator | None
    ) -> tuple[Tensor, Tensor]:
        raise NotImplementedError(f"{type(self).__name__} does not define _transform")

    def _check_parameters(self) -> None:
        """Make checks that `_parameter_constraints` cannot express; subclasses override this."""

    def _check_shape(self, x: Tensor) -> None:
        n_axes = 2 if self.domain == "waveform" else 3
        if x.dim() != n_axes:
            shape = "(n_clips, n_times)" if n_axes == 2 else "(n_clips, n_bands, n_frames)"
            raise ValueError(
                f"{type(self).__name__} works on {self.domain}s {shape}, got shape {tuple(x.shape)}"
            )

    def _silence(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return silence: 0 for a waveform, the minimum of each band for a spectrogram."""
        if self.domain == "waveform":
            return x.new_zeros(())
        return fill_padding(x, steps_mask(lengths, x), torch.inf).amin(-1, keepdim=True)
