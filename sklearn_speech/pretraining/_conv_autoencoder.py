"""Convolutional autoencoder of spectrograms, with stacked or joint training."""

from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, Literal, Self

import torch
from numpy.typing import ArrayLike
from torch import nn

from ..base import BaseSpeechNet
from ..base._spectrogram_cnn import Size
from ..base._training_clips import DatasetPair
from ..modules.conv_autoencoder import ConvAutoencoderNet
from ..modules.masking import mask_frames
from ..utils.parameters import SET
from ..utils.sklearn_private import Interval, StrOptions
from ._coder import SpectrogramCoder
from ._stages import train_autoencoder

_WHOLE = [Interval(Integral, 1, None, closed="left"), tuple, list]


class ConvAutoencoder(SpectrogramCoder, BaseSpeechNet):
    """Convolutional autoencoder that learns a code of spectrograms without labels.

    Each layer of the encoder reduces the size of the spectrogram. A mirrored layer of
    the decoder restores it exactly. In stacked training, the layers are trained one
    after another: each new layer learns to reconstruct the outputs of the layers before
    it, which are frozen. The weights of the encoder can initialise a classifier with
    few labels, see the `pretrainer` of
    :class:`~sklearn_speech.classification.SpectrogramCNNClassifier`.

    Parameters
    ----------
    n_layers : int, default=3
        Number of layers of the encoder.
    n_filters : int or list of int, default=None
        Filters of each layer. None starts with 24 and doubles for each layer, up to 128.
    kernel_size : int, (frequency, time) tuple, or list with one of these per layer, default=3
        Size of the convolution kernels.
    stride : int, (frequency, time) tuple, or list with one of these per layer, default=2
        Factor by which a layer reduces the size of its input.
    padding : {"same", "valid"}, int, (frequency, time) tuple, or list, default="same"
        "same" gives ceil(size / stride) rows and columns.
    down : {"stride", "pool"}, default="stride"
        How a layer reduces the size. "stride": by the stride of its convolution,
        mirrored by a transposed convolution; "pool": by a pooling layer, mirrored by
        nearest-neighbour upsampling and a convolution.
    pool_type : {"max", "mean"} or list with one of these per layer, default="max"
        Type of the pooling layers.
    batch_norm : bool, default=True
        Batch normalisation after each convolution except the last.
    batch_norm_eps : float, default=1e-5
        Value added to the variance in batch normalisation.
    mirror : {"output_padding", "kernel"}, default="output_padding"
        How the decoder restores sizes that are no multiple of the stride.
        "output_padding" pads according to the length of each clip; "kernel" enlarges
        the kernels of the decoder by the remainder, so that all clips must have the
        same length.
    extra_conv : bool, default=False
        Whether the decoder starts with one more convolution.
    output_activation : {"linear", "relu", "sigmoid"}, default="linear"
        Activation of the last layer.
    input_norm : {None, "batch", "clip", "band"}, default="batch"
        Normalisation of the input; losses are computed on the normalised scale. None:
        no normalisation; "batch": by the statistics of each band over the training
        clips; "clip": by the mean and standard deviation of each clip; "band": like
        "clip", but with the mean over time of each band subtracted. ``reconstruct``
        inverts the normalisation. ``inverse_transform`` gets codes only, and uses the
        mean statistics of the training clips instead.
    training : {"stacked", "joint"}, default="stacked"
        "stacked" trains layer by layer, with the other layers frozen; "joint" trains
        all layers together.
    stage_target : {"hidden", "input"}, default="hidden"
        What a new layer of stacked training reconstructs: its own input, or, through
        the frozen decoder, the spectrogram.
    fine_tune : int, default=0
        Number of epochs of joint training after stacked training.
    loss : {"mse", "bce"}, default="mse"
        Mean squared error, or binary cross-entropy for values in [0, 1], which needs
        ``output_activation="sigmoid"`` and ``input_norm=None``. Stages that reconstruct
        hidden layers always use the mean squared error.
    noise : float, default=0.0
        Denoising autoencoder: standard deviation of the noise added to the input,
        relative to the standard deviation of each clip.
    masking : float, default=0.0
        Masked autoencoder: fraction of the input that is masked, in patches.
    mask_size : int or (frequency, time) tuple, default=8
        Size of the patches, in bands and frames of the spectrogram.
    **kwargs
        Training parameters, see :class:`~sklearn_speech.base.BaseSpeechNet`, except
        `augment` and `frontend`. In stacked training, `max_epochs`, `lr_schedule` and
        `early_stopping` apply to each layer. With `warm_start`, a further ``fit``
        continues with the present weights and trains all layers together.

    Attributes
    ----------
    module_ : ConvAutoencoderNet
        The network. Its input and output have the shape (n_clips, n_bands, n_frames).
    n_codes_ : int or None
        Number of values in the code of a clip; None if clips differ in length.
    n_features_in_ : int
        Number of bands.
    history_ : skorch.history.History
        Loss, learning rate and duration in seconds of each epoch. With stacked training
        also ``stage``: the number of the layer, or 0 for joint training.

    See Also
    --------
    sklearn_speech.feature_extraction.MelSpectrogram : Computes spectrograms, and
        waveforms from reconstructed spectrograms.

    Notes
    -----
    Stacked training follows Bengio et al., "Greedy layer-wise training of deep
    networks", NIPS 2006, with noise as in Vincent et al., "Stacked denoising
    autoencoders", JMLR 11, 2010. The outputs of the frozen layers are computed once per
    stage, not once per epoch.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech.pretraining import ConvAutoencoder
    >>> X = np.random.default_rng(0).normal(size=(8, 20, 31))
    >>> autoencoder = ConvAutoencoder(2, n_filters=4, max_epochs=2, random_state=0).fit(X)
    >>> codes = autoencoder.transform(X)
    >>> codes.shape, autoencoder.inverse_transform(codes).shape
    ((8, 160), (8, 20, 31))
    """

    module_class = ConvAutoencoderNet

    # the input is a spectrogram; `noise` and `masking` take the place of augmentation
    _fixed_parameters = ("augment", "frontend")
    augment = None
    frontend = None

    _needs = {
        "batch_norm_eps": ("batch_norm", (True,)),
        "fine_tune": ("training", ("stacked",)),
        "mask_size": ("masking", SET),
        "pool_type": ("down", ("pool",)),
        "stage_target": ("training", ("stacked",)),
    }

    _parameter_constraints = {
        **BaseSpeechNet._parameter_constraints,
        "n_layers": [Interval(Integral, 1, None, closed="left")],
        "n_filters": [Interval(Integral, 1, None, closed="left"), list, None],
        "kernel_size": _WHOLE,
        "stride": _WHOLE,
        "padding": [
            StrOptions({"same", "valid"}), Interval(Integral, 0, None, closed="left"), tuple, list,
        ],
        "down": [StrOptions({"stride", "pool"})],
        "pool_type": [StrOptions({"max", "mean"}), list],
        "batch_norm": ["boolean"],
        "batch_norm_eps": [Interval(Real, 0, None, closed="neither")],
        "mirror": [StrOptions({"output_padding", "kernel"})],
        "extra_conv": ["boolean"],
        "output_activation": [StrOptions({"linear", "relu", "sigmoid"})],
        "input_norm": [StrOptions({"batch", "clip", "band"}), None],
        "training": [StrOptions({"stacked", "joint"})],
        "stage_target": [StrOptions({"hidden", "input"})],
        "fine_tune": [Interval(Integral, 0, None, closed="left")],
        "loss": [StrOptions({"mse", "bce"})],
        "noise": [Interval(Real, 0, None, closed="left")],
        "masking": [Interval(Real, 0, 1, closed="left")],
        "mask_size": [Interval(Integral, 1, None, closed="left"), tuple, list],
    }  # fmt: skip

    def __init__(
        self,
        n_layers: int = 3,
        *,
        n_filters: int | list[int] | None = None,
        kernel_size: Size = 3,
        stride: Size = 2,
        padding: Literal["same", "valid"] | Size = "same",
        down: Literal["stride", "pool"] = "stride",
        pool_type: Literal["max", "mean"] | list[str] = "max",
        batch_norm: bool = True,
        batch_norm_eps: float = 1e-5,
        mirror: Literal["output_padding", "kernel"] = "output_padding",
        extra_conv: bool = False,
        output_activation: Literal["linear", "relu", "sigmoid"] = "linear",
        input_norm: Literal["batch", "clip", "band"] | None = "batch",
        training: Literal["stacked", "joint"] = "stacked",
        stage_target: Literal["hidden", "input"] = "hidden",
        fine_tune: int = 0,
        loss: Literal["mse", "bce"] = "mse",
        noise: float = 0.0,
        masking: float = 0.0,
        mask_size: int | tuple[int, int] = 8,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name in set(self._fixed_parameters).difference(kwargs):
            del self.__dict__[name]
        self.n_layers = n_layers
        self.n_filters = n_filters
        self.kernel_size = kernel_size
        self.stride = stride
        self.padding = padding
        self.down = down
        self.pool_type = pool_type
        self.batch_norm = batch_norm
        self.batch_norm_eps = batch_norm_eps
        self.mirror = mirror
        self.extra_conv = extra_conv
        self.output_activation = output_activation
        self.input_norm = input_norm
        self.training = training
        self.stage_target = stage_target
        self.fine_tune = fine_tune
        self.loss = loss
        self.noise = noise
        self.masking = masking
        self.mask_size = mask_size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32", "float64"]
        return tags

    def _validate_params(self) -> None:
        super()._validate_params()
        if self.loss == "bce" and (
            self.output_activation != "sigmoid" or self.input_norm is not None
        ):
            raise ValueError(
                f"loss='bce' needs values in [0, 1], but output_activation="
                f"{self.output_activation!r} and input_norm={self.input_norm!r}; expected "
                "output_activation='sigmoid' and input_norm=None"
            )

    # Fitting

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        *,
        groups: ArrayLike | None = None,
        X_val: ArrayLike | None = None,
    ) -> Self:
        """Train the autoencoder to reconstruct spectrograms.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
                or 1-D object array or list of (n_bands, n_frames) arrays
            Spectrograms of the training clips.
        y : None
            Ignored.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. The validation split of early stopping keeps the clips
            of a speaker together; groups have no other use.
        X_val : array-like of shape (n_clips, n_bands, n_frames), default=None
            Validation spectrograms, instead of a part of X.

        Returns
        -------
        self : object
        """
        return self._fit(
            X, None, groups=groups, X_val=X_val, continuing=self.warm_start and self.initialized_
        )

    def partial_fit(self, X: ArrayLike, y: Any = None, classes: None = None) -> Self:
        """Train all layers together for `max_epochs` further epochs at a constant learning rate.

        The first call is the same as ``fit``.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames)
            As in ``fit``, with the same number of bands.
        y : None
            Ignored.
        classes : None
            A parameter of all networks of skorch, which has no meaning here.

        Returns
        -------
        self : object

        Raises
        ------
        ValueError
            If `classes` is not None.
        """
        self._refuse_classes(classes)
        return super().partial_fit(X)

    def initialize_criterion(self) -> Self:
        """Set the criterion: the error of each value."""
        kind = nn.BCELoss if self.loss == "bce" else nn.MSELoss
        self.criterion_ = kind(reduction="none")
        return self

    def clip_losses(
        self, y_pred: torch.Tensor, y_true: torch.Tensor, X: Mapping[str, Any]
    ) -> torch.Tensor:
        """Mean error of each clip of a batch.

        Parameters
        ----------
        y_pred, y_true : Tensor of shape (n_clips, n_channels, n_bands, n_frames)
            Reconstruction and target.
        X : dict
            If clips differ in length, ``"lengths"`` has two columns: the numbers of frames
            of the input of the stage, and of `y_true`.

        Returns
        -------
        losses : Tensor of shape (n_clips,)
        """
        is_hidden = self.module_.span[2] > 0
        criterion = nn.MSELoss(reduction="none") if is_hidden else self.criterion_
        errors = criterion(y_pred, y_true)
        axes = tuple(range(1, errors.dim()))  # flattened, maps with channels last would be copied
        if "lengths" not in X:
            return errors.mean(axes)
        lengths = X["lengths"][:, 1].to(errors.device)
        total = mask_frames(errors, lengths).sum(axes)
        return total / (lengths * errors.shape[1] * errors.shape[2])

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Record the stage of the epoch."""
        super().on_epoch_begin(net, **kwargs)
        if self.training == "stacked":
            self.history_.record("stage", self._stage)

    def _train(self, data: DatasetPair, lr_schedule: str, continuing: bool) -> None:
        train_autoencoder(self, data, lr_schedule, continuing)
