"""Parameters shared by the classifier and the regressor that are built on BCResNetNet."""

from numbers import Real
from typing import Any, Literal

from ..modules.bc_resnet import BCResNetNet
from ..utils.sklearn_private import Interval, StrOptions
from ._pretrained import PretrainedNet


class BCResNetParameters(PretrainedNet):
    """Sets BCResNetNet as the network, with its parameters; mixin placed before the base of a task.

    Parameters
    ----------
    tau : float, default=1
        Width multiplier: the stages have 8, 12, 16 and 20 times `tau` channels. The
        paper uses 1, 1.5, 2, 3, 6 and 8, which give 9 to 321 thousand parameters.
    variant : {"paper", "reference"}, default="paper"
        The published network, or the network of the reference system for trainable
        front ends: no batch norm and ReLU after the first and the second-to-last
        convolution, and different biases.
    dropout : float, default=0.1
        Probability of dropping a channel at the end of each block.
    transition_dropout : float, default=None
        The same in blocks that change the number of channels. None means `dropout`
        for variant "paper" and 0.5 for "reference".
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        Normalisation of the input. None: no normalisation, as in the paper; "batch":
        by the statistics of each band over the training clips; "clip": by the mean and
        standard deviation of each clip; "band": like "clip", but with the mean over
        time of each band subtracted.
    lr : float, default=0.01
        Largest learning rate.
    max_epochs : int, default=30
        Number of passes over the training clips.
    **kwargs
        Training parameters.
    """

    module_class: type | None = BCResNetNet
    _shared_settings = ("tau", "variant", "input_norm")

    _parameter_constraints = {
        "tau": [Interval(Real, 0.25, None, closed="left")],
        "variant": [StrOptions({"paper", "reference"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "transition_dropout": [Interval(Real, 0, 1, closed="left"), None],
        "input_norm": [StrOptions({"batch", "clip", "band"}), None],
    }

    def __init__(
        self,
        tau: float = 1,
        *,
        variant: Literal["paper", "reference"] = "paper",
        dropout: float = 0.1,
        transition_dropout: float | None = None,
        input_norm: Literal["batch", "clip", "band"] | None = "clip",
        lr: float = 0.01,
        max_epochs: int = 30,
        **kwargs: Any,
    ):
        super().__init__(lr=lr, max_epochs=max_epochs, **kwargs)
        self.tau = tau
        self.variant = variant
        self.dropout = dropout
        self.transition_dropout = transition_dropout
        self.input_norm = input_norm
