"""What a classifier and a regressor built on WaveformCNNNet share."""

from numbers import Integral, Real

from ..modules.waveform_cnn import WaveformCNNNet
from ..utils.sklearn_private import Interval, StrOptions
from ._parameters import SpeechNetParameters

_WHOLE = Interval(Integral, 1, None, closed="left")
_SHARE = Interval(Real, 0, 1, closed="left")


class WaveformCNNParameters(SpeechNetParameters):
    """The network WaveformCNNNet and its parameters; mixin placed before the base of a task.

    Parameters
    ----------
    n_layers : int, default=4
        Stages after the first convolution.
    n_filters : int or list of int, default=None
        Filters of each stage. None is 32 in the first, doubling up to 128.
    kernel_size : int or list of int, default=3
        Of each stage's convolutions, in steps.
    pool_size : int or list of int, default=4
        Of each stage's max pooling, in steps.
    first_filters : int, default=None
        Filters of the first convolution. None is as many as in the first stage.
    first_kernel_size : int, default=80
        Of the first convolution, in samples: 10 ms at 8 kHz.
    first_stride : int, default=4
        Of the first convolution, in samples.
    residual : bool, default=True
        Whether each stage is two convolutions with a shortcut round them, or one.
    bias : bool, default=False
        Whether convolutions have a bias, of no use before batch norm.
    batch_norm_eps : float, default=1e-5
        Added to the variances of batch norm.
    batch_norm_momentum : float, default=0.1
        Weight of a new batch in its running statistics.
    dropout : float or list of float, default=0.0
        Probability of dropping a channel after each stage.
    head : {"mean", "max", "mean_max", "flatten"}, default="mean_max"
        How the last stage's output becomes one vector a clip: its mean over time,
        its maximum, both, or all of it, which fixes the length of clips.
    head_dropout : float, default=0.0
        Before the last, linear layer.
    equal_loudness : bool, default=True
        Whether each clip is first brought to the same loudness.
    max_epochs : int, default=30
        Passes over the training clips.
    **kwargs
        Settings of training.
    """

    module_class: type | None = WaveformCNNNet
    reads = "waveform"

    _parameter_constraints = {
        "n_layers": [Interval(Integral, 0, None, closed="left")],
        "n_filters": [_WHOLE, list, None],
        "kernel_size": [_WHOLE, list],
        "pool_size": [_WHOLE, list],
        "first_filters": [_WHOLE, None],
        "first_kernel_size": [_WHOLE],
        "first_stride": [_WHOLE],
        "residual": ["boolean"],
        "bias": ["boolean"],
        "batch_norm_eps": [Interval(Real, 0, None, closed="neither")],
        "batch_norm_momentum": [Interval(Real, 0, 1, closed="right")],
        "dropout": [_SHARE, list],
        "head": [StrOptions({"mean", "max", "mean_max", "flatten"})],
        "head_dropout": [_SHARE],
        "equal_loudness": ["boolean"],
    }

    def __init__(
        self,
        n_layers=4,
        *,
        n_filters=None,
        kernel_size=3,
        pool_size=4,
        first_filters=None,
        first_kernel_size=80,
        first_stride=4,
        residual=True,
        bias=False,
        batch_norm_eps=1e-5,
        batch_norm_momentum=0.1,
        dropout=0.0,
        head="mean_max",
        head_dropout=0.0,
        equal_loudness=True,
        max_epochs=30,
        **kwargs,
    ):
        super().__init__(max_epochs=max_epochs, **kwargs)
        self.n_layers = n_layers
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.pool_size = pool_size
        self.first_filters = first_filters
        self.first_kernel_size = first_kernel_size
        self.first_stride = first_stride
        self.residual = residual
        self.bias = bias
        self.batch_norm_eps = batch_norm_eps
        self.batch_norm_momentum = batch_norm_momentum
        self.dropout = dropout
        self.head = head
        self.head_dropout = head_dropout
        self.equal_loudness = equal_loudness
