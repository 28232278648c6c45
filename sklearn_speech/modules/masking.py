"""Which steps of a padded batch belong to their clips."""

import torch
from torch import Tensor


def frame_mask(lengths: Tensor, n_frames: int) -> Tensor:
    """True where a frame belongs to its clip, False where it is padding.

    Parameters
    ----------
    lengths : Tensor of shape (n_clips,)
        Valid frames, or samples, of each clip.
    n_frames : int
        Width of the batch.

    Returns
    -------
    mask : bool Tensor of shape (n_clips, n_frames)

    Examples
    --------
    >>> frame_mask(torch.tensor([3, 1]), 3)
    tensor([[ True,  True,  True],
            [ True, False, False]])
    """
    return torch.arange(n_frames, device=lengths.device) < lengths[:, None]


def steps_mask(lengths: Tensor, x: Tensor) -> Tensor:
    """The mask of :func:`frame_mask`, on the device of x and shaped to broadcast over it.

    Parameters
    ----------
    lengths : Tensor of shape (n_clips,)
    x : Tensor of shape (n_clips, ..., n_steps)

    Returns
    -------
    mask : bool Tensor of shape (n_clips, 1, ..., n_steps)
    """
    mask = frame_mask(lengths.to(x.device), x.shape[-1])
    return mask.view(len(mask), *[1] * (x.dim() - 2), -1)


def zero_padding(x: Tensor, mask: Tensor | None) -> Tensor:
    """Set the padding of x to zero; None leaves x as it is.

    The padding must be finite: multiplication is faster than selection, but keeps NaN.

    Parameters
    ----------
    x : Tensor of shape (n_clips, ..., n_steps)
    mask : bool Tensor of shape (n_clips, n_steps) or None
        True inside the clips.

    Returns
    -------
    x : Tensor of the same shape
    """
    if mask is None:
        return x
    return x * mask.to(x.dtype).view(x.shape[0], *[1] * (x.dim() - 2), -1)


def mask_frames(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Set the padding of x to zero as :func:`zero_padding` does, given lengths.

    Parameters
    ----------
    x : Tensor of shape (n_clips, ..., n_frames)
    lengths : Tensor of shape (n_clips,) or None

    Returns
    -------
    x : Tensor of the same shape

    Examples
    --------
    >>> mask_frames(torch.ones(2, 3), torch.tensor([3, 1]))
    tensor([[1., 1., 1.],
            [1., 0., 0.]])
    """
    return x if lengths is None else zero_padding(x, frame_mask(lengths, x.shape[-1]))


def fill_padding(x: Tensor, mask: Tensor | None, value: float) -> Tensor:
    """Replace the padding of x, whatever it holds, by a value; None leaves x as it is.

    Parameters
    ----------
    x : Tensor
    mask : bool Tensor that broadcasts over x, or None
        True inside the clips.
    value : float

    Returns
    -------
    x : Tensor of the same shape
    """
    return x if mask is None else torch.where(mask, x, x.new_full((), value))


def check_fixed_length(
    x: Tensor,
    lengths: Tensor | None,
    n_steps: int | None,
    unit: str,
    what: str,
    remedy: str = "put PadOrTrim before this step",
) -> None:
    """Refuse clips that do not have the length that a network was built for.

    Parameters
    ----------
    x : Tensor of shape (n_clips, ..., n_steps)
    lengths : Tensor of shape (n_clips,) or None
    n_steps : int
        The length that the network needs.
    unit, what : str
        "samples" or "frames", and what needs the length, for the message.
    remedy : str
        What to do, for the message.

    Raises
    ------
    ValueError
        When a clip has another length.
    """
    if x.shape[-1] != n_steps or (lengths is not None and bool((lengths != n_steps).any())):
        got = [x.shape[-1]] if lengths is None else sorted(set(lengths.tolist()))
        raise ValueError(
            f"{what} was built for clips of {n_steps} {unit}, got clips of "
            f"{', '.join(map(str, got[:5]))}; {remedy}"
        )
