"""Layers of a network that another network can start from."""

from collections.abc import Collection, Iterable
from typing import Self

from torch import nn


class BackboneModule(nn.Module):
    """Network whose layers before the output layers can be frozen, or copied to another network."""

    _frozen: tuple[str, ...] = ()

    def backbone(self) -> dict[str, nn.Module]:
        """Layers before the output layers, by name."""
        raise NotImplementedError

    def freeze(self, names: Collection[str]) -> None:
        """Freeze some layers of the backbone, and unfreeze those that this method froze before.

        A frozen layer stays in evaluation mode, so that neither its weights nor its statistics
        change.

        Parameters
        ----------
        names : collection of str
            Names of layers of the backbone; empty to freeze none.
        """
        layers = self.backbone()
        for name in self._frozen:
            layers[name].requires_grad_(True)
        self._frozen = tuple(names)
        for name in names:
            layers[name].requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Self:
        """As in torch, but frozen layers stay in evaluation mode."""
        super().train(mode)
        if self._frozen:
            layers = self.backbone()
            for name in self._frozen:
                layers[name].eval()
        return self


def numbered(name: str, layers: Iterable[nn.Module]) -> dict[str, nn.Module]:
    """Layers of a list by their names in a network, such as ``stages.0``."""
    return {f"{name}.{i}": layer for i, layer in enumerate(layers)}
