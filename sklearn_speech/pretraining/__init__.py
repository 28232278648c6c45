"""Pretraining on unlabelled clips."""

from ._conv_autoencoder import ConvAutoencoder

__all__ = ["ConvAutoencoder"]
