"""Transformers that output clips, which are 3-D or ragged, rather than tables."""

from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import check_is_fitted

from .sklearn_private import check_feature_names_in


class ClipsOutMixin:
    """Name the bands of the output, and say why there is no ``set_output``.

    scikit-learn asks for the attribute ``set_output`` before it configures a step. An
    AttributeError means that the step has none, so that the default output still works, even
    if the output of all steps is set by ``sklearn.set_config``.
    """

    #: What the output is: "waveforms" or "spectrograms".
    _gives = "spectrograms"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(auto_wrap_output_keys=None, **kwargs)  # type: ignore[call-arg]

    @property
    def set_output(self) -> NoReturn:
        raise AttributeError(
            f"{type(self).__name__} has no set_output: {self._gives} are 3-D or ragged, and no "
            "table has such columns; put TemporalPooling after this step and call set_output there"
        )


class NamedBandsMixin:
    """Transformer to spectrograms with ``n_bands_`` bands, which get numbered names."""

    #: What one band is.
    _band_name = "band"

    n_bands_: int

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """Names of the bands or dimensions, which are the rows of each clip.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of a 2-D X; they are checked and not used.

        Returns
        -------
        names : ndarray of shape (n_bands,) of str
            Such as "mel0", "mel1", ...
        """
        check_is_fitted(self)
        check_feature_names_in(self, input_features, generate_names=False)
        return numbered_names(self._band_name, self.n_bands_)


def numbered_names(name: str, n: int) -> npt.NDArray[Any]:
    """Names of features: name0, name1, ...

    Examples
    --------
    >>> numbered_names("mel", 2).tolist()
    ['mel0', 'mel1']
    """
    return np.array([f"{name}{i}" for i in range(n)], dtype=object)
