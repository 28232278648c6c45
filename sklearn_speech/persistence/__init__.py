"""Fitted pipelines in one file that is read without running anything."""

from ._files import load, save

__all__ = ["load", "save"]
