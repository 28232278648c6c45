"""Parameters shared by the classifier and the regressor built on SpectrogramLinearNet."""

from numbers import Real
from typing import Any, Literal

from ..modules.spectrogram_linear import SpectrogramLinearNet
from ..utils.sklearn_private import Interval, StrOptions
from ._pretrained import PretrainedNet


class SpectrogramLinearParameters(PretrainedNet):
    """Sets SpectrogramLinearNet as the network; mixin placed before the base of a task.

    Parameters
    ----------
    dropout : float, default=0.0
        Dropout of the input, in all bands and frames.
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        Normalisation of the input. None: no normalisation; "batch": by the
        statistics of each band over the training clips; "clip": by the mean and
        standard deviation of each clip; "band": like "clip", but with the mean over
        time of each band subtracted.
    lr : float, default=0.01
        Largest learning rate.
    **kwargs
        Training parameters.
    """

    module_class: type | None = SpectrogramLinearNet
    _shared_settings = ("input_norm",)

    _parameter_constraints = {
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_norm": [StrOptions({"batch", "clip", "band"}), None],
    }

    def __init__(
        self,
        dropout: float = 0.0,
        *,
        input_norm: Literal["batch", "clip", "band"] | None = "clip",
        lr: float = 0.01,
        **kwargs: Any,
    ):
        super().__init__(lr=lr, **kwargs)
        self.dropout = dropout
        self.input_norm = input_norm
