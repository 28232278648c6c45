"""What a classifier and a regressor built on BCResNetNet share."""

from numbers import Real

from ..modules.bc_resnet import BCResNetNet
from ..utils.sklearn_private import Interval, StrOptions
from ._parameters import SpeechNetParameters


class BCResNetParameters(SpeechNetParameters):
    """The network BCResNetNet and its parameters; mixin placed before the base of a task.

    Parameters
    ----------
    tau : float, default=1
        Width: stages have 8, 12, 16 and 20 times `tau` channels. The paper has 1,
        1.5, 2, 3, 6 and 8, which is 9 to 321 thousand parameters.
    variant : {"paper", "reference"}, default="paper"
        The published network, or that of the trainable front ends' reference
        system: no batch norm and ReLU after the first convolution and after the
        last but one, other biases.
    dropout : float, default=0.1
        Probability of dropping a channel at the end of each block.
    transition_dropout : float, default=None
        The same in blocks that change the number of channels. None is `dropout`
        in the paper's variant and 0.5 in the reference's.
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        What makes input comparable: nothing, as in the paper, statistics of each
        band over the training clips, mean and deviation of each clip, or the same
        with the mean over time of each band of each clip taken away.
    lr : float, default=0.01
        Largest learning rate.
    max_epochs : int, default=30
        Passes over the training clips.
    **kwargs
        Settings of training.
    """

    module_class: type | None = BCResNetNet

    _parameter_constraints = {
        "tau": [Interval(Real, 0.25, None, closed="left")],
        "variant": [StrOptions({"paper", "reference"})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "transition_dropout": [Interval(Real, 0, 1, closed="left"), None],
        "input_norm": [StrOptions({"batch", "clip", "band"}), None],
    }

    def __init__(
        self,
        tau=1,
        *,
        variant="paper",
        dropout=0.1,
        transition_dropout=None,
        input_norm="clip",
        lr=0.01,
        max_epochs=30,
        **kwargs,
    ):
        super().__init__(lr=lr, max_epochs=max_epochs, **kwargs)
        self.tau = tau
        self.variant = variant
        self.dropout = dropout
        self.transition_dropout = transition_dropout
        self.input_norm = input_norm
