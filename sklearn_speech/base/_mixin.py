"""What the mixins of the networks derive from."""

from typing import Any

#: Base of the mixins. NeuralNet, behind them among the bases, has the attributes that they use;
#: a type checker cannot know that.
Mixin: Any = object
