"""Base class of the mixins of the networks."""

from typing import Any

#: Base of the mixins. They use attributes of NeuralNet, which comes after them in the list of
#: bases; a type checker cannot know these attributes.
Mixin: Any = object
