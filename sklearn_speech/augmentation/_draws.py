"""Random numbers on the device of a batch, independent of torch's default dtype."""

import torch
from torch import Generator, Tensor


def uniform(
    shape: int | tuple[int, ...] | torch.Size,
    low: float,
    high: float,
    generator: Generator | None,
    device: torch.device,
) -> Tensor:
    """Return uniform float32 numbers on `device`, drawn on the generator's device."""
    source = device if generator is None else generator.device
    draws = torch.rand(shape, generator=generator, device=source, dtype=torch.float32)
    return low + (high - low) * draws.to(device)


def normal(
    shape: tuple[int, ...] | torch.Size, generator: Generator | None, device: torch.device
) -> Tensor:
    """Return standard normal float32 numbers on `device`, drawn on the generator's device."""
    source = device if generator is None else generator.device
    return torch.randn(shape, generator=generator, device=source, dtype=torch.float32).to(device)


def whole_number(low: Tensor, high: Tensor, generator: Generator | None) -> Tensor:
    """Return uniformly distributed integers from `low` to `high`, both included."""
    draws = uniform(low.shape, 0, 1, generator, low.device)
    return torch.minimum(low + (draws * (high - low + 1)).long(), high)
