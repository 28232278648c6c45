"""Parameters shared by the classifier and the regressor that are built on SpectrogramCNNNet."""

from numbers import Integral, Real
from typing import Any, Literal, TypeAlias

from ..modules.conv_autoencoder import ConvAutoencoderNet
from ..modules.spectrogram_cnn import HEADS, SpectrogramCNNNet
from ..utils.sklearn_private import Interval, StrOptions
from ._pretrained import PretrainedNet

_WHOLE = [Interval(Integral, 1, None, closed="left"), tuple, list]

#: A size, a (frequency, time) pair, or a list with one of these per layer.
Size: TypeAlias = int | tuple[int, int] | list[int | tuple[int, int]]


class SpectrogramCNNParameters(PretrainedNet):
    """Sets SpectrogramCNNNet as the network; mixin placed before the base of a task.

    Parameters
    ----------
    n_layers : int, default=4
        Number of convolutional layers, not counting the layers of a pretrainer,
        which come before them: 0 where those are enough.
    n_filters : int or list of int, default=None
        Filters of each layer. None starts with 24 and doubles for each layer, up to 128.
    kernel_size : int, (frequency, time) tuple, or list with one of these per layer, default=None
        Size of the convolution kernels. None means 5 in the first layer and 3 in the others.
    stride : int, (frequency, time) tuple, or list with one of these per layer, default=None
        Stride of the convolutions. None means 2 in the first layer and 1 in the others.
    padding : {"same", "valid"}, int, (frequency, time) tuple, or list, default="same"
        "same" gives ceil(size / stride) rows and columns.
    pool_size : int, (frequency, time) tuple, or list with one of these per layer, default=None
        Size and stride of the pooling. None means (1, 2) in the first layer and 2 in the
        others; 1 means no pooling.
    pool_type : {"max", "mean"} or list with one of these per layer, default="max"
        Type of the pooling layers.
    batch_norm : bool, default=True
        Whether each convolution is followed by batch normalisation.
    batch_norm_eps : float, default=1e-5
        Value added to the variance in batch normalisation.
    dropout : float or list of float, default=0.0
        Dropout after each layer.
    head : {"mean", "max", "mean_max", "bands", "flatten"}, default="mean_max"
        How the output of the last layer becomes one vector per clip. "mean", "max": by its
        mean or maximum over time and frequency; "mean_max": by both; "bands": by the mean
        and maximum over time of each band; "flatten": by taking all values, which fixes the
        length of the clips.
    hidden_units : int or list of int, default=None
        Sizes of the dense layers before the output layer. None means no such layers.
    head_dropout : float or list of float, default=0.0
        Dropout before each dense layer, including the output layer.
    input_norm : {None, "batch", "clip", "band"}, default="clip"
        Normalisation of the input. None: no normalisation; "batch": by the
        statistics of each band over the training clips; "clip": by the mean and
        standard deviation of each clip; "band": like "clip", but with the mean over
        time of each band subtracted. With a pretrainer, its `input_norm` is used.
    **kwargs
        Training parameters.
    """

    module_class: type | None = SpectrogramCNNNet
    _takes_layers_of = (ConvAutoencoderNet,)

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
        n_layers: int = 4,
        *,
        n_filters: int | list[int] | None = None,
        kernel_size: Size | None = None,
        stride: Size | None = None,
        padding: Literal["same", "valid"] | Size = "same",
        pool_size: Size | None = None,
        pool_type: Literal["max", "mean"] | list[str] = "max",
        batch_norm: bool = True,
        batch_norm_eps: float = 1e-5,
        dropout: float | list[float] = 0.0,
        head: Literal["mean", "max", "mean_max", "bands", "flatten"] = "mean_max",
        hidden_units: int | list[int] | tuple[int, ...] | None = None,
        head_dropout: float | list[float] = 0.0,
        input_norm: Literal["batch", "clip", "band"] | None = "clip",
        **kwargs: Any,
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

    def _settings_of(self, network: Any) -> dict[str, Any]:
        return {"first_stages": network.stage_settings, "input_norm": network.input_norm.kind}
