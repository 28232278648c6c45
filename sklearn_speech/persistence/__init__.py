"""Fitted pipelines in one file that is read without running anything."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "_files": ["load", "save"],
        "_model_card": ["ModelCard"],
        "_reading_cards": ["read_model_card"],
    },
)
