"""Parameters shared by the classifier and the regressor that are built on WaveformCNNNet."""

from numbers import Integral, Real
from typing import Any, Literal

from ..modules.waveform_cnn import WaveformCNNNet
from ..utils.sklearn_private import Interval, StrOptions
from ._pretrained import PretrainedNet

_WHOLE = Interval(Integral, 1, None, closed="left")
_SHARE = Interval(Real, 0, 1, closed="left")


class WaveformCNNParameters(PretrainedNet):
    """Sets WaveformCNNNet as the network; mixin placed before the base of a task.

    Parameters
    ----------
    n_layers : int, default=4
        Number of stages after the first convolution, not counting the stages of a
        pretrainer, which come before them: 0 where those are enough.
    n_filters : int or list of int, default=None
        Filters of each stage. None starts with 32 and doubles for each stage, up to 128.
    kernel_size : int or list of int, default=3
        Kernel size of the convolutions of each stage, in steps.
    pool_size : int or list of int, default=4
        Size and stride of the max pooling of each stage, in steps.
    first_filters : int, default=None
        Filters of the first convolution. None means as many as in the first stage, or in
        the pretrainer.
    first_kernel_size : int, default=80
        Kernel size of the first convolution, in samples: 10 ms at 8 kHz.
    first_stride : int, default=4
        Stride of the first convolution, in samples.
    residual : bool, default=True
        Whether each stage has two convolutions and a shortcut around them, or one
        convolution.
    bias : bool, default=False
        Whether the convolutions have a bias, which has no effect before batch norm.
    batch_norm_eps : float, default=1e-5
        Value added to the variance in batch norm.
    batch_norm_momentum : float, default=0.1
        Weight of a new batch in the running statistics of batch norm.
    dropout : float or list of float, default=0.0
        Probability of dropping a channel after each stage.
    head : {"mean", "max", "mean_max", "flatten"}, default="mean_max"
        How the output of the last stage becomes one vector per clip. "mean", "max": by
        its mean or maximum over time; "mean_max": by both; "flatten": by taking all
        values, which fixes the length of the clips.
    head_dropout : float, default=0.0
        Dropout before the linear output layer.
    equal_loudness : bool, default=True
        Whether each clip is first scaled to the same loudness.
    max_epochs : int, default=30
        Number of passes over the training clips.
    **kwargs
        Training parameters.
    """

    module_class: type | None = WaveformCNNNet
    reads: Literal["spectrogram", "waveform"] = "waveform"
    _shared_settings = (
        "first_kernel_size", "first_stride", "bias", "batch_norm_eps", "equal_loudness",
    )  # fmt: skip

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
        n_layers: int = 4,
        *,
        n_filters: int | list[int] | None = None,
        kernel_size: int | list[int] = 3,
        pool_size: int | list[int] = 4,
        first_filters: int | None = None,
        first_kernel_size: int = 80,
        first_stride: int = 4,
        residual: bool = True,
        bias: bool = False,
        batch_norm_eps: float = 1e-5,
        batch_norm_momentum: float = 0.1,
        dropout: float | list[float] = 0.0,
        head: Literal["mean", "max", "mean_max", "flatten"] = "mean_max",
        head_dropout: float = 0.0,
        equal_loudness: bool = True,
        max_epochs: int = 30,
        **kwargs: Any,
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

    def _settings_of(self, network: Any) -> dict[str, Any]:
        n_filters = network.first.out_channels
        if self.first_filters not in (None, n_filters):
            raise ValueError(
                f"the pretrainer of {type(self).__name__} has {n_filters} first filters, but "
                f"first_filters={self.first_filters!r}: leave it None"
            )
        return {"first_filters": n_filters, "first_stages": network.stage_settings}
