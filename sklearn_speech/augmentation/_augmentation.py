"""What all augmentations share."""

import inspect
import numbers

import numpy as np
import torch

from ..modules.masking import fill_padding, steps_mask


class Augmentation:
    """Random change of a batch of clips, drawn anew for each clip.

    Augmentations are called on training batches: ``aug(x, lengths, generator)``
    gives the changed clips and their lengths. The batch keeps its width: what
    grows beyond it is cut, what shrinks is filled up, with zeros where `lengths`
    say which part of a row is the clip, else with silence. All work is done on
    the whole batch at once, on its device. The same generator state gives the
    same result.

    Parameters are attributes, and can be read and set as those of scikit-learn's
    estimators, so that ``clone`` works and a search can reach them.

    Subclasses set `domain` and define ``_transform(x, lengths, generator)``,
    which changes all clips and may leave anything in the padding.
    """

    #: "waveform" for (n_clips, n_times), "spectrogram" for (n_clips, n_bands, n_frames).
    domain: str | None = None

    def __call__(self, x, lengths=None, generator=None):
        """Change each clip with probability `p`.

        Parameters
        ----------
        x : Tensor of shape (n_clips, n_times) or (n_clips, n_bands, n_frames)
        lengths : int64 Tensor of shape (n_clips,), default=None
            Valid samples or frames of each clip of a padded batch; None: all are.
        generator : torch.Generator, default=None
            Where random numbers come from; None is torch's global generator.

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

    def _transform(self, x, lengths, generator):
        raise NotImplementedError

    def _check_shape(self, x):
        n_axes = 2 if self.domain == "waveform" else 3
        if x.dim() != n_axes:
            shape = "(n_clips, n_times)" if n_axes == 2 else "(n_clips, n_bands, n_frames)"
            raise ValueError(
                f"{type(self).__name__} works on {self.domain}s {shape}, got shape {tuple(x.shape)}"
            )

    def _silence(self, x, lengths):
        """What silence looks like: 0 in a waveform, each band's minimum in a spectrogram."""
        if self.domain == "waveform":
            return x.new_zeros(())
        return fill_padding(x, steps_mask(lengths, x), torch.inf).amin(-1, keepdim=True)

    def get_params(self, deep=True):
        """Parameters by name, as scikit-learn's estimators give them."""
        names = inspect.signature(type(self).__init__).parameters
        return {name: getattr(self, name) for name in names if name != "self"}

    def set_params(self, **params):
        """Set parameters by name, after the checks that the constructor does."""
        valid = self.get_params()
        for name in params:
            if name not in valid:
                raise ValueError(
                    f"Invalid parameter {name!r} for {type(self).__name__}. "
                    f"Valid parameters are: {sorted(valid)}"
                )
        type(self)(**{**valid, **params})
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self):
        given = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({given})"

    def __eq__(self, other):
        if type(self) is not type(other):
            return NotImplemented
        mine, others = self.get_params(), other.get_params()
        return all(_same(mine[name], others[name]) for name in mine)

    def __hash__(self):
        return hash(type(self))


def _same(a, b):
    if isinstance(a, (np.ndarray, torch.Tensor)) or isinstance(b, (np.ndarray, torch.Tensor)):
        return np.array_equal(np.asarray(a), np.asarray(b))
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(_same(*pair) for pair in zip(a, b))
    return a == b


def uniform(shape, low, high, generator, device):
    """Uniform random numbers on `device`, drawn where the generator lives."""
    source = device if generator is None else generator.device
    draws = torch.rand(shape, generator=generator, device=source).to(device)
    return low + (high - low) * draws


def normal(shape, generator, device):
    """Standard normal random numbers on `device`, drawn where the generator lives."""
    source = device if generator is None else generator.device
    return torch.randn(shape, generator=generator, device=source).to(device)


def whole_number(low, high, generator):
    """Whole numbers between two tensors of them, both ends included, all equally likely."""
    draws = uniform(low.shape, 0, 1, generator, low.device)
    return torch.minimum(low + (draws * (high - low + 1)).long(), high)


def column(values, x):
    """One value a clip, shaped to broadcast over x."""
    return values.view(-1, *[1] * (x.dim() - 1))


def interpolate(x, positions, axis):
    """Read x at fractional positions along an axis, linearly; the ends are held.

    Parameters
    ----------
    x : Tensor of shape (n_clips, n_bands, n_frames)
    positions : Tensor of shape (n_clips, n_points)
    axis : {1, 2}

    Returns
    -------
    values : Tensor of shape (n_clips, n_points, n_frames) or (n_clips, n_bands, n_points)
    """
    last = x.shape[axis] - 1
    positions = positions.clamp(0, last)
    shape = list(x.shape)
    shape[axis] = positions.shape[1]
    positions = positions.unsqueeze(3 - axis)
    low = positions.floor()
    weight = (positions - low).to(x.dtype)
    low = low.long()
    before = x.gather(axis, low.expand(shape))
    after = x.gather(axis, (low + 1).clamp(max=last).expand(shape))
    return before + weight * (after - before)


def check_number(name, value, low=-np.inf, high=np.inf):
    """Refuse what is not a number of the closed interval [low, high], by name."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not real or not np.isfinite(value) or not low <= value <= high:
        raise ValueError(f"{name}={value!r}: expected a number in [{low}, {high}]")


def check_count(name, value, low=0):
    """Refuse what is not a whole number of at least `low`, by name."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < low:
        raise ValueError(f"{name}={value!r}: expected a whole number of at least {low}")


def check_range(name, value, low=-np.inf, high=np.inf):
    """Refuse what is not a (low, high) pair of numbers in order, by name."""
    pair = isinstance(value, (tuple, list)) and len(value) == 2
    if not pair or any(
        not isinstance(v, numbers.Real) or not np.isfinite(v) or not low <= v <= high for v in value
    ):
        raise ValueError(f"{name}={value!r}: expected a (low, high) pair within [{low}, {high}]")
    if value[0] > value[1]:
        raise ValueError(f"{name}={value!r}: the first number must not be above the second")


def check_option(name, value, options):
    """Refuse what is not one of the options, by name."""
    if value not in options:
        raise ValueError(f"{name}={value!r}: expected one of {', '.join(map(repr, options))}")
