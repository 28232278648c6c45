"""Learning from clips without labels."""

from ._conv_autoencoder import ConvAutoencoder

__all__ = ["ConvAutoencoder"]
