"""Standard pipelines, and pipelines of published systems."""

from . import (  # noqa: F401 - each registers its recipes
    _basics,
    _best,
    _digit_pictures,
    _keywords,
    _phones,
    _pretrained,
    _raw_samples,
    _rebuilt_sound,
    _utterances,
)
from ._catalogue import list_recipes, make_recipe
from ._count_parameters import count_parameters
from ._make_speech_pipeline import make_speech_pipeline

__all__ = ["count_parameters", "list_recipes", "make_recipe", "make_speech_pipeline"]
