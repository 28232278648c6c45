"""Convolutional autoencoder of spectrograms, trained layer by layer or at once."""

from numbers import Integral, Real

from torch import nn

from ..base import BaseSpeechNet
from ..modules.conv_autoencoder import ConvAutoencoderNet
from ..modules.masking import mask_frames
from ..utils.parameters import SET
from ..utils.sklearn_private import Interval, StrOptions
from ._coder import SpectrogramCoder
from ._stages import train_autoencoder

_WHOLE = [Interval(Integral, 1, None, closed="left"), tuple, list]


class ConvAutoencoder(SpectrogramCoder, BaseSpeechNet):
    """Convolutional autoencoder that learns a code of spectrograms without labels.

    Each layer of the encoder makes the spectrogram smaller, a mirrored layer of
    the decoder makes it as large as it was, whatever its size. Trained layer by
    layer ("stacked"), a new layer learns to restore what the layers before it
    give, which no longer change; its weights are a start for a classifier with
    few labels, see the `pretrainer` of
    :class:`~sklearn_speech.classification.SpectrogramCNNClassifier`.

    Parameters
    ----------
    n_layers : int, default=3
        Number of layers of the encoder.
    n_filters : int or list of int, default=None
        Filters of each layer. None doubles from 24 up to 128.
    kernel_size : int, (frequency, time) tuple, or list with one of these a layer, default=3
    stride : int, (frequency, time) tuple, or list with one of these a layer, default=2
        How much smaller a layer makes its input.
    padding : {"same", "valid"}, int, (frequency, time) tuple, or list, default="same"
        "same" gives ceil(size / stride) rows and columns.
    down : {"stride", "pool"}, default="stride"
        Whether the kernels themselves are that far apart, and are mirrored by
        transposed convolution; or windows of pooling are, mirrored by nearest
        upsampling and convolution.
    pool_type : {"max", "mean"} or list with one of these a layer, default="max"
    batch_norm : bool, default=True
        Batch normalisation after each convolution but the last.
    batch_norm_eps : float, default=1e-5
        Added to its variances.
    mirror : {"output_padding", "kernel"}, default="output_padding"
        How sizes that a stride does not divide are reached again: by padding
        that follows the clip's length, or by kernels of the decoder larger by
        the remainder on each axis, which fixes the length of clips.
    extra_conv : bool, default=False
        One more convolution in the decoder, on the code.
    output_activation : {"linear", "relu", "sigmoid"}, default="linear"
        What follows the last layer.
    input_norm : {None, "batch", "clip", "band"}, default="batch"
        On what scale the network computes, and losses are taken: that of X,
        statistics of each band over the training clips, mean and deviation of
        each clip, or the same with the mean over time of each band of each clip
        taken away. ``reconstruct`` puts back what it took. ``inverse_transform``
        knows only codes, and puts back what a typical training clip has.
    training : {"stacked", "joint"}, default="stacked"
        Layer by layer with the layers outside it frozen, or all at once.
    stage_target : {"hidden", "input"}, default="hidden"
        What a new layer of stacked training restores: what it was given, or, by
        way of the frozen decoder, the spectrogram.
    fine_tune : int, default=0
        Epochs of training all layers at once after stacked training.
    loss : {"mse", "bce"}, default="mse"
        Mean squared error, or binary cross-entropy of values in [0, 1], which
        needs ``output_activation="sigmoid"`` and ``input_norm=None``. Hidden
        layers are always compared by the former.
    noise : float, default=0.0
        Denoising: standard deviation of noise added to what is restored, as a
        share of that of each clip.
    masking : float, default=0.0
        Masked autoencoding: share of what is restored that is hidden, in patches.
    mask_size : int or (frequency, time) tuple, default=8
        Size of the patches, in bands and frames of the spectrogram.
    **kwargs
        Settings of training, see :class:`~sklearn_speech.base.BaseSpeechNet`; those of
        augmentation and front end are left out. In stacked training `max_epochs`,
        `lr_schedule` and `early_stopping` are of each layer. With `warm_start`, ``fit``
        goes on from the weights that are there, all at once.

    Attributes
    ----------
    module_ : ConvAutoencoderNet
        The network: (n_clips, n_bands, n_frames) in and out.
    n_codes_ : int or None
        Numbers in the code of a clip; None where clips differ in length.
    n_features_in_ : int
        Number of bands.
    history_ : skorch.history.History
        Loss, learning rate and seconds by epoch. With stacked training also
        ``stage``: the number of the layer, and 0 for all at once.

    See Also
    --------
    sklearn_speech.feature_extraction.MelSpectrogram : Makes the spectrograms, and
        waveforms of those that come back.

    Notes
    -----
    Stacked training follows Bengio et al., "Greedy layer-wise training of deep
    networks", NIPS 2006, with noise as in Vincent et al., "Stacked denoising
    autoencoders", JMLR 11, 2010. What the frozen layers give is computed once for
    each stage, not once an epoch.

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

    # the network takes spectrograms, and changes them itself where it learns to restore them
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
        n_layers=3,
        *,
        n_filters=None,
        kernel_size=3,
        stride=2,
        padding="same",
        down="stride",
        pool_type="max",
        batch_norm=True,
        batch_norm_eps=1e-5,
        mirror="output_padding",
        extra_conv=False,
        output_activation="linear",
        input_norm="batch",
        training="stacked",
        stage_target="hidden",
        fine_tune=0,
        loss="mse",
        noise=0.0,
        masking=0.0,
        mask_size=8,
        **kwargs,
    ):
        super().__init__(**kwargs)
        for name in set(self._fixed_parameters).difference(kwargs):
            del vars(self)[name]
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

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float32", "float64"]
        return tags

    def _validate_params(self):
        super()._validate_params()
        if self.loss == "bce" and (
            self.output_activation != "sigmoid" or self.input_norm is not None
        ):
            raise ValueError(
                f"loss='bce' compares values in [0, 1], but output_activation="
                f"{self.output_activation!r} and input_norm={self.input_norm!r}; expected "
                "output_activation='sigmoid' and input_norm=None"
            )

    # Fitting

    def fit(self, X, y=None, *, groups=None, X_val=None):
        """Learn to restore spectrograms.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames) or (n_clips, n_bands), \
                or 1-D object array or list of (n_bands, n_frames) arrays
            Spectrograms of the training clips.
        y : None
            Ignored.
        groups : array-like of shape (n_clips,), default=None
            Speaker of each clip. Keeps speakers apart in the split of early
            stopping; nothing else uses it.
        X_val : array-like of shape (n_clips, n_bands, n_frames), default=None
            Spectrograms to measure each epoch on, instead of a part of X.

        Returns
        -------
        self : object
        """
        return self._fit(
            X, None, groups=groups, X_val=X_val, going_on=self.warm_start and self.initialized_
        )

    def partial_fit(self, X, y=None):
        """Go on training all layers at once for `max_epochs` epochs at a constant learning rate.

        The first call trains as ``fit`` does.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_bands, n_frames)
            As in ``fit``, of the same bands.
        y : None
            Ignored.

        Returns
        -------
        self : object
        """
        return super().partial_fit(X)

    def initialize_criterion(self):
        """Error of each value."""
        self.criterion_ = nn.MSELoss(reduction="none")
        if self.loss == "bce":
            self.criterion_ = nn.BCELoss(reduction="none")
        return self

    def clip_losses(self, y_pred, y_true, X):
        """Mean error of each clip of a batch.

        Parameters
        ----------
        y_pred, y_true : Tensor of shape (n_clips, n_channels, n_bands, n_frames)
            Restored and true.
        X : dict
            ``"lengths"``, where clips differ in length, has two columns: frames of what the
            stage read, and of `y_true`.

        Returns
        -------
        losses : Tensor of shape (n_clips,)
        """
        is_hidden = self.module_.span[2] > 0
        criterion = nn.MSELoss(reduction="none") if is_hidden else self.criterion_
        errors = criterion(y_pred, y_true)
        if "lengths" not in X:
            return errors.flatten(1).mean(1)
        lengths = X["lengths"][:, 1].to(errors.device)
        total = mask_frames(errors, lengths).flatten(1).sum(1)
        return total / (lengths * errors.shape[1] * errors.shape[2])

    def on_epoch_begin(self, net, **kwargs):
        """Note which stage the epoch belongs to."""
        super().on_epoch_begin(net, **kwargs)
        if self.training == "stacked":
            self.history_.record("stage", self._stage)

    def _train(self, data, lr_schedule, going_on):
        train_autoencoder(self, data, lr_schedule, going_on)
