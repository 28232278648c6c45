"""Transformers whose output is 3-D or ragged, not a table."""

from typing import NoReturn


class ThreeDimensionalMixin:
    """Say why there is no ``set_output``, and what makes spectrograms a table.

    scikit-learn asks for the attribute before it configures a step. An AttributeError
    means that the step has none, so that the default output goes on working.
    """

    @property
    def set_output(self) -> NoReturn:
        raise AttributeError(
            f"{type(self).__name__} has no set_output: spectrograms are 3-D or ragged, and no "
            "table has such columns; put TemporalPooling after this step and call set_output there"
        )
