"""Dense layers on raw samples, as a classifier."""

from numbers import Integral, Real
from typing import Any

from ..base import BaseSpeechClassifier
from ..base._pretrained import PretrainedNet
from ..modules.waveform_mlp import WaveformMLPNet
from ..utils.sklearn_private import Interval


class WaveformMLPClassifier(PretrainedNet, BaseSpeechClassifier):
    """Multi-layer perceptron that classifies waveforms of one length.

    Dense layers must learn a word separately for each position in the clip. Use this
    network as a baseline, as in the publications, and expect low scores on new speakers.

    Parameters
    ----------
    hidden_units : int or list of int, default=128
        Sizes of the hidden layers, each followed by ReLU.
    dropout : float, default=0.0
        Dropout after each hidden layer.
    equal_loudness : bool, default=True
        Whether each clip is first scaled to the same loudness.
    lr : float, default=0.001
        Largest learning rate.
    **kwargs
        Training parameters, see :class:`~sklearn_speech.base.BaseSpeechClassifier`
        and :class:`~sklearn_speech.base.BaseSpeechNet`.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Labels, sorted.
    module_ : WaveformMLPNet
        The network; input of shape (n_clips, n_times), output logits.
    pretrainer_ : FrozenEstimator or network
        Network whose layers this one started from; present if a pretrainer is set.
    n_features_in_ : int
        Number of samples of a clip.
    history_ : skorch.history.History
        Loss, learning rate and duration in seconds of each epoch.

    See Also
    --------
    WaveformCNNClassifier : Convolutions, which recognise a word at any position.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_speech.classification import WaveformMLPClassifier
    >>> seconds, y = np.arange(800) / 8000, np.repeat(["high", "low"], 4)
    >>> hertz = np.where(y == "high", 2000, 200)[:, None]
    >>> X = np.sin(2 * np.pi * hertz * seconds)
    >>> clf = WaveformMLPClassifier(max_epochs=10, random_state=0)
    >>> clf.fit(X, y).predict(X[:2])
    array(['high', 'high'], dtype='<U4')
    """

    module_class = WaveformMLPNet
    reads = "waveform"
    _fixes_length = True
    _shared_settings = ("hidden_units", "equal_loudness")

    _parameter_constraints = {
        "hidden_units": [Interval(Integral, 1, None, closed="left"), list, tuple],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "equal_loudness": ["boolean"],
    }

    def __init__(
        self,
        hidden_units: int | list[int] | tuple[int, ...] = 128,
        *,
        dropout: float = 0.0,
        equal_loudness: bool = True,
        lr: float = 0.001,
        **kwargs: Any,
    ):
        super().__init__(lr=lr, **kwargs)
        self.hidden_units = hidden_units
        self.dropout = dropout
        self.equal_loudness = equal_loudness
