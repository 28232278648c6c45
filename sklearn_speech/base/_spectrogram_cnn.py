"""What a classifier and a regressor built on SpectrogramCNNNet share."""

from numbers import Integral, Real

from ..modules.spectrogram_cnn import HEADS, SpectrogramCNNNet
from ..utils.sklearn_private import Interval, StrOptions
from ._pretrained import PretrainedNet

_WHOLE = [Interval(Integral, 1, None, closed="left"), tuple, list]


class SpectrogramCNNParameters(PretrainedNet):
    """The network SpectrogramCNNNet and its parameters; mixin placed before the base of a task.

    Parameters
    ----------
    n_layers : int, default=4
        Number of convolutional layers; those of a pretrainer come before them
        and do not count.
    n_filters : int or list of int, default=None
        Filters of each layer. None doubles from 24 up to 128.
    kernel_size : int, (frequency, time) tuple, or list with one of these a layer, default=None
        None is 5 in the first layer and 3 in the others.
    stride : int, (frequency, time) tuple, or list with one of these a layer, default=None
        None is 2 in the first layer and 1 in the others.
    padding : {"same", "valid"}, int, (frequency, time) tuple, or list, default="same"
        "same" keeps ceil(size / stride) rows and columns.
    pool_size : int, (frequency, time) tuple, or list with one of these a layer, default=None
        None is (1, 2) in the first layer and 2 in the others; 1 does not pool.
    pool_type : {"max", "mean"} or list with one of these a layer, default="max"
    batch_norm : bool, default=True
        Batch normalisation after each convolution.
    batch_norm_eps : float, default=1e-5
        Added to its variances.
    dropout : float or list of float, default=0.0
        After each layer.
    head : {"mean", "max", "mean_max", "bands", "flatten"}, default="mean_max"
        How the last layer's output becomes one vector a clip: its mean over time
        and frequency, its maximum, both, both over time alone, so that bands stay
        apart, or all of it, which fixes the length of clips.
    hidden_units : int or list of int, default=None
        Widths of dense layers before the last.
    head_dropout : float or list of float, default=0.0
        Before each dense layer, the last included.
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        What makes input comparable: nothing, statistics of each band over the
        training clips, mean and deviation of each clip, or the same with the
        mean over time of each band of each clip taken away. With a pretrainer, what
        the pretrainer has.
    **kwargs
        Settings of training.
    """

    module_class: type | None = SpectrogramCNNNet

    _needs = {"batch_norm_eps": ("batch_norm", (True,))}

    _parameter_constraints = {
        "n_layers": [Interval(Integral, 0, None, closed="left")],
        "n_filters": [Interval(Integral, 1, None, closed="left"), list, None],
        "kernel_size": [*_WHOLE, None],
        "stride": [*_WHOLE, None],
        "padding": [
            StrOptions({"same", "valid"}), Interval(Integral, 0, None, closed="left"), tuple, list,
        ],
        "pool_size": [*_WHOLE, None],
        "pool_type": [StrOptions({"max", "mean"}), list],
        "batch_norm": ["boolean"],
        "batch_norm_eps": [Interval(Real, 0, None, closed="neither")],
        "dropout": [Interval(Real, 0, 1, closed="left"), list],
        "head": [StrOptions(set(HEADS))],
        "hidden_units": [Interval(Integral, 1, None, closed="left"), list, tuple, None],
        "head_dropout": [Interval(Real, 0, 1, closed="left"), list],
        "input_norm": [StrOptions({"batch", "clip", "band"}), None],
    }  # fmt: skip

    def __init__(
        self,
        n_layers=4,
        *,
        n_filters=None,
        kernel_size=None,
        stride=None,
        padding="same",
        pool_size=None,
        pool_type="max",
        batch_norm=True,
        batch_norm_eps=1e-5,
        dropout=0.0,
        head="mean_max",
        hidden_units=None,
        head_dropout=0.0,
        input_norm="clip",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.n_layers = n_layers
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.pool_size = pool_size
        self.pool_type = pool_type
        self.batch_norm = batch_norm
        self.batch_norm_eps = batch_norm_eps
        self.dropout = dropout
        self.head = head
        self.hidden_units = hidden_units
        self.head_dropout = head_dropout
        self.input_norm = input_norm
