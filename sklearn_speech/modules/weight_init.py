"""Initial weights of convolutions and dense layers."""

import math
from collections.abc import Callable

from torch import Generator, Tensor, nn

_LAYERS = (
    nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d,
    nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d,
)  # fmt: skip


def _lecun_normal(weight: Tensor, generator: Generator | None = None) -> None:
    fan_in = weight[0].numel()
    nn.init.normal_(weight, std=1 / math.sqrt(fan_in), generator=generator)


#: Schemes of initial weights besides torch's own; biases are 0 at first.
INITIALIZERS: dict[str, Callable[..., object]] = {
    "glorot_uniform": nn.init.xavier_uniform_,
    "lecun_normal": _lecun_normal,
}


def initialize_weights(network: nn.Module, scheme: str, generator: Generator | None = None) -> None:
    """Draw new weights for convolutions and dense layers, and set their biases to 0.

    Parameters
    ----------
    network : torch.nn.Module
        Changed in place; other layers, such as recurrent ones, are not changed.
    scheme : {"torch", "glorot_uniform", "lecun_normal"}
        "torch" changes nothing. "glorot_uniform" is uniform, with a variance of
        2 / (fan in + fan out) (Keras), "lecun_normal" is normal, with a variance of
        1 / fan in (Chainer).
    generator : torch.Generator, default=None
        Source of random numbers; None is torch's global generator.

    References
    ----------
    X. Glorot and Y. Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", AISTATS 2010.

    Y. LeCun, L. Bottou, G. B. Orr and K.-R. Müller, "Efficient BackProp", in
    Neural Networks: Tricks of the Trade, Springer 1998.

    Examples
    --------
    >>> from torch import nn
    >>> layer = nn.Linear(100, 20)
    >>> initialize_weights(layer, "glorot_uniform")
    >>> layer.bias.abs().max().item(), layer.weight.abs().max().item() <= (6 / 120) ** 0.5
    (0.0, True)
    """
    if scheme == "torch":
        return
    for layer in network.modules():
        if isinstance(layer, _LAYERS):
            INITIALIZERS[scheme](layer.weight, generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
