"""What a classifier and a regressor built on SpectrogramLinearNet share."""

from numbers import Real

from ..modules.spectrogram_linear import SpectrogramLinearNet
from ..utils.sklearn_private import Interval, StrOptions
from ._parameters import SpeechNetParameters


class SpectrogramLinearParameters(SpeechNetParameters):
    """The network SpectrogramLinearNet and its parameters; mixin placed before the base of a task.

    Parameters
    ----------
    dropout : float, default=0.0
        Of bands and frames.
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        What makes input comparable: nothing, statistics of each band over the
        training clips, mean and deviation of each clip, or the same with the
        mean over time of each band of each clip taken away.
    lr : float, default=0.01
        Largest learning rate.
    **kwargs
        Settings of training.
    """

    module_class: type | None = SpectrogramLinearNet

    _parameter_constraints = {
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "input_norm": [StrOptions({"batch", "clip", "band"}), None],
    }

    def __init__(self, dropout=0.0, *, input_norm="clip", lr=0.01, **kwargs):
        super().__init__(lr=lr, **kwargs)
        self.dropout = dropout
        self.input_norm = input_norm
