"""Numbers of samples and frames: an int for one clip, a tensor for a batch of clips."""

from typing import TypeVar, overload

from torch import Tensor

#: An int, or an integer Tensor of shape (n_clips,).
Count = TypeVar("Count", int, Tensor)


@overload
def at_least(count: int, minimum: int) -> int: ...
@overload
def at_least(count: Tensor, minimum: int) -> Tensor: ...
def at_least(count: int | Tensor, minimum: int) -> int | Tensor:
    """The count, or the minimum where the count is smaller.

    Parameters
    ----------
    count : int or Tensor
    minimum : int

    Returns
    -------
    count : int or Tensor
        Of the given type.

    Examples
    --------
    >>> at_least(0, 1)
    1
    >>> import torch
    >>> at_least(torch.tensor([0, 3]), 1)
    tensor([1, 3])
    """
    return count.clamp(min=minimum) if isinstance(count, Tensor) else max(count, minimum)
