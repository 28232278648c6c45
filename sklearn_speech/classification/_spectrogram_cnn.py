"""Convolutional network on spectrograms, as a classifier."""

from numbers import Integral, Real

from ..modules.spectrogram_cnn import HEADS, SpectrogramCNNNet
from ..utils.sklearn_private import Interval, StrOptions
from ._pretrained import PretrainedSpeechClassifier

_WHOLE = [Interval(Integral, 1, None, closed="left"), tuple, list]


class SpectrogramCNNClassifier(PretrainedSpeechClassifier):
    """Convolutional network that classifies spectrograms of any length.

    Layers of convolution, batch norm, ReLU, pooling and dropout are followed by
    pooling over what is left of time and frequency, and by dense layers. The
    default is a network of four layers that recognises short words of new
    speakers; the published digit networks are settings of it.

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
    pretrainer : ConvAutoencoder, default=None
        Cloned and fitted, inside ``fit``, on the training clips alone: labelled
        ones and unlabelled ones, which have y = -1 (the number, also among strings
        in an object array). Clips that early stopping puts aside are not among them,
        nor, where `groups` tells speakers apart, any clip of their speakers.
        Its encoder becomes the first layers of the network.
        With `frontend`, it learns from what that gives before training. Wrap one
        that is fitted in :class:`sklearn.frozen.FrozenEstimator` to use it as it is.
        Without a pretrainer, -1 is a class like any other.
    freeze_pretrained : int, default=0
        Epochs during which those first layers do not change.
    **kwargs
        Settings of training, see :class:`~sklearn_speech.base.BaseSpeechClassifier`
        and :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    module_ : SpectrogramCNNNet or FrontEndNet
        The network: (n_clips, n_bands, n_frames) in, logits out.
    pretrainer_ : ConvAutoencoder or FrozenEstimator
        What gave the first layers; only where a pretrainer is set.
    n_features_in_ : int
        Number of bands.
    history_ : skorch.history.History
        Loss, learning rate and seconds by epoch.

    See Also
    --------
    sklearn_speech.feature_extraction.MelSpectrogram : Makes the spectrograms.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech import SpectrogramCNNClassifier
    >>> rng = np.random.default_rng(0)
    >>> X, y = rng.normal(size=(8, 20, 30)), np.repeat(["no", "yes"], 4)
    >>> X[y == "yes", :10] += 3
    >>> clf = SpectrogramCNNClassifier(n_layers=2, max_epochs=20, random_state=0)
    >>> clf.fit(X, y).predict(X[:2])
    array(['no', 'no'], dtype='<U3')
    """

    module_class = SpectrogramCNNNet

    _needs = {"batch_norm_eps": ("batch_norm", (True,))}

    _parameter_constraints = {
        **PretrainedSpeechClassifier._parameter_constraints,
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
